/** What menus and notifications do to the crew: the contract's own calls, as the operator. */
import type { ContractRouterClient } from '@orpc/contract';
import type { AgentStatus } from '#shared/agents/model.ts';
import type { Contract } from '#shared/contract.ts';
import { messageOf } from '#shared/kernel/errors.ts';
import type { CrewView } from './crew-watch.ts';

/** The calls that are used. */
export type AgentsClient = Pick<ContractRouterClient<Contract>, 'agents'>;

const ACTIVE: ReadonlySet<AgentStatus> = new Set(['idle', 'working', 'waiting']);

/** Pauses every agent that runs, or resumes every one that is paused. Rejects with what failed, when all were tried. */
export async function pauseOrResumeAll(client: AgentsClient, view: CrewView, order: 'pause' | 'resume'): Promise<void> {
  const wanted = Object.values(view.agents).filter(({ state }) =>
    order === 'pause' ? ACTIVE.has(state.status) : state.status === 'paused',
  );
  const results = await Promise.allSettled(wanted.map(({ id }) => client.agents[order]({ id })));
  const problems = results.flatMap((result, index) =>
    result.status === 'rejected' ? [`${wanted[index]?.id}: ${messageOf(result.reason)}`] : [],
  );
  if (problems.length > 0) throw new Error(`not every agent could be ${order}d: ${problems.join('; ')}`);
}

/** Stops every agent. Rejects with what failed. */
export async function stopAll(client: AgentsClient): Promise<void> {
  const { failed } = await client.agents.stopAll({});
  if (failed.length > 0)
    throw new Error(`not every agent could be stopped: ${failed.map(({ id, problem }) => `${id}: ${problem}`).join('; ')}`);
}
