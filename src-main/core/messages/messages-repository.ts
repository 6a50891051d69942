/** SQL of messages and of how many there are. Functions that change rows take a Tx. Deliveries: ./deliveries-repository.ts. */
import * as z from 'zod';
import type { MessageId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import type { Json } from '#shared/kernel/json.ts';
import type { Message } from '#shared/messages/model.ts';
import { Attachment } from '#shared/messages/attachment.ts';
import { MEANT_DEATHS, MessageKind, Originator, PRIORITIES, Sender } from '#shared/messages/model.ts';
import type { Db } from '#core/store/database.ts';

/** A message's row. */
export const MessageRow = z.object({
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
  ttl_ms: z.number().nullable(),
  expires_at: z.number().nullable(),
  topic: z.string().nullable(),
  attachments: z.string().nullable(),
  not_before: z.number().nullable(),
  reply_by: z.number().nullable(),
});
/** A message's row. */
export type MessageRow = z.infer<typeof MessageRow>;

/** The columns of a message's row, from `messages m`. */
export const MESSAGE_COLUMNS =
  'm.seq, m.id, m.project_id, m.session_id, m.from_kind, m.from_id, m.addressed_to, m.recipients, m.kind, m.priority, m.subject, m.body, m.data, m.in_reply_to, m.thread_id, m.originator, m.sent_at, m.ttl_ms, m.expires_at, m.topic, m.attachments, m.not_before, m.reply_by';

/** A message and its place in the order of storing. */
export interface StoredMessage {
  readonly seq: number;
  readonly message: Message;
  /** How long it was to live, in milliseconds; null: for ever. */
  readonly ttlMs: number | null;
}

const Texts = z.array(z.string());
const Attachments = z.array(Attachment);

/** The message in a row. */
export function messageOf(r: MessageRow): Message {
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
    expiresAt: r.expires_at,
    topic: r.topic,
    attachments: r.attachments === null ? [] : Attachments.parse(JSON.parse(r.attachments)),
    notBefore: r.not_before,
    replyBy: r.reply_by,
  };
}

/** What is stored besides the message itself. */
export interface Insertion {
  readonly message: Message;
  /** `message.data` as JSON text, so that it is made once. */
  readonly dataText: string | null;
  readonly idempotencyKey: string | null;
  /** How long it is to live, in milliseconds; null: for ever. */
  readonly ttlMs: number | null;
}

/** Stores a message, a queued delivery for each recipient, and that there is one more. Returns its place. */
export function insertMessage(db: Db, { message: m, dataText, idempotencyKey, ttlMs }: Insertion): number {
  const priority = PRIORITIES.indexOf(m.priority);
  const row = db
    .prepare(
      `INSERT INTO messages (id, project_id, session_id, from_kind, from_id, recipients, addressed_to, kind, priority, subject, body, data, in_reply_to, thread_id, originator, idempotency_key, sent_at, ttl_ms, expires_at, topic, attachments, not_before, reply_by)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING seq`,
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
      ttlMs,
      m.expiresAt,
      m.topic,
      m.attachments.length === 0 ? null : JSON.stringify(m.attachments),
      m.notBefore,
      m.replyBy,
    );
  const { seq } = SeqRow.parse(row);
  const insert = db.prepare(
    `INSERT INTO deliveries (message_seq, recipient, project_id, priority, queued_at, expires_at, held_until, reply_by, size, awaits_reply)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const awaits = awaitsReply(m) ? 1 : 0;
  const size = sizeOf(m.body, dataText);
  for (const recipient of m.recipients)
    insert.run(seq, recipient, m.projectId, priority, m.sentAt, m.expiresAt, m.notBefore, m.replyBy, size, awaits);
  db.prepare(
    `INSERT INTO message_counts (project_id, total, requests, dead) VALUES (?, 1, ?, 0)
     ON CONFLICT DO UPDATE SET total = total + 1, requests = requests + excluded.requests`,
  ).run(m.projectId, m.kind === 'request' ? 1 : 0);
  return seq;
}

/** What a message counts in an inbox: the characters of its body and of its data as JSON text. */
export function sizeOf(body: string, dataText: string | null): number {
  return body.length + (dataText?.length ?? 0);
}

/**
 * Whether somebody waits for an answer: a request, or a task that an agent gave. The operator sees what becomes of its own
 * tasks, and is not told of each that ends with its agent.
 */
function awaitsReply(m: Message): boolean {
  return m.kind === 'request' || (m.kind === 'task' && (m.from.kind === 'agent' || m.replyBy !== null));
}

const SeqRow = z.object({ seq: z.number() });

function one(row: unknown): StoredMessage | undefined {
  if (row === undefined) return undefined;
  const parsed = MessageRow.parse(row);
  return { seq: parsed.seq, message: messageOf(parsed), ttlMs: parsed.ttl_ms };
}

/** A message by its id. */
export function findMessage(db: Db, id: string): StoredMessage | undefined {
  return one(db.prepare(`SELECT ${MESSAGE_COLUMNS} FROM messages m WHERE m.id = ?`).get(id));
}

/** What a sender sent under a key before. */
export function findByKey(db: Db, from: Sender, key: string): StoredMessage | undefined {
  return one(
    db
      .prepare(`SELECT ${MESSAGE_COLUMNS} FROM messages m WHERE m.from_kind = ? AND m.from_id = ? AND m.idempotency_key = ?`)
      .get(from.kind, from.id, key),
  );
}

/** Whether a project is known. */
export function hasProject(db: Db, id: string): boolean {
  return db.prepare('SELECT 1 FROM projects WHERE id = ?').get(id) !== undefined;
}

/** How many messages a project has. */
export interface ProjectCount {
  readonly total: number;
  readonly requests: number;
  readonly dead: number;
}

const ProjectCountRow = z.object({ project_id: z.string(), total: z.number(), requests: z.number(), dead: z.number() });

/** How many messages each project has. For start-up. */
export function countProjects(db: Db): (readonly [string, ProjectCount])[] {
  return db
    .prepare('SELECT project_id, total, requests, dead FROM message_counts')
    .all()
    .map((row) => {
      const { project_id, ...count } = ProjectCountRow.parse(row);
      return [project_id, count] as const;
    });
}

/** SQL of whether a delivery is a dead letter: isLetterOf in the model. */
export const IS_DEAD_LETTER = `(dead_at IS NOT NULL AND dead_reason NOT IN (${MEANT_DEATHS.map((reason) => `'${reason}'`).join(', ')}))`;

/** Whether a message has a dead letter. */
export function hasDeadLetter(db: Db, seq: number): boolean {
  return db.prepare(`SELECT 1 FROM deliveries WHERE message_seq = ? AND ${IS_DEAD_LETTER} LIMIT 1`).get(seq) !== undefined;
}

/** Notes that so many more messages of a project have dead letters. */
export function countDead(db: Db, projectId: string, difference: 1 | -1): void {
  db.prepare('UPDATE message_counts SET dead = dead + ? WHERE project_id = ?').run(difference, projectId);
}
