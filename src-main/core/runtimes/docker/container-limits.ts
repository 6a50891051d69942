/** The limits of a container that runs: what can be changed, and what only its next start changes. */
import type { Container } from 'dockerode';
import type { ResourceLimits } from '#shared/agents/model.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { LimitsHeld } from '../runtime.ts';
import { engineLimits } from './container-options.ts';
import { askEngine } from './engine-deadline.ts';
import { engineFault, statusOf, wordsOf } from './engine-faults.ts';

/** What holds. */
export const HELD: LimitsHeld = {
  mechanism: 'container',
  note: 'memory without swap, CPU, processes, open files and /tmp are limited by its container; disk is watched',
};

/**
 * Changes memory, CPU and processes. What else differs stays as it is until the next start: then, after the others were
 * changed, it fails with an UNAVAILABLE that names them.
 */
export async function changeLimits(change: {
  agentId: AgentId;
  container: Container;
  before: ResourceLimits;
  limits: ResourceLimits;
}): Promise<void> {
  const { agentId, before, limits } = change;
  try {
    await askEngine('change the limits of a container', (abortSignal) =>
      change.container.update({ ...engineLimits(limits), abortSignal }),
    );
  } catch (error) {
    if (/busy|minimum memory|smaller/i.test(wordsOf(error))) {
      throw new AppError(
        'UNAVAILABLE',
        `Agent ${agentId} uses more memory than ${limits.memory} now, so that limit cannot be set (${wordsOf(error)}). Restart it, or choose more.`,
        { cause: error },
      );
    }
    if (statusOf(error) === 404 && /^not found$/i.test(wordsOf(error))) {
      throw new AppError(
        'UNAVAILABLE',
        `This container engine cannot change the limits of a container that runs: those of agent ${agentId} change at its next start.`,
        { cause: error, retryable: false, data: { cause: 'restart', restart: ['all limits'] } },
      );
    }
    throw engineFault(`The limits of agent ${agentId} could not be changed`, error);
  }
  const later = [
    ...(before.openFiles === limits.openFiles ? [] : ['the number of open files']),
    ...(before.tmp === limits.tmp ? [] : ['the size of /tmp']),
  ];
  if (later.length > 0) {
    throw new AppError(
      'UNAVAILABLE',
      `Memory, CPU and processes of agent ${agentId} are limited as asked from now on; ${later.join(' and ')} only from its next start.`,
      { retryable: false, data: { cause: 'restart', restart: later } },
    );
  }
}
