/** Keeps who is refused in a loop from filling the journal: the same thing is due at most once a second. */

/** The least time between two rows about the same, in milliseconds. */
const QUIET_MS = 1_000;
/** Keys remembered at once. */
const MAX_REMEMBERED = 1_000;

/** When what was last written down. */
export class QuietTimes {
  readonly #now: () => number;
  readonly #last = new Map<string, number>();

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Whether something may be written down now, and notes that it is. `key` says what is the same. */
  isDue(key: readonly string[]): boolean {
    const now = this.#now();
    const name = JSON.stringify(key);
    const last = this.#last.get(name);
    if (last !== undefined && now - last < QUIET_MS) return false;
    // Re-inserted, so that the oldest stands first.
    this.#last.delete(name);
    this.#last.set(name, now);
    const oldest = this.#last.size > MAX_REMEMBERED ? this.#last.keys().next().value : undefined;
    if (oldest !== undefined) this.#last.delete(oldest);
    return true;
  }
}
