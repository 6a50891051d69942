/** Token buckets: how many messages a minute, and how many at once. */

/** What a bucket allows. */
export interface Rate {
  readonly perMinute: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Most buckets at once; the one unused for longest goes first, and counts as full when it is needed again. */
const MAX_BUCKETS = 10_000;

/** Buckets by name. */
export class TokenBuckets {
  readonly #now: () => number;
  readonly #buckets = new Map<string, Bucket>();

  /** `now` in milliseconds, going on evenly. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Takes one token from each bucket, or none where one is empty: then the answer is after how many milliseconds all have
   * one. 0 when they were taken. A trial takes nothing.
   */
  take(names: readonly string[], rate: Rate, isTrial: boolean): number {
    const now = this.#now();
    const perMs = rate.perMinute / 60_000;
    const filled = names.map((name) => {
      const bucket = this.#buckets.get(name);
      const tokens = bucket ? Math.min(rate.burst, bucket.tokens + Math.max(0, now - bucket.at) * perMs) : rate.burst;
      return { name, tokens };
    });
    const least = Math.min(...filled.map(({ tokens }) => tokens));
    if (filled.length > 0 && least < 1) return Math.max(1, Math.ceil((1 - least) / perMs));
    if (isTrial) return 0;
    for (const { name, tokens } of filled) {
      this.#buckets.delete(name);
      this.#buckets.set(name, { tokens: tokens - 1, at: now });
    }
    while (this.#buckets.size > MAX_BUCKETS) {
      const oldest = this.#buckets.keys().next().value;
      if (oldest === undefined) break;
      this.#buckets.delete(oldest);
    }
    return 0;
  }
}
