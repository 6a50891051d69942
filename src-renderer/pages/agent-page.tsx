import type { ReactNode } from 'react';
import { AgentHeader } from '#renderer/features/agents/agent-header.tsx';
import { TerminalPane } from '#renderer/features/terminals/terminal-pane.tsx';
import type { AgentTab } from '#renderer/navigation/routes.ts';
import { useWindowState } from '#renderer/store/session-context.tsx';
import { EmptyState } from '#renderer/ui/empty-state.tsx';

/** One agent: its terminal, and what is known about it. */
export function AgentPage({ id }: { readonly id: string; readonly tab: AgentTab }): ReactNode {
  const agent = useWindowState((state) => state.crew.agents[id]);
  if (agent === undefined) return <EmptyState title={`There is no agent “${id}”`} />;
  return (
    <div className="flex h-full flex-col">
      <AgentHeader agent={agent} />
      <TerminalPane agentId={agent.id} runId={agent.run?.id} />
    </div>
  );
}
