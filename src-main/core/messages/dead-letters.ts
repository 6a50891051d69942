/**
 * How copies die and come back: expiry and lost leases tell it, senders take back, recipients are removed, the operator
 * retries. A step of one message is one write with one event.
 */
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import type { SenderFacts } from './compose-message.ts';
import type { DeliveryBook } from './delivery-book.ts';
import type { DueDeliveries } from './due-deliveries.ts';
import type { Death, MessageFacts } from './due-repository.ts';
import { killCopies, messageFacts, reviveCopies, unsettledOf } from './due-repository.ts';
import type { Inboxes } from './inboxes.ts';
import type { MessageInputs } from './message-draft.ts';
import { findMessage } from './messages-repository.ts';
import { refuseRetryOfImported } from './refuse-imported.ts';
import type { Tell } from './system-events.ts';

/** Messages of a removed agent that one write lets die. */
const DEATHS_PER_WRITE = 200;

/** What it works with. */
export interface DeadLettersOptions {
  readonly store: AppStore;
  readonly book: DeliveryBook;
  readonly inboxes: Inboxes;
  readonly due: Pick<DueDeliveries, 'in' | 'note'>;
  readonly now: () => number;
  readonly isRemoved: (recipient: string) => boolean;
  readonly tell: Tell;
}

/** How copies die and come back. */
export class DeadLetters {
  readonly #o: DeadLettersOptions;

  constructor(options: DeadLettersOptions) {
    this.#o = options;
  }

  /** Inside a write: lets copies of a message die, with one event. Returns those that did, by recipient. */
  kill(tx: Tx, message: MessageFacts, death: Omit<Death, 'at'>, caller: Caller = CORE) {
    const at = this.#o.now();
    const { copies, isCounted } = killCopies(tx, message, { ...death, at });
    if (copies.length === 0) return copies;
    const recipients = copies.map(({ copy }) => copy.recipient);
    tx.record(event(envelope(message, caller), 'message.dead', { recipients, reason: death.reason, deadAt: at }));
    tx.afterCommit(() => {
      if (isCounted) this.#o.book.counters.addMessages(message.projectId, { dead: 1 });
      for (const { copy, place, attempts } of copies) {
        this.#o.book.move(copy, place, { place: undefined, state: 'dead', attempts, leasedUntil: null });
        if (copy.isWork && place === 'delivered') this.#o.inboxes.onLost(copy.recipient);
      }
    });
    return copies;
  }

  /** Takes a message back. NOT_FOUND, or FORBIDDEN when it is somebody else's. */
  async cancel({ id }: MessageInputs['cancel'], caller: Caller, sender: SenderFacts) {
    return this.#o.store.write((tx) => {
      const message = messageFacts(tx, id);
      if (!message) throw unknownMessage(id);
      const isOwn = message.from.kind === sender.from.kind && message.from.id === sender.from.id;
      if (!isOwn && !(caller.agentId === undefined && caller.role === 'operator'))
        throw new AppError('FORBIDDEN', `Message ${id} was not sent by you, so you cannot take it back. Nothing was changed.`);
      const copies = this.kill(tx, message, { reason: 'cancelled' }, caller);
      const holders = copies.filter(({ place }) => place === 'delivered').map(({ copy }) => copy.recipient);
      for (const recipient of holders)
        this.#o.tell(tx, recipient, {
          about: message,
          body: `Taken back by its sender: "${message.title}". Stop working on it; it needs no reply.`,
          data: { reason: 'cancelled', messageId: message.id },
        });
      return outcomes(tx, message.seq);
    });
  }

  /** Brings dead copies back. NOT_FOUND, or CONFLICT when a recipient that was named is removed. */
  async retry({ id, recipients }: MessageInputs['retry'], caller: Caller): Promise<{ retried: string[] }> {
    return this.#o.store.write((tx) => {
      const message = messageFacts(tx, id);
      const stored = message && findMessage(tx, id);
      if (!stored) throw unknownMessage(id);
      refuseRetryOfImported(tx, stored.message);
      const removed = recipients?.find((recipient) => this.#o.isRemoved(recipient));
      if (removed !== undefined)
        throw new AppError(
          'CONFLICT',
          `Agent "${removed}" was removed: nobody can read that copy. Nothing was changed. Send the message to somebody else.`,
        );
      const wanted = (recipients ?? stored.message.recipients).filter((recipient) => !this.#o.isRemoved(recipient));
      const expiresAt = stored.ttlMs === null ? null : this.#o.due.in(stored.ttlMs);
      const { copies, isCounted } = reviveCopies(tx, message, wanted, expiresAt);
      const retried = copies.map(({ copy }) => copy.recipient);
      if (retried.length === 0) return { retried };
      tx.record(event(envelope(message, caller), 'message.retried', { recipients: retried }));
      tx.afterCommit(() => {
        if (isCounted) this.#o.book.counters.addMessages(message.projectId, { dead: -1 });
        for (const { copy } of copies)
          this.#o.book.move(copy, undefined, { place: 'queued', state: 'queued', attempts: 0, leasedUntil: null });
        if (expiresAt !== null) this.#o.due.note(expiresAt);
        this.#o.inboxes.onQueued(retried);
      });
      this.#o.inboxes.beforeQueued(retried);
      return { retried };
    });
  }

  /** An agent was removed: nothing will ever be handed to it. */
  async bury(recipient: AgentId): Promise<void> {
    const some = (tx: Tx): boolean => {
      const messages = unsettledOf(tx, recipient, DEATHS_PER_WRITE);
      for (const message of messages) this.kill(tx, message, { reason: 'recipient-removed', recipient });
      return messages.length === DEATHS_PER_WRITE;
    };
    while (await this.#o.store.write(some));
  }
}

function envelope(message: MessageFacts, caller: Caller) {
  // The id was minted and checked when the row was written.
  return { projectId: message.projectId as ProjectId, actor: caller.actor, door: caller.door, subject: message.id };
}

function outcomes(tx: Tx, seq: number): { cancelled: string[]; acknowledged: string[] } {
  const recipients = (where: string): string[] =>
    tx
      .prepare(`SELECT recipient FROM deliveries WHERE message_seq = ? AND ${where} ORDER BY recipient`)
      .all(seq)
      .map((row) => (row as { recipient: string }).recipient);
  return { cancelled: recipients("dead_reason = 'cancelled'"), acknowledged: recipients('read_at IS NOT NULL') };
}

function unknownMessage(id: string): AppError {
  return new AppError('NOT_FOUND', `There is no message ${id}. Find ids with list_messages.`, { data: { messageId: id } });
}
