/**
 * Keeps what a worker holds its own for as long as it works: tells the core from time to time that it is still at it.
 * Nothing depends on one call: a lease that is lost brings the message again, and a worker knows what it has seen.
 */

/** How often the core is told, in milliseconds: three times within the ten minutes that a lease lasts. */
export const KEEP_EVERY_MS = 3 * 60 * 1_000;
/** How long what is held is asked for each time, in milliseconds. */
export const KEEP_FOR_MS = 10 * 60 * 1_000;
/** Most messages that one call names. */
const IDS_PER_CALL = 500;

/** What it works with. */
export interface LeaseKeeperOptions {
  /** Messages that were handed out and are not acknowledged. */
  readonly held: () => readonly string[];
  readonly extend: (ids: readonly string[], leaseMs: number) => Promise<void>;
  readonly everyMs?: number;
}

/** Tells the core from time to time what is still held, until it is disposed. */
export class LeaseKeeper implements Disposable {
  readonly #options: LeaseKeeperOptions;
  readonly #timer: NodeJS.Timeout;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#keep(), options.everyMs ?? KEEP_EVERY_MS).unref();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #keep(): void {
    const ids = this.#options.held();
    for (let from = 0; from < ids.length; from += IDS_PER_CALL)
      // Away, or older than leases: the next time, or the message again.
      this.#options.extend(ids.slice(from, from + IDS_PER_CALL), KEEP_FOR_MS).catch(() => undefined);
  }
}
