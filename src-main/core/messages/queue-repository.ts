/** SQL of looking at an inbox as it stands, and of finding an answer. Runs on the reader, changes nothing. */
import * as z from 'zod';
import type { MessageId } from '#shared/kernel/ids.ts';
import type { Delivery, InboxMessage, Message } from '#shared/messages/model.ts';
import type { Db } from '#core/store/database.ts';
import { deliveriesOf, oldestQueued } from './deliveries-repository.ts';
import { findMessage, MESSAGE_COLUMNS, messageOf, MessageRow } from './messages-repository.ts';

/** What a page of a queue is asked with. */
export interface QueueArgs {
  readonly recipient: string;
  /** Id of the last message of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A page of what is not acknowledged in an inbox, in the order in which it is handed out. */
export interface QueuePage {
  readonly messages: Message[];
  readonly deliveries: Delivery[];
  readonly oldestQueuedAt: number | null;
  readonly next: MessageId | null;
}

const PlaceRow = z.object({ priority: z.number(), seq: z.number() });
const START = { priority: -1, seq: 0 };

/** A page of what is not acknowledged in an inbox, held back or not; undefined when `after` is not in that inbox. */
export function queuePage(db: Db, { recipient, after, limit }: QueueArgs): QueuePage | undefined {
  const place =
    after === undefined
      ? START
      : db
          .prepare(
            'SELECT d.priority, d.message_seq AS seq FROM messages m CROSS JOIN deliveries d ON d.message_seq = m.seq WHERE m.id = ? AND d.recipient = ?',
          )
          .get(after, recipient);
  if (place === undefined) return undefined;
  const from = PlaceRow.parse(place);
  const found = db
    .prepare(
      `SELECT ${MESSAGE_COLUMNS} FROM deliveries d INDEXED BY deliveries_unread CROSS JOIN messages m ON m.seq = d.message_seq
       WHERE d.recipient = ? AND d.read_at IS NULL AND d.dead_at IS NULL AND (d.priority, d.message_seq) > (?, ?)
       ORDER BY d.priority, d.message_seq LIMIT ?`,
    )
    .all(recipient, from.priority, from.seq, limit + 1)
    .map((row) => MessageRow.parse(row));
  const rows = found.slice(0, limit);
  const messages = rows.map((row) => messageOf(row));
  const deliveries = deliveriesOf(
    db,
    rows.map((row, index) => ({ seq: row.seq, id: messages[index]?.id ?? (row.id as MessageId) })),
  ).filter((copy) => copy.recipient === recipient);
  return {
    messages,
    deliveries,
    oldestQueuedAt: oldestQueued(db, [{ recipient }])[0] ?? null,
    next: found.length > limit ? (messages.at(-1)?.id ?? null) : null,
  };
}

/** The reply to a request in an inbox, else the core's word that none will come; the newest of them; undefined when there is none. */
export function replyTo(db: Db, id: string, recipient: string): InboxMessage | undefined {
  const request = findMessage(db, id);
  if (!request) return undefined;
  const row = db
    .prepare(
      `SELECT ${MESSAGE_COLUMNS} FROM messages m INDEXED BY messages_by_thread
       CROSS JOIN deliveries d ON d.message_seq = m.seq AND d.recipient = ?
       WHERE m.thread_id = ? AND m.in_reply_to = ? AND d.dead_at IS NULL AND d.held_until IS NULL
         AND (m.kind = 'reply' OR (m.kind = 'event' AND m.from_kind = 'system'))
       ORDER BY m.kind = 'reply' DESC, m.seq DESC LIMIT 1`,
    )
    .get(recipient, request.message.threadId, id);
  if (row === undefined) return undefined;
  const parsed = MessageRow.parse(row);
  const message = messageOf(parsed);
  const copy = deliveriesOf(db, [{ seq: parsed.seq, id: message.id }]).find((delivery) => delivery.recipient === recipient);
  return copy && { ...message, state: copy.state, attempts: copy.attempts, leasedUntil: copy.leasedUntil };
}
