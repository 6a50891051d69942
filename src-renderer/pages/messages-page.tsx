import type { ReactNode } from 'react';
import { MessagesPanel } from '#renderer/features/messages/messages-panel.tsx';
import { useAgents } from '#renderer/store/project-scope.ts';

/** Everything said. */
export function MessagesPage(_props: { readonly messageId?: string }): ReactNode {
  const agentIds = useAgents().map(({ id }) => id);
  return <MessagesPanel agentIds={agentIds} preferredId={undefined} />;
}
