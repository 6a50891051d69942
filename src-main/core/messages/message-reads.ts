/** Reads of messages, run by the reader. */
import type { Delivery, InboxMessage, Message } from '#shared/messages/model.ts';
import type { Db } from '#core/store/database.ts';
import type { InboxArgs, InboxPart } from './deliveries-repository.ts';
import { deliveriesOf, inboxPage, oldestQueued } from './deliveries-repository.ts';
import type { HistoryArgs, HistoryPage } from './history-repository.ts';
import { historyPage } from './history-repository.ts';
import { findMessage } from './messages-repository.ts';

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

  /** Since when the oldest delivery is queued in each of these inboxes. */
  'messages.oldest-queued': (db: Db, args: { inboxes: readonly InboxPart[] }): (number | null)[] =>
    oldestQueued(db, args.inboxes),
};
