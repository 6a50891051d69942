/** Waiting times between tries. One policy for reconnecting windows, guests and clients. */

/** How long to wait before each try. */
export interface BackoffPolicy {
  /** Wait before the second try, in milliseconds. */
  readonly firstMs: number;
  /** No wait is longer than this, in milliseconds. */
  readonly maxMs: number;
  /** Share of the wait that is random, 0 to 1: keeps many clients from returning at the same moment. */
  readonly jitter: number;
}

/** For a core that restarts: quick at first, never slower than every two seconds. */
export const RECONNECT: BackoffPolicy = { firstMs: 50, maxMs: 2_000, jitter: 0.3 };

/** The wait before try number `attempt` (0 = first retry), in milliseconds. `random` is in [0, 1). */
export function backoffMs(policy: BackoffPolicy, attempt: number, random: number = Math.random()): number {
  const full = Math.min(policy.maxMs, policy.firstMs * 2 ** Math.min(attempt, 30));
  return Math.round(full * (1 - policy.jitter * random));
}
