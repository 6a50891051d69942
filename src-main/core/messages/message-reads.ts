/** Reads of messages, run by the reader. */
import type { MessageId } from '#shared/kernel/ids.ts';
import type { DeadReason, Delivery, InboxMessage, Message } from '#shared/messages/model.ts';
import { isLetterOf } from '#shared/messages/model.ts';
import type { Db } from '#core/store/database.ts';
import type { InboxArgs, InboxPart } from './deliveries-repository.ts';
import { deliveriesOf, inboxPage, oldestQueued } from './deliveries-repository.ts';
import type { HistoryArgs, HistoryPage } from './history-repository.ts';
import { historyPage } from './history-repository.ts';
import { findMessage } from './messages-repository.ts';
import type { QueueArgs, QueuePage } from './queue-repository.ts';
import { queuePage, replyTo } from './queue-repository.ts';

/** What a page of dead copies is asked with. */
export interface DeadArgs {
  readonly projectId?: string | undefined;
  readonly to?: string | undefined;
  /** Undefined: dead letters only. */
  readonly reason?: DeadReason | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
}

/** Messages with dead copies, newest first, and these copies. */
export interface DeadPage {
  readonly messages: Message[];
  readonly deliveries: Delivery[];
  /** From where older ones go on; null when there are none. */
  readonly older: MessageId | null;
}

/** Reads of messages, run by the reader. */
export const messageReads = {
  /** A page of the history; undefined when the message it is to begin at is unknown. */
  'messages.history': (db: Db, args: HistoryArgs): HistoryPage | undefined => historyPage(db, args),

  /** One message and where each copy stands; undefined when there is none. */
  'messages.one': (db: Db, args: { id: string }): { message: Message; deliveries: Delivery[] } | undefined => {
    const stored = findMessage(db, args.id);
    if (!stored) return undefined;
    return { message: stored.message, deliveries: deliveriesOf(db, [{ seq: stored.seq, id: stored.message.id }]) };
  },

  /** A page of an inbox, changing nothing; undefined when `after` is not in that inbox. */
  'messages.inbox': (db: Db, args: InboxArgs): InboxMessage[] | undefined => inboxPage(db, args)?.map((stored) => stored.message),

  /** A page of dead copies; undefined when the message it is to begin at is unknown. */
  'messages.dead': (db: Db, args: DeadArgs): DeadPage | undefined => {
    const { to, reason } = args;
    const page = historyPage(db, { ...args, state: 'dead', deadOf: reason ?? 'letters' });
    if (!page) return undefined;
    const deliveries = page.deliveries.filter(
      (copy) =>
        copy.state === 'dead' &&
        (to === undefined || copy.recipient === to) &&
        (reason === undefined ? isLetterOf(copy.deadReason) : copy.deadReason === reason),
    );
    const dead = new Set(deliveries.map(({ messageId }) => messageId));
    return { messages: page.messages.filter(({ id }) => dead.has(id)), deliveries, older: page.older };
  },

  /** A page of what is not acknowledged in an inbox, held back or not; undefined when `after` is not in that inbox. */
  'messages.queue': (db: Db, args: QueueArgs): QueuePage | undefined => queuePage(db, args),

  /** The answer to a request in the inbox of whoever asked; undefined when there is none. */
  'messages.reply': (db: Db, args: { id: string; recipient: string }): InboxMessage | undefined =>
    replyTo(db, args.id, args.recipient),

  /** Since when the oldest delivery is queued in each of these inboxes. */
  'messages.oldest-queued': (db: Db, args: { inboxes: readonly InboxPart[] }): (number | null)[] =>
    oldestQueued(db, args.inboxes),
};
