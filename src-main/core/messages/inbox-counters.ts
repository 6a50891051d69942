/**
 * How many deliveries stand where, by inbox, in memory: asked for on every list of agents and by every waiter.
 * Invariant: equal to what the table of committed deliveries says; empty inboxes take no space.
 */

/** What is in one inbox. */
export interface InboxCount {
  /** Never handed out. */
  readonly queued: number;
  /** Not acknowledged, handed out or not. */
  readonly unread: number;
  /** Tasks and requests that were handed out and not acknowledged: what the recipient is working on. */
  readonly held: number;
}

const NOTHING: InboxCount = { queued: 0, unread: 0, held: 0 };

/** Counts by inbox. */
export class InboxCounters {
  #counts = new Map<string, InboxCount>();

  /** Replaces everything. */
  reset(counts: Iterable<readonly [string, InboxCount]>): void {
    this.#counts = new Map(counts);
  }

  /** The counts of one inbox. */
  of(recipient: string): InboxCount {
    return this.#counts.get(recipient) ?? NOTHING;
  }

  /** Adds a difference to one inbox. */
  add(recipient: string, change: Partial<InboxCount>): void {
    const before = this.of(recipient);
    const queued = before.queued + (change.queued ?? 0);
    const unread = before.unread + (change.unread ?? 0);
    const held = before.held + (change.held ?? 0);
    if (queued === 0 && unread === 0 && held === 0) this.#counts.delete(recipient);
    else this.#counts.set(recipient, { queued, unread, held });
  }
}
