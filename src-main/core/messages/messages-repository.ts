/**
 * SQL of messages and deliveries. Functions that change rows take a Tx; `messageReads` run on the reader.
 * A delivery's state is told by its times: queued until delivered_at is set, delivered until read_at is.
 */
import * as z from 'zod';
import type { MessageId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import type { Json } from '#shared/kernel/json.ts';
import type { Delivery, DeliveryState, InboxMessage, Message } from '#shared/messages/model.ts';
import { MAX_PAGE_CHARS, MessageKind, Originator, PRIORITIES, Sender } from '#shared/messages/model.ts';
import type { Db, SqlValue } from '#core/store/database.ts';
import { isWork } from './boundary-rule.ts';
import type { InboxCount } from './inbox-counters.ts';

const Row = z.object({
  seq: z.number(),
  id: z.string(),
  project_id: z.string(),
  session_id: z.string(),
  from_kind: Sender.shape.kind,
  from_id: z.string(),
  addressed_to: z.string(),
  recipients: z.string(),
  kind: MessageKind,
  priority: z.number(),
  subject: z.string().nullable(),
  body: z.string(),
  data: z.string().nullable(),
  in_reply_to: z.string().nullable(),
  thread_id: z.string(),
  originator: z.string(),
  sent_at: z.number(),
});
type Row = z.infer<typeof Row>;

const COLUMNS =
  'm.seq, m.id, m.project_id, m.session_id, m.from_kind, m.from_id, m.addressed_to, m.recipients, m.kind, m.priority, m.subject, m.body, m.data, m.in_reply_to, m.thread_id, m.originator, m.sent_at';

/** A message and its place in the order of storing. */
export interface StoredMessage {
  readonly seq: number;
  readonly message: Message;
}

/** A message in an inbox, and its place in the order of storing. */
export interface StoredInboxMessage {
  readonly seq: number;
  readonly message: InboxMessage;
}

const Texts = z.array(z.string());

function messageOf(r: Row): Message {
  return {
    // The ids were minted and checked when the row was written.
    id: r.id as MessageId,
    projectId: r.project_id as ProjectId,
    sessionId: r.session_id as SessionId,
    from: { kind: r.from_kind, id: r.from_id },
    to: Texts.parse(JSON.parse(r.addressed_to)),
    recipients: Texts.parse(JSON.parse(r.recipients)),
    kind: r.kind,
    priority: PRIORITIES[r.priority] ?? 'normal',
    subject: r.subject,
    body: r.body,
    data: r.data === null ? null : (JSON.parse(r.data) as Json),
    inReplyTo: r.in_reply_to as MessageId | null,
    threadId: r.thread_id as MessageId,
    originator: Originator.parse(JSON.parse(r.originator)),
    sentAt: r.sent_at,
    expiresAt: null,
  };
}

/** The first rows that fit into a page; at least one. */
function fitting<T extends { body: string; data: string | null }>(rows: readonly T[]): T[] {
  let chars = 0;
  const end = rows.findIndex((row, index) => {
    chars += row.body.length + (row.data?.length ?? 0);
    return index > 0 && chars > MAX_PAGE_CHARS;
  });
  return end === -1 ? [...rows] : rows.slice(0, end);
}

/** What is stored besides the message itself. */
export interface Insertion {
  readonly message: Message;
  /** `message.data` as JSON text, so that it is made once. */
  readonly dataText: string | null;
  readonly idempotencyKey: string | null;
}

/** Stores a message and a queued delivery for each recipient. */
export function insertMessage(db: Db, { message: m, dataText, idempotencyKey }: Insertion): void {
  const priority = PRIORITIES.indexOf(m.priority);
  const row = db
    .prepare(
      `INSERT INTO messages (id, project_id, session_id, from_kind, from_id, recipients, addressed_to, kind, priority, subject, body, data, in_reply_to, thread_id, originator, idempotency_key, sent_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`,
    )
    .get(
      m.id,
      m.projectId,
      m.sessionId,
      m.from.kind,
      m.from.id,
      JSON.stringify(m.recipients),
      JSON.stringify(m.to),
      m.kind,
      priority,
      m.subject,
      m.body,
      dataText,
      m.inReplyTo,
      m.threadId,
      JSON.stringify(m.originator),
      idempotencyKey,
      m.sentAt,
    );
  const { seq } = SeqRow.parse(row);
  const insert = db.prepare(
    'INSERT INTO deliveries (message_seq, recipient, project_id, priority, queued_at) VALUES (?, ?, ?, ?, ?)',
  );
  for (const recipient of m.recipients) insert.run(seq, recipient, m.projectId, priority, m.sentAt);
}

const SeqRow = z.object({ seq: z.number() });

function one(row: unknown): StoredMessage | undefined {
  if (row === undefined) return undefined;
  const parsed = Row.parse(row);
  return { seq: parsed.seq, message: messageOf(parsed) };
}

/** A message by its id. */
export function findMessage(db: Db, id: string): StoredMessage | undefined {
  return one(db.prepare(`SELECT ${COLUMNS} FROM messages m WHERE m.id = ?`).get(id));
}

/** What a sender sent under a key before. */
export function findByKey(db: Db, from: Sender, key: string): StoredMessage | undefined {
  return one(
    db
      .prepare(`SELECT ${COLUMNS} FROM messages m WHERE m.from_kind = ? AND m.from_id = ? AND m.idempotency_key = ?`)
      .get(from.kind, from.id, key),
  );
}

/** Whether a project is known. */
export function hasProject(db: Db, id: string): boolean {
  return db.prepare('SELECT 1 FROM projects WHERE id = ?').get(id) !== undefined;
}

/** A place in an inbox's order: after every message that is more urgent, or as urgent and older. */
interface InboxPlace {
  readonly priority: number;
  readonly seq: number;
}

const START: InboxPlace = { priority: -1, seq: 0 };
const InboxRow = Row.extend({ delivered_at: z.number().nullable(), read_at: z.number().nullable() });

function stateOf(times: { delivered_at: number | null; read_at: number | null }): DeliveryState {
  if (times.read_at !== null) return 'read';
  return times.delivered_at === null ? 'queued' : 'delivered';
}

/** The index is named so that a page never depends on the planner's guess, and fails in tests if it could not be used. */
function inboxRows(
  db: Db,
  index: 'deliveries_queued' | 'deliveries_unread' | 'deliveries_by_recipient',
  recipient: string,
  after: InboxPlace,
  limit: number,
): StoredInboxMessage[] {
  const condition = {
    deliveries_queued: 'AND d.delivered_at IS NULL',
    deliveries_unread: 'AND d.read_at IS NULL',
    deliveries_by_recipient: '',
  }[index];
  const rows = db
    .prepare(
      `SELECT ${COLUMNS}, d.delivered_at, d.read_at FROM deliveries d INDEXED BY ${index} CROSS JOIN messages m ON m.seq = d.message_seq
       WHERE d.recipient = ? ${condition} AND (d.priority, d.message_seq) > (?, ?) ORDER BY d.priority, d.message_seq LIMIT ?`,
    )
    .all(recipient, after.priority, after.seq, limit)
    .map((row) => InboxRow.parse(row));
  return fitting(rows).map((row) => ({ seq: row.seq, message: { ...messageOf(row), state: stateOf(row) } }));
}

/** What a page of an inbox is asked with. */
export interface InboxArgs {
  readonly recipient: string;
  readonly unreadOnly: boolean;
  readonly limit: number;
  /** Id of the last message of the page before. */
  readonly after?: string | undefined;
}

/** A page of an inbox, most urgent first, then oldest first; undefined when `after` is not in that inbox. */
export function inboxPage(db: Db, args: InboxArgs): StoredInboxMessage[] | undefined {
  let after = START;
  if (args.after !== undefined) {
    const place = db
      .prepare(
        'SELECT d.priority, d.message_seq AS seq FROM messages m CROSS JOIN deliveries d ON d.message_seq = m.seq WHERE m.id = ? AND d.recipient = ?',
      )
      .get(args.after, args.recipient);
    if (place === undefined) return undefined;
    after = z.object({ priority: z.number(), seq: z.number() }).parse(place);
  }
  return inboxRows(db, args.unreadOnly ? 'deliveries_unread' : 'deliveries_by_recipient', args.recipient, after, args.limit);
}

/** What was never handed out, in order. */
export function queuedMessages(db: Db, recipient: string, limit: number): StoredInboxMessage[] {
  return inboxRows(db, 'deliveries_queued', recipient, START, limit);
}

/** Marks a queued delivery as handed out. */
export function markDelivered(db: Db, seq: number, recipient: string, at: number): void {
  db.prepare('UPDATE deliveries SET delivered_at = ? WHERE message_seq = ? AND recipient = ? AND delivered_at IS NULL').run(
    at,
    seq,
    recipient,
  );
}

/** A delivery as acknowledging needs it. */
export interface FoundDelivery {
  readonly seq: number;
  readonly isWork: boolean;
  readonly state: DeliveryState;
}

const FoundRow = z.object({
  seq: z.number(),
  kind: MessageKind,
  delivered_at: z.number().nullable(),
  read_at: z.number().nullable(),
});

/** A message's copy in one inbox; undefined when there is none. */
export function findDelivery(db: Db, messageId: string, recipient: string): FoundDelivery | undefined {
  const row = db
    .prepare(
      'SELECT m.seq, m.kind, d.delivered_at, d.read_at FROM messages m CROSS JOIN deliveries d ON d.message_seq = m.seq WHERE m.id = ? AND d.recipient = ?',
    )
    .get(messageId, recipient);
  if (row === undefined) return undefined;
  const found = FoundRow.parse(row);
  return { seq: found.seq, isWork: isWork(found.kind), state: stateOf(found) };
}

/** Acknowledges a delivery; one that was never handed out counts as handed out now. */
export function markRead(db: Db, seq: number, recipient: string, at: number): void {
  db.prepare(
    'UPDATE deliveries SET read_at = ?, delivered_at = coalesce(delivered_at, ?) WHERE message_seq = ? AND recipient = ? AND read_at IS NULL',
  ).run(at, at, seq, recipient);
}

const CountRow = z.object({ recipient: z.string(), queued: z.number(), unread: z.number(), held: z.number() });

/** What stands in every inbox that is not empty. For start-up. */
export function countInboxes(db: Db): (readonly [string, InboxCount])[] {
  return db
    .prepare(
      `SELECT d.recipient, sum(d.delivered_at IS NULL) AS queued, count(*) AS unread, sum(d.delivered_at IS NOT NULL AND m.kind IN ('task', 'request')) AS held
       FROM deliveries d INDEXED BY deliveries_unread CROSS JOIN messages m ON m.seq = d.message_seq WHERE d.read_at IS NULL GROUP BY d.recipient`,
    )
    .all()
    .map((row) => {
      const { recipient, ...count } = CountRow.parse(row);
      return [recipient, count] as const;
    });
}

/** What a page of the history is asked with. */
export interface HistoryArgs {
  readonly projectId?: string | undefined;
  readonly participant?: string | undefined;
  readonly kind?: string | undefined;
  readonly threadId?: string | undefined;
  /** Id of the last message of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
}

/** The newest messages that pass the filters, by their place, newest first. */
function historySeqs(db: Db, args: HistoryArgs, before: number): number[] {
  const conditions = ['m.seq < ?'];
  const params: SqlValue[] = [before];
  const add = (column: string, value: string | undefined): void => {
    if (value === undefined) return;
    conditions.push(`m.${column} = ?`);
    params.push(value);
  };
  add('project_id', args.projectId);
  add('kind', args.kind);
  add('thread_id', args.threadId);
  const where = conditions.join(' AND ');
  const limit = args.limit + 1;
  const seqs = (sql: string, ...first: SqlValue[]): number[] =>
    db
      .prepare(sql)
      .all(...first, ...params, limit)
      .map((row) => SeqRow.parse(row).seq);
  if (args.participant === undefined) return seqs(`SELECT m.seq FROM messages m WHERE ${where} ORDER BY m.seq DESC LIMIT ?`);
  // Each stream comes sorted from its index; the newest of all of them make the page.
  const sent = seqs(
    `SELECT m.seq FROM messages m INDEXED BY messages_by_sender WHERE m.from_id = ? AND ${where} ORDER BY m.seq DESC LIMIT ?`,
    args.participant,
  );
  const received = PRIORITIES.flatMap((_name, priority) =>
    seqs(
      `SELECT m.seq FROM deliveries d INDEXED BY deliveries_by_recipient CROSS JOIN messages m ON m.seq = d.message_seq
       WHERE d.recipient = ? AND d.priority = ? AND d.message_seq < ? AND ${where} ORDER BY d.message_seq DESC LIMIT ?`,
      args.participant ?? '',
      priority,
      before,
    ),
  );
  return [...new Set([...sent, ...received])].sort((a, b) => b - a).slice(0, limit);
}

const DeliveryRow = z.object({
  recipient: z.string(),
  queued_at: z.number(),
  delivered_at: z.number().nullable(),
  read_at: z.number().nullable(),
});

/** Reads of messages, run by the reader. */
export const messageReads = {
  /** How many messages were ever sent, and how many deliveries are unread now. */
  'messages.counts': (db: Db, _args: Record<string, never>): { messages: number; unread: number } =>
    z
      .object({ messages: z.number(), unread: z.number() })
      .parse(
        db
          .prepare(
            'SELECT (SELECT coalesce(max(seq), 0) FROM messages) AS messages, (SELECT count(*) FROM deliveries INDEXED BY deliveries_unread WHERE read_at IS NULL) AS unread',
          )
          .get(),
      ),

  /** A page of the history, newest first; undefined when `before` is unknown. */
  'messages.history': (db: Db, args: HistoryArgs): { messages: Message[]; hasMore: boolean } | undefined => {
    let before = Number.MAX_SAFE_INTEGER;
    if (args.before !== undefined) {
      const row = db.prepare('SELECT seq FROM messages WHERE id = ?').get(args.before);
      if (row === undefined) return undefined;
      before = SeqRow.parse(row).seq;
    }
    const found = historySeqs(db, args, before);
    const select = db.prepare(`SELECT ${COLUMNS} FROM messages m WHERE m.seq = ?`);
    const rows = fitting(found.slice(0, args.limit).map((seq) => Row.parse(select.get(seq))));
    return { messages: rows.map(messageOf), hasMore: rows.length < found.length };
  },

  /** One message and where each copy stands; undefined when there is none. */
  'messages.one': (db: Db, args: { id: string }): { message: Message; deliveries: Delivery[] } | undefined => {
    const stored = findMessage(db, args.id);
    if (!stored) return undefined;
    const deliveries = db
      .prepare('SELECT recipient, queued_at, delivered_at, read_at FROM deliveries WHERE message_seq = ? ORDER BY recipient')
      .all(stored.seq)
      .map((row) => {
        const d = DeliveryRow.parse(row);
        return {
          messageId: stored.message.id,
          recipient: d.recipient,
          state: stateOf(d),
          queuedAt: d.queued_at,
          deliveredAt: d.delivered_at,
          readAt: d.read_at,
          deadAt: null,
          deadReason: null,
        };
      });
    return { message: stored.message, deliveries };
  },

  /** A page of an inbox, changing nothing; undefined when `after` is not in that inbox. */
  'messages.inbox': (db: Db, args: InboxArgs): InboxMessage[] | undefined => inboxPage(db, args)?.map((stored) => stored.message),
};
