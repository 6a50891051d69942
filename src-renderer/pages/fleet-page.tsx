import type { ReactNode } from 'react';
import { AgentList } from '#renderer/features/agents/agent-list.tsx';
import { goTo } from '#renderer/navigation/use-route.tsx';
import { useAgents } from '#renderer/store/project-scope.ts';
import { useWindowState } from '#renderer/store/session-context.tsx';

/** The agents of the project. */
export function FleetPage(): ReactNode {
  const agents = useAgents();
  const unread = useWindowState((state) => state.unread);
  return (
    <AgentList
      agents={agents}
      unread={unread}
      selectedId={undefined}
      onSelect={(id) => goTo({ page: 'agent', id, tab: 'overview' })}
    />
  );
}
