/** What is said of an agent's boundary wherever it stands: by a card, in a row, in a header. Pure. */
import type { Agent } from '#shared/agents/model.ts';
import { isExternal } from '#shared/agents/model.ts';
import type { Boundary } from '#shared/runtimes/model.ts';

/** Each boundary in a few words; the agent's own note says it in full. */
export const BOUNDARY_WORDS: Readonly<Record<Boundary, string>> = {
  container: 'container',
  bubblewrap: 'bubblewrap',
  host: 'host, not contained',
};

/**
 * held: nothing of it was let go before its proof held. broken: the proof did not hold, so it does not run.
 * open: it does not run, or is just being proved. none: there is no box to be proved.
 */
export type BoundaryProofState = 'held' | 'broken' | 'open' | 'none';

/** How a boundary is shown. */
export interface BoundaryLook {
  readonly word: string;
  /** What it reaches of the network; undefined without a box, where that is everything. */
  readonly network: string | undefined;
  readonly proof: BoundaryProofState;
  /** The proof in words, for a tooltip and for screen readers. */
  readonly proofText: string;
}

/** What an agent in a box reaches. */
export function networkText({ egress, modelApis }: Pick<Agent['config'], 'egress' | 'modelApis'>): string {
  const count = egress.rules.length + modelApis.length;
  if (count === 0) return 'no network';
  return `${count} ${count === 1 ? 'address' : 'addresses'}`;
}

const PROOF_TEXTS: Readonly<Record<BoundaryProofState, string>> = {
  held: 'Proved before its program started.',
  broken: 'Its proof did not hold, so it was not started.',
  open: 'It is proved at each start, before its program runs.',
  none: 'Nothing holds it, so there is nothing to prove.',
};

function proofOf({ boundary, state }: Pick<Agent, 'boundary' | 'state'>): BoundaryProofState {
  if (boundary === 'host') return 'none';
  switch (state.status) {
    case 'idle':
    case 'working':
    case 'waiting':
    case 'paused':
    case 'stopping':
      return 'held';
    case 'failed':
      return state.evidence.source === 'boundary' ? 'broken' : 'open';
    case 'created':
    case 'starting':
    case 'stopped':
    case 'lost':
      return 'open';
  }
}

/** How the boundary of an agent is shown. */
export function boundaryLook(agent: Pick<Agent, 'boundary' | 'state' | 'config'>): BoundaryLook {
  const proof = proofOf(agent);
  return {
    word: isExternal(agent) ? 'not contained, not controlled' : BOUNDARY_WORDS[agent.boundary],
    network: agent.boundary === 'host' ? undefined : networkText(agent.config),
    proof,
    proofText: PROOF_TEXTS[proof],
  };
}
