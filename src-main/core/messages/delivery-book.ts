/**
 * What memory says of deliveries: how many stand where, and what changed for those who follow. The one place that is told
 * of a step, after its commit.
 */
import type { DeliveryState } from '#shared/messages/model.ts';
import type { DeliveryChanges } from './delivery-changes.ts';
import type { InboxCounters } from './inbox-counters.ts';

/** Where a copy that is not settled stands in its inbox: held back, to be handed out, or handed out. */
export type Place = 'delayed' | 'queued' | 'delivered';

/** What is in one inbox. */
export interface InboxCount {
  /** To be handed out. */
  readonly queued: number;
  /** Held back: delayed, given back, or not acknowledged in time. */
  readonly delayed: number;
  /** Not acknowledged, handed out or not; without what is held back, and without the dead. */
  readonly unread: number;
  /** Tasks and requests that were handed out and not acknowledged: what the recipient is working on. */
  readonly held: number;
  /** Characters of what is not acknowledged, held back or not. */
  readonly chars: number;
}

/** A copy, as far as counting goes. */
export interface Copy {
  readonly messageId: string;
  readonly recipient: string;
  readonly projectId: string;
  readonly isWork: boolean;
  readonly chars: number;
}

/** Where a row's times say a copy stands; undefined when it is settled. */
export function placeOf(row: {
  delivered_at: number | null;
  read_at: number | null;
  dead_at: number | null;
  held_until: number | null;
}): Place | undefined {
  if (row.read_at !== null || row.dead_at !== null) return undefined;
  if (row.delivered_at !== null) return 'delivered';
  return row.held_until === null ? 'queued' : 'delayed';
}

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
