/**
 * What memory says of deliveries: how many stand where, and what changed for those who follow. The one place that is told
 * of a step, after its commit.
 */
import type { DeliveryState } from '#shared/messages/model.ts';
import type { DeliveryChanges } from './delivery-changes.ts';
import type { Copy, InboxCount, Place } from './inbox-count.ts';
import type { InboxCounters } from './inbox-counters.ts';

/** What a copy counts where it stands. */
function worth(place: Place | undefined, { isWork, chars }: Copy): InboxCount {
  return {
    queued: place === 'queued' ? 1 : 0,
    delayed: place === 'delayed' ? 1 : 0,
    unread: place === 'queued' || place === 'delivered' ? 1 : 0,
    held: place === 'delivered' && isWork ? 1 : 0,
    chars: place === undefined ? 0 : chars,
  };
}

/** Where a copy stands after a step. */
export interface Standing {
  readonly place: Place | undefined;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly leasedUntil: number | null;
}

/** What memory says of deliveries. */
export class DeliveryBook {
  readonly counters: InboxCounters;
  readonly #changes: DeliveryChanges;

  constructor(counters: InboxCounters, changes: DeliveryChanges) {
    this.counters = counters;
    this.#changes = changes;
  }

  /** A copy stands elsewhere; it stood at `before`, undefined when it was not there or was settled. */
  move(copy: Copy, before: Place | undefined, { place, state, attempts, leasedUntil }: Standing): void {
    const [was, is] = [worth(before, copy), worth(place, copy)];
    this.counters.add(copy.recipient, copy.projectId, {
      queued: is.queued - was.queued,
      delayed: is.delayed - was.delayed,
      unread: is.unread - was.unread,
      held: is.held - was.held,
      chars: is.chars - was.chars,
    });
    this.#changes.add({ messageId: copy.messageId, recipient: copy.recipient, state, attempts, leasedUntil });
  }
}
