/**
 * How often somebody without a token may try. Counted per address, in memory, by a clock that nobody sets.
 * A good code is let in whatever was tried before it: it cannot be guessed, and a flood of wrong ones must keep nobody out.
 */
import { AppError } from '#shared/kernel/errors.ts';

/** The window of the limits, in milliseconds. */
const WINDOW_MS = 60_000;
/** Wrong codes and request ids from one address within the window. */
export const MAX_WRONG = 10;
/** New requests and questions after old ones, from one address within the window: waiting calls last 20 s. */
export const MAX_CALLS = 60;
/** Addresses that are remembered; the one that was quiet longest goes first. */
const MAX_ADDRESSES = 1_000;

type Kind = 'wrong' | 'call';
const MOST: Readonly<Record<Kind, number>> = { wrong: MAX_WRONG, call: MAX_CALLS };
const WORDS: Readonly<Record<Kind, string>> = {
  wrong: 'Too many wrong codes came from this address.',
  call: 'Too many calls without a token came from this address.',
};

/** Counts attempts. */
export class AttemptLimits {
  readonly #steadyNow: () => number;
  readonly #at: Readonly<Record<Kind, Map<string, number[]>>> = { wrong: new Map(), call: new Map() };

  constructor(steadyNow: () => number = () => performance.now()) {
    this.#steadyNow = steadyNow;
  }

  /** Counts an attempt. Fails with TOO_MANY_REQUESTS, saying when to go on, when there were too many. */
  count(kind: Kind, address: string): void {
    const now = this.#steadyNow();
    const table = this.#at[kind];
    const recent = (table.get(address) ?? []).filter((at) => now - at < WINDOW_MS);
    table.delete(address);
    table.set(address, recent);
    const [first] = recent;
    if (first !== undefined && recent.length >= MOST[kind]) {
      throw new AppError('TOO_MANY_REQUESTS', `${WORDS[kind]} Wait a minute, then try again.`, {
        data: { retryAfterMs: Math.ceil(WINDOW_MS - (now - first)) },
      });
    }
    recent.push(now);
    const oldest = table.size > MAX_ADDRESSES ? table.keys().next().value : undefined;
    if (oldest !== undefined) table.delete(oldest);
  }
}
