/**
 * The bound within which less urgent messages are handed out however much is more urgent: of any 16 messages that one inbox
 * hands out to those who wait, one at least is the oldest of all that are passed over, once that has waited for half a minute,
 * unless everything that waits is handed out together. So every message is some time the oldest, whatever its priority: one
 * that has n older ones less urgent than the stream before it has its turn after 16 × (n + 1) others at the latest. (Were it
 * the least urgent's turn each time, a trickle of those would keep what is more urgent than they waiting for ever.) Pages of an
 * inbox (get_messages) stay in strict order. The numbers are ours: 1 in 16 costs what is urgent 6 % of its throughput, and a
 * recipient that takes a message a second sees what waits alone within a minute.
 */
import { PRIORITIES } from '#shared/messages/model.ts';
import type { StoredInboxMessage } from './deliveries-repository.ts';

/** Of so many messages in a row one is the oldest of those passed over. */
export const FAIR_EVERY = 16;
/** ... once that has waited for so long, in milliseconds. */
export const FAIR_AFTER_MS = 30_000;

/** Whose turn it is, by inbox. Forgets everything with its process: a bound over a restart is twice as long. */
export class FairTurns {
  /** How many messages in a row went before less urgent ones; inboxes without are missing. */
  readonly #passed = new Map<string, number>();

  /**
   * A page of what is handed out next: `queued` is what comes next in strict order; `isAll` says that nothing else waits.
   * `oldestPassedOver` finds whose turn it would be: the oldest of those less urgent than a priority. A page in which somebody has
   * a turn ends before the next one: it may be shorter than `queued`.
   */
  page(
    recipient: string,
    queued: readonly StoredInboxMessage[],
    isAll: boolean,
    oldestPassedOver: (above: number) => StoredInboxMessage | undefined,
  ): readonly StoredInboxMessage[] {
    // Nobody is passed over.
    if (isAll) {
      this.#passed.delete(recipient);
      return queued;
    }
    const passed = this.#passed.get(recipient) ?? 0;
    const turnAt = FAIR_EVERY - 1 - passed;
    const next = queued[turnAt];
    if (!next) {
      this.#passed.set(recipient, passed + queued.length);
      return queued;
    }
    const fair = oldestPassedOver(PRIORITIES.indexOf(next.message.priority));
    if (!fair) {
      // The page is handed out in one moment, and in this moment nobody has a turn.
      this.#passed.set(recipient, 0);
      return queued;
    }
    const before = queued.slice(0, turnAt);
    const after = queued
      .slice(turnAt, -1)
      .filter(({ seq }) => seq !== fair.seq)
      .slice(0, FAIR_EVERY - 1);
    this.#passed.set(recipient, after.length);
    return [...before, fair, ...after];
  }

  /** Forgets an inbox's turns: somebody saw all of it, or it is gone. */
  forget(recipient: string): void {
    this.#passed.delete(recipient);
  }
}
