import { useMemo } from 'react';
import { useProject } from '#renderer/store/project-scope.ts';
import { useAsked } from '#renderer/store/use-asked.ts';
import type { SessionSummary } from '#shared/sessions/model.ts';

/** So many of the newest sessions can be gone back to here; older ones by their id in the address. */
const LISTED = 200;

/** The sessions of the project that is shown, the newest first; empty until they are known. */
export function useSessions(): readonly SessionSummary[] {
  const projectId = useProject()?.id;
  const { answer } = useAsked('sessions', (client) => client.sessions.list({ limit: LISTED }), {
    isChangedBy: ({ kind }) => kind.startsWith('session.') || kind.startsWith('messages.'),
  });
  return useMemo(
    () => (answer?.sessions ?? []).filter((each) => projectId === undefined || each.projectId === projectId),
    [answer, projectId],
  );
}
