/** A clock for how long things last: it tells the time, but goes on evenly when the computer's clock is set. */
import { uptime } from 'node:os';

/** An uptime that was read is good for so long, in milliseconds: reading it opens a file, and it counts in steps of ten. */
const GOOD_FOR_MS = 5;

function uptimeReader(): () => number {
  let readAt = Number.NEGATIVE_INFINITY;
  let value = 0;
  return () => {
    const at = performance.now();
    if (at - readAt >= GOOD_FOR_MS) {
      value = uptime() * 1_000;
      readAt = at;
    }
    return value;
  };
}

/**
 * Returns a clock that begins at the present time and then counts what the computer's uptime counts: time asleep too, and
 * nothing when its clock is set. In milliseconds since 1970, in steps of about ten.
 */
export function steadyClock(now: () => number = Date.now, uptimeMs: () => number = uptimeReader()): () => number {
  const offset = now() - uptimeMs();
  return () => Math.floor(uptimeMs() + offset);
}
