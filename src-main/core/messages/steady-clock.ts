/** A clock for how long things last: it tells the time, but goes on evenly when the computer's clock is set. */
import { uptime } from 'node:os';

/**
 * Returns a clock that begins at the present time and then counts what the computer's uptime counts: time asleep too, and
 * nothing when its clock is set. In milliseconds since 1970.
 */
export function steadyClock(now: () => number = Date.now, uptimeMs: () => number = () => uptime() * 1_000): () => number {
  const offset = now() - uptimeMs();
  return () => Math.floor(uptimeMs() + offset);
}
