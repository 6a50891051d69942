/** Whom to ask: agents that can do something, are there, and have room for it. Pure. */
import type { agentsContract } from '#shared/agents/contract.ts';
import type { Agent, PeerAgent } from '#shared/agents/model.ts';
import { isAlive } from '#shared/agents/model.ts';
import type { HandlersOf } from '#core/procedures.ts';

/** What is asked for. */
export type DiscoverInput = Parameters<HandlersOf<typeof agentsContract>['discover']>[0];

/** What is asked for, and among whom. */
export interface DiscoverOptions {
  readonly agents: readonly Agent[];
  readonly input: DiscoverInput;
  /** Messages in an agent's inbox that it has not acknowledged. */
  readonly unreadOf: (id: string) => number;
  /** Tasks and requests it has been handed and not acknowledged. */
  readonly heldBy: (id: string) => number;
}

/**
 * The agents that meet every filter, those that run before those that do not, then the least busy first, then by id; and how
 * many there are in all. Texts are compared without case; every word of `text` has to be found somewhere.
 */
export function discover({ agents, input, unreadOf, heldBy }: DiscoverOptions): { agents: PeerAgent[]; total: number } {
  const wanted = input.capability === undefined ? [] : [input.capability].flat();
  const words = (input.text ?? '').toLowerCase().split(/\s+/).filter(Boolean);
  const found = agents
    .filter(({ config, projectId, state }) => {
      const isIn = input.projectId === undefined || projectId === input.projectId;
      const isOfType = input.type === undefined || config.type === input.type;
      const isSo = input.status === undefined || state.status === input.status;
      return isIn && isOfType && isSo && wanted.every((capability) => config.capabilities.includes(capability));
    })
    .filter((agent) => {
      const text = textOf(agent);
      return words.every((word) => text.includes(word));
    })
    .map((agent) => peerOf(agent, { unread: unreadOf(agent.id), held: heldBy(agent.id) }))
    .filter(({ load }) => load.unread <= (input.maxUnread ?? Infinity) && load.held <= (input.maxHeld ?? Infinity))
    .sort(
      (a, b) =>
        Number(isAlive(b.status)) - Number(isAlive(a.status)) ||
        a.load.held - b.load.held ||
        a.load.unread - b.load.unread ||
        (a.id < b.id ? -1 : 1),
    );
  return { agents: found.slice(0, input.limit), total: found.length };
}

function textOf({ id, config, says }: Agent): string {
  return [id, config.external?.name ?? '', config.description, ...config.capabilities, says?.doing ?? '']
    .join('\n')
    .toLowerCase();
}

function peerOf({ id, config, state, says, boundary }: Agent, load: Omit<PeerAgent['load'], 'slots'>): PeerAgent {
  return {
    id,
    type: config.type,
    status: state.status,
    capabilities: config.capabilities,
    description: config.description,
    says,
    load: { ...load, slots: config.maxConcurrentTasks },
    boundary,
  };
}
