import type { Asked } from '#renderer/store/use-asked.ts';
import { useAsked } from '#renderer/store/use-asked.ts';
import type { Agent } from '#shared/agents/model.ts';
import type { AgentBoundary } from '#shared/boundary/contract.ts';

const CHANGES: ReadonlySet<string> = new Set([
  'boundary.proved',
  'boundary.failed',
  'agent.boundary-changed',
  'agent.config-changed',
  'agent.run-started',
  'agent.state-changed',
  'workspace.created',
]);

/** The boundary of an agent with its evidence, renewed with whatever changes it. */
export function useBoundary(agentId: Agent['id']): Asked<AgentBoundary> {
  return useAsked(`boundary ${agentId}`, (client) => client.boundary.get({ id: agentId }), {
    isChangedBy: ({ kind, subject }) => subject === agentId && CHANGES.has(kind),
  });
}
