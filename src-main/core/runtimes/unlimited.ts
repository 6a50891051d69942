/** What a run says of limits that nothing holds it to. */
import { AppError } from '#shared/kernel/errors.ts';
import type { LimitsHeld } from './runtime.ts';

/** Nothing holds. */
export const UNLIMITED: LimitsHeld = { mechanism: 'none', note: 'no memory, CPU or process limit is enforced' };

/** Answers a change of limits where nothing holds any. */
export function refuseLimits(): Promise<LimitsHeld> {
  return Promise.reject(new AppError('UNAVAILABLE', 'Nothing holds this agent to limits; the new ones are for its next start.'));
}
