import { useMemo } from 'react';
import { useProject } from '#renderer/store/project-scope.ts';
import { useAsked } from '#renderer/store/use-asked.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { SessionSummary } from '#shared/sessions/model.ts';

/** So many of the newest sessions can be gone back to here; older ones by their id in the address. */
const LISTED = 200;

/** The runs of the crew and what was imported into the project that is shown, the newest first; empty until they are known. */
export function useSessions(): readonly SessionSummary[] {
  const projectId = useProject()?.id;
  const { answer } = useAsked('sessions', (client) => client.sessions.list({ limit: LISTED }), {
    isChangedBy: ({ kind }) => kind.startsWith('session.') || kind.startsWith('messages.'),
  });
  return useMemo(
    () =>
      (answer?.sessions ?? []).filter(
        // A run of the crew is no project's: it has messages of all of them.
        (each) => projectId === undefined || each.projectId === projectId || each.projectId === SYSTEM_PROJECT_ID,
      ),
    [answer, projectId],
  );
}
