/** What agents do with messages they hold besides acknowledging them: keep them for longer, give them back. */
import type { MessageId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import type { FoundDelivery } from './deliveries-repository.ts';
import { findDelivery, setLease } from './deliveries-repository.ts';
import type { DeliveryBook } from './delivery-book.ts';
import type { DueDeliveries } from './due-deliveries.ts';
import { messageFacts } from './due-repository.ts';
import { ownInbox, unknownIds } from './inbox-errors.ts';
import type { MessageInputs } from './message-draft.ts';
import { withoutRepetitions } from './resolve-recipients.ts';

/** What the leases stand on. */
export interface LeasesOptions {
  readonly store: AppStore;
  readonly book: DeliveryBook;
  readonly due: DueDeliveries;
}

/** Ids of messages, by whether the caller holds them. */
interface Holdings {
  readonly held: readonly { readonly id: MessageId; readonly delivery: FoundDelivery }[];
  readonly notHeld: MessageId[];
}

/** What agents do with messages they hold. */
export class Leases {
  readonly #o: LeasesOptions;

  constructor(options: LeasesOptions) {
    this.#o = options;
  }

  /** Keeps messages for longer. NOT_FOUND when an id is not in the caller's inbox, and nothing is extended then. */
  async extend(
    input: MessageInputs['extend'],
    caller: Caller,
  ): Promise<{ extended: number; leasedUntil: number; notHeld: MessageId[] }> {
    const recipient = ownInbox(caller);
    return this.#o.store.write((tx) => {
      const { held, notHeld } = this.#holdings(tx, input.messageIds, recipient, 'extended');
      const leasedUntil = this.#o.due.in(input.leaseMs);
      for (const { delivery } of held) {
        setLease(tx, delivery.seq, recipient, leasedUntil);
        tx.afterCommit(() => {
          const { attempts, place, state } = delivery;
          this.#o.book.move(delivery, place, { place, state, attempts, leasedUntil });
        });
      }
      // One that was shortened is due earlier than the timer knows.
      if (held.length > 0) tx.afterCommit(() => this.#o.due.note(leasedUntil));
      return { extended: held.length, leasedUntil, notHeld };
    });
  }

  /** Gives messages back. NOT_FOUND when an id is not in the caller's inbox, and nothing is given back then. */
  async release(input: MessageInputs['release'], caller: Caller): Promise<{ released: number; notHeld: MessageId[] }> {
    const recipient = ownInbox(caller);
    return this.#o.store.write((tx) => {
      const { held, notHeld } = this.#holdings(tx, input.messageIds, recipient, 'given back');
      const heldUntil = input.delayMs === 0 ? null : this.#o.due.in(input.delayMs);
      for (const { id, delivery } of held) {
        const message = messageFacts(tx, id);
        if (message)
          this.#o.due.giveBack(tx, { message, copy: delivery, place: delivery.place, attempts: delivery.attempts }, heldUntil);
      }
      return { released: held.length, notHeld };
    });
  }

  #holdings(tx: Tx, ids: readonly MessageId[], recipient: string, done: string): Holdings {
    const expiredUntil = this.#o.due.expiredUntil();
    const found = withoutRepetitions(ids).map((id) => ({ id, delivery: findDelivery(tx, id, recipient, expiredUntil) }));
    const unknown = found.filter(({ delivery }) => !delivery).map(({ id }) => id);
    if (unknown.length > 0) throw unknownIds(unknown, done);
    const held = found.flatMap(({ id, delivery }) => (delivery?.state === 'delivered' ? [{ id, delivery }] : []));
    const heldIds = new Set(held.map(({ id }) => id));
    return { held, notHeld: found.map(({ id }) => id).filter((id) => !heldIds.has(id)) };
  }
}
