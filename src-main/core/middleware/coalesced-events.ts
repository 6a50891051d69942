/** Keeps what happens in a loop from filling the journal: the first is written at once, the others of a minute as one row. */
import type { Disposable } from '#shared/kernel/disposable.ts';

/** How long further ones are gathered, in milliseconds. */
const GATHER_MS = 60_000;
/** Most that are remembered at once; beyond it the oldest is written early. */
const MAX_KEYS = 1_000;

/** How often something happened. */
export interface Occurrences<T> {
  /** What the newest one said. */
  readonly newest: T;
  readonly count: number;
  readonly firstAt: number;
  readonly lastAt: number;
}

interface Gathered<T> {
  newest: T;
  count: number;
  firstAt: number;
  lastAt: number;
  readonly timer: NodeJS.Timeout;
}

/** Gathers by a key what is the same. */
export class CoalescedEvents<T> implements Disposable {
  readonly #write: (occurrences: Occurrences<T>) => void;
  readonly #now: () => number;
  readonly #gatherMs: number;
  readonly #byKey = new Map<string, Gathered<T>>();

  constructor(options: { write: (occurrences: Occurrences<T>) => void; now: () => number; gatherMs?: number }) {
    this.#write = options.write;
    this.#now = options.now;
    this.#gatherMs = options.gatherMs ?? GATHER_MS;
  }

  /** It happened once more. */
  note(key: string, what: T): void {
    const now = this.#now();
    const gathered = this.#byKey.get(key);
    if (gathered) {
      if (gathered.count === 0) gathered.firstAt = now;
      gathered.count += 1;
      gathered.lastAt = now;
      gathered.newest = what;
      return;
    }
    this.#write({ newest: what, count: 1, firstAt: now, lastAt: now });
    const timer = setTimeout(() => this.#end(key), this.#gatherMs).unref();
    this.#byKey.set(key, { newest: what, count: 0, firstAt: now, lastAt: now, timer });
    const oldest = this.#byKey.size > MAX_KEYS ? this.#byKey.keys().next().value : undefined;
    if (oldest !== undefined) this.#end(oldest);
  }

  /** Writes what was gathered, and goes on with nothing. */
  flush(): void {
    for (const key of this.#byKey.keys()) this.#end(key);
  }

  dispose(): void {
    this.flush();
  }

  #end(key: string): void {
    const gathered = this.#byKey.get(key);
    if (!gathered) return;
    this.#byKey.delete(key);
    clearTimeout(gathered.timer);
    const { newest, count, firstAt, lastAt } = gathered;
    if (count > 0) this.#write({ newest, count, firstAt, lastAt });
  }
}
