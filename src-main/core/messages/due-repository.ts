/** SQL of what becomes of deliveries without their recipient: what is due, dying, coming back, whose answer is waited for. */
import * as z from 'zod';
import type { MessageId } from '#shared/kernel/ids.ts';
import type { DeadReason } from '#shared/messages/model.ts';
import { isLetterOf, MessageKind, Sender } from '#shared/messages/model.ts';
import type { Db } from '#core/store/database.ts';
import { isWork } from './boundary-rule.ts';
import type { Copy, Place } from './inbox-count.ts';
import { placeOf } from './inbox-count.ts';
import { countDead, hasDeadLetter } from './messages-repository.ts';

/** A message as this file speaks of it. */
export interface MessageFacts {
  readonly seq: number;
  readonly id: MessageId;
  readonly projectId: string;
  readonly isWork: boolean;
  readonly from: Sender;
  /** What it is about: its subject, else the beginning of its body. */
  readonly title: string;
}

/** A delivery of which something becomes by itself. */
export interface DueDelivery {
  readonly message: MessageFacts;
  readonly copy: Copy;
  readonly place: Place | undefined;
  readonly attempts: number;
  /** What is due: it expires, its lease ends, it is held back no longer, or its answer is late. */
  readonly what: 'expired' | 'lease' | 'held' | 'reply';
}

const MESSAGE = `m.seq, m.id, m.project_id, m.kind, m.from_kind, m.from_id, coalesce(m.subject, substr(m.body, 1, 120)) AS title`;
const MessageRow = z.object({
  seq: z.number(),
  id: z.string(),
  project_id: z.string(),
  kind: MessageKind,
  from_kind: Sender.shape.kind,
  from_id: z.string(),
  title: z.string(),
});

const COPY = 'd.recipient, d.size, d.attempts, d.delivered_at, d.read_at, d.dead_at, d.held_until';
const CopyRow = z.object({
  recipient: z.string(),
  size: z.number(),
  attempts: z.number(),
  delivered_at: z.number().nullable(),
  read_at: z.number().nullable(),
  dead_at: z.number().nullable(),
  held_until: z.number().nullable(),
});

function factsOf(row: z.infer<typeof MessageRow>): MessageFacts {
  return {
    seq: row.seq,
    // The id was minted and checked when the row was written.
    id: row.id as MessageId,
    projectId: row.project_id,
    isWork: isWork(row.kind),
    from: { kind: row.from_kind, id: row.from_id },
    title: row.title,
  };
}

function copyOf(message: MessageFacts, row: { recipient: string; size: number }): Copy {
  const { id, projectId, isWork: wasWork } = message;
  return { messageId: id, recipient: row.recipient, projectId, isWork: wasWork, chars: row.size };
}

const DueRow = MessageRow.extend(CopyRow.shape).extend({
  due_at: z.number(),
  expires_at: z.number().nullable(),
  leased_until: z.number().nullable(),
});

/** The delivery that was due first, until then; undefined when there is none. */
export function firstDue(db: Db, until: number): DueDelivery | undefined {
  const found = db
    .prepare(
      `SELECT ${MESSAGE}, ${COPY}, d.due_at, d.expires_at, d.leased_until
       FROM deliveries d INDEXED BY deliveries_due CROSS JOIN messages m ON m.seq = d.message_seq
       WHERE d.due_at <= ? ORDER BY d.due_at, d.message_seq LIMIT 1`,
    )
    .get(until);
  if (found === undefined) return undefined;
  const row = DueRow.parse(found);
  const message = factsOf(row);
  const place = placeOf(row);
  const isDue = (at: number | null): boolean => at !== null && at <= until;
  const what =
    place !== undefined && isDue(row.expires_at)
      ? 'expired'
      : isDue(row.leased_until)
        ? 'lease'
        : isDue(row.held_until)
          ? 'held'
          : 'reply';
  return { message, copy: copyOf(message, row), place, attempts: row.attempts, what };
}

/** When the next delivery is due; undefined when none ever is. */
export function nextDue(db: Db): number | undefined {
  const row = db
    .prepare('SELECT due_at FROM deliveries INDEXED BY deliveries_due WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1')
    .get();
  return row === undefined ? undefined : z.object({ due_at: z.number() }).parse(row).due_at;
}

/** A queued delivery is held back no longer. */
export function letGo(db: Db, seq: number, recipient: string): void {
  db.prepare('UPDATE deliveries SET held_until = NULL WHERE message_seq = ? AND recipient = ?').run(seq, recipient);
}

/** A message, by its id; undefined when there is none. */
export function messageFacts(db: Db, id: string): MessageFacts | undefined {
  const row = db.prepare(`SELECT ${MESSAGE} FROM messages m WHERE m.id = ?`).get(id);
  return row === undefined ? undefined : factsOf(MessageRow.parse(row));
}

/** A copy that died, and where it stood. */
export interface DeadCopy {
  readonly copy: Copy;
  readonly place: Place;
  readonly attempts: number;
}

/** Which copies of a message die, and why. */
export interface Death {
  readonly at: number;
  readonly reason: DeadReason;
  /** Only this recipient's; undefined: everybody's. */
  readonly recipient?: string | undefined;
  /** Only those that expired by then. */
  readonly expiredUntil?: number | undefined;
}

/** What dying did. */
export interface Dead {
  readonly copies: readonly DeadCopy[];
  /** Whether the message became one with a dead letter, or is one no longer. */
  readonly isCounted: boolean;
}

/** Lets copies of a message die that are not settled; returns them, by recipient. Nobody waits any more for the answer to what was taken back. */
export function killCopies(db: Db, message: MessageFacts, death: Death): Dead {
  const { at, reason, recipient, expiredUntil } = death;
  const rows = db
    .prepare(
      `SELECT ${COPY} FROM deliveries d WHERE d.message_seq = ? AND d.read_at IS NULL AND d.dead_at IS NULL
         AND (? IS NULL OR d.recipient = ?) AND (? IS NULL OR d.expires_at <= ?) ORDER BY d.recipient`,
    )
    .all(message.seq, recipient ?? null, recipient ?? null, expiredUntil ?? null, expiredUntil ?? null)
    .map((row) => CopyRow.parse(row));
  if (rows.length === 0) return { copies: [], isCounted: false };
  const isCounted = isLetterOf(reason) && !hasDeadLetter(db, message.seq);
  const isOver = reason === 'cancelled' ? ', awaits_reply = 0, reply_by = NULL' : '';
  const kill = db.prepare(
    `UPDATE deliveries SET dead_at = ?, dead_reason = ?, leased_until = NULL, held_until = NULL${isOver} WHERE message_seq = ? AND recipient = ?`,
  );
  for (const row of rows) kill.run(at, reason, message.seq, row.recipient);
  if (isCounted) countDead(db, message.projectId, 1);
  const copies = rows.map((row) => ({
    copy: copyOf(message, row),
    place: placeOf(row) ?? 'queued',
    attempts: row.attempts,
  }));
  return { copies, isCounted };
}

/** Puts dead copies back into their inboxes, with attempts that begin anew; returns them. `expiresAt` is when they die now. */
export function reviveCopies(
  db: Db,
  message: MessageFacts,
  recipients: readonly string[] | undefined,
  expiresAt: number | null,
): Dead {
  const rows = db
    .prepare(`SELECT ${COPY} FROM deliveries d WHERE d.message_seq = ? AND d.dead_at IS NOT NULL ORDER BY d.recipient`)
    .all(message.seq)
    .map((row) => CopyRow.parse(row))
    .filter((row) => recipients === undefined || recipients.includes(row.recipient));
  const revive = db.prepare(
    `UPDATE deliveries SET dead_at = NULL, dead_reason = NULL, delivered_at = NULL, attempts = 0, expires_at = ?
     WHERE message_seq = ? AND recipient = ?`,
  );
  const hadLetter = hasDeadLetter(db, message.seq);
  for (const row of rows) revive.run(expiresAt, message.seq, row.recipient);
  const isCounted = hadLetter && !hasDeadLetter(db, message.seq);
  if (isCounted) countDead(db, message.projectId, -1);
  const copies = rows.map((row) => ({ copy: copyOf(message, row), place: 'queued' as const, attempts: 0 }));
  return { copies, isCounted };
}

/** A recipient answered: nobody waits for it any more. */
export function markAnswered(db: Db, seq: number, recipient: string): void {
  db.prepare(
    'UPDATE deliveries SET awaits_reply = 0, reply_by = NULL WHERE message_seq = ? AND recipient = ? AND awaits_reply = 1',
  ).run(seq, recipient);
}

/** Recipients whose answer to a message did not come by its deadline; they are not waited for any more. */
export function takeLate(db: Db, seq: number, until: number): string[] {
  return db
    .prepare(
      `UPDATE deliveries SET awaits_reply = 0, reply_by = NULL WHERE message_seq = ? AND reply_by <= ? RETURNING recipient`,
    )
    .all(seq, until)
    .map((row) => z.object({ recipient: z.string() }).parse(row).recipient)
    .sort();
}

/**
 * Messages whose answer by a recipient somebody waits for, oldest first; it is not waited for any more. Only those that were
 * sent until then, where a time is stated.
 */
export function takeAwaited(db: Db, recipient: string, sentUntil: number = Number.MAX_SAFE_INTEGER): MessageFacts[] {
  const rows = db
    .prepare(
      `SELECT ${MESSAGE} FROM deliveries d INDEXED BY deliveries_awaited CROSS JOIN messages m ON m.seq = d.message_seq
       WHERE d.recipient = ? AND d.awaits_reply = 1 AND m.sent_at <= ? ORDER BY d.message_seq`,
    )
    .all(recipient, sentUntil)
    .map((row) => factsOf(MessageRow.parse(row)));
  const settle = db.prepare('UPDATE deliveries SET awaits_reply = 0, reply_by = NULL WHERE message_seq = ? AND recipient = ?');
  for (const { seq } of rows) settle.run(seq, recipient);
  return rows;
}

/** Recipients whose answer to something is waited for. */
export function awaitedRecipients(db: Db): string[] {
  return db
    .prepare('SELECT DISTINCT recipient FROM deliveries INDEXED BY deliveries_awaited WHERE awaits_reply = 1')
    .all()
    .map((row) => z.object({ recipient: z.string() }).parse(row).recipient);
}

/** Messages that a recipient has not settled, at most so many. */
export function unsettledOf(db: Db, recipient: string, limit: number): MessageFacts[] {
  return db
    .prepare(
      `SELECT ${MESSAGE} FROM deliveries d INDEXED BY deliveries_unread CROSS JOIN messages m ON m.seq = d.message_seq
       WHERE d.recipient = ? AND d.read_at IS NULL AND d.dead_at IS NULL LIMIT ?`,
    )
    .all(recipient, limit)
    .map((row) => factsOf(MessageRow.parse(row)));
}
