/**
 * SQL of deliveries: inboxes, handing out, acknowledging. What becomes of them by themselves is in ./due-repository.ts.
 * A delivery's state is told by its times: queued until delivered_at is set, delivered until read_at is, dead once dead_at
 * is. One that is not read and whose time is up counts as dead before its row says so: nobody is handed it any more. A
 * queued one with held_until is handed to nobody until that is cleared.
 */
import * as z from 'zod';
import type { MessageId } from '#shared/kernel/ids.ts';
import type { Delivery, DeliveryState, InboxMessage } from '#shared/messages/model.ts';
import { MAX_PAGE_CHARS, MessageKind, PRIORITIES } from '#shared/messages/model.ts';
import type { Db } from '#core/store/database.ts';
import { isWork } from './boundary-rule.ts';
import type { Copy, CountedInbox, Place } from './inbox-count.ts';
import { placeOf } from './inbox-count.ts';
import { MESSAGE_COLUMNS, messageOf, MessageRow } from './messages-repository.ts';

/** A message in an inbox, and its place in the order of storing. */
export interface StoredInboxMessage {
  readonly seq: number;
  /** What it counts in the inbox. */
  readonly chars: number;
  readonly message: InboxMessage;
}

/** A place in an inbox's order: after every message that is more urgent, or as urgent and older. */
interface InboxPlace {
  readonly priority: number;
  readonly seq: number;
}

const START: InboxPlace = { priority: -1, seq: 0 };
const times = { delivered_at: z.number().nullable(), read_at: z.number().nullable() };
const InboxRow = MessageRow.extend({ ...times, attempts: z.number(), leased_until: z.number().nullable(), size: z.number() });

function stateOf(row: { delivered_at: number | null; read_at: number | null; dead_at?: number | null }): DeliveryState {
  if (typeof row.dead_at === 'number') return 'dead';
  if (row.read_at !== null) return 'read';
  return row.delivered_at === null ? 'queued' : 'delivered';
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

/** The index is named so that a page never depends on the planner's guess, and fails in tests if it could not be used. */
function inboxRows(
  db: Db,
  index: 'deliveries_queued' | 'deliveries_unread' | 'deliveries_by_recipient',
  recipient: string,
  after: InboxPlace,
  limit: number,
  expiredUntil: number,
): StoredInboxMessage[] {
  const condition = {
    deliveries_queued: 'AND d.delivered_at IS NULL AND d.held_until IS NULL',
    deliveries_unread: 'AND d.read_at IS NULL AND d.held_until IS NULL',
    deliveries_by_recipient: 'AND d.held_until IS NULL',
  }[index];
  const rows = db
    .prepare(
      `SELECT ${MESSAGE_COLUMNS}, d.delivered_at, d.read_at, d.attempts, d.leased_until, d.size FROM deliveries d INDEXED BY ${index} CROSS JOIN messages m ON m.seq = d.message_seq
       WHERE d.recipient = ? ${condition} AND d.dead_at IS NULL AND (d.expires_at IS NULL OR d.expires_at > ? OR d.read_at IS NOT NULL)
         AND (d.priority, d.message_seq) > (?, ?) ORDER BY d.priority, d.message_seq LIMIT ?`,
    )
    .all(recipient, expiredUntil, after.priority, after.seq, limit)
    .map((row) => InboxRow.parse(row));
  return fitting(rows).map((row) => ({
    seq: row.seq,
    chars: row.size,
    message: { ...messageOf(row), state: stateOf(row), attempts: row.attempts, leasedUntil: row.leased_until },
  }));
}

/** What a page of an inbox is asked with. */
export interface InboxArgs {
  readonly recipient: string;
  readonly unreadOnly: boolean;
  readonly limit: number;
  /** Id of the last message of the page before. */
  readonly after?: string | undefined;
  /** What expires then or earlier has expired. */
  readonly expiredUntil: number;
}

/** A page of an inbox, most urgent first, then oldest first, without the dead; undefined when `after` is not in that inbox. */
export function inboxPage(db: Db, args: InboxArgs): StoredInboxMessage[] | undefined {
  const { recipient, limit, expiredUntil } = args;
  let after = START;
  if (args.after !== undefined) {
    // Found also when it has died meanwhile: a page that was shown can always be gone on from.
    const place = db
      .prepare(
        'SELECT d.priority, d.message_seq AS seq FROM messages m CROSS JOIN deliveries d ON d.message_seq = m.seq WHERE m.id = ? AND d.recipient = ?',
      )
      .get(args.after, recipient);
    if (place === undefined) return undefined;
    after = z.object({ priority: z.number(), seq: z.number() }).parse(place);
  }
  return inboxRows(db, args.unreadOnly ? 'deliveries_unread' : 'deliveries_by_recipient', recipient, after, limit, expiredUntil);
}

/** What was never handed out, in order. */
export function queuedMessages(db: Db, recipient: string, limit: number, expiredUntil: number): StoredInboxMessage[] {
  return inboxRows(db, 'deliveries_queued', recipient, START, limit, expiredUntil);
}

/**
 * The oldest message that waits to be handed out among those less urgent than `above` (0 is the most urgent), if it waits
 * since `queuedBefore`; undefined otherwise. A step into the index for each priority.
 */
export function oldestPassedOver(
  db: Db,
  recipient: string,
  above: number,
  queuedBefore: number,
  expiredUntil: number,
): StoredInboxMessage | undefined {
  let oldest: StoredInboxMessage | undefined;
  for (let priority = above + 1; priority < PRIORITIES.length; priority += 1) {
    const [first] = inboxRows(db, 'deliveries_queued', recipient, { priority, seq: 0 }, 1, expiredUntil);
    if (!first) break;
    priority = PRIORITIES.indexOf(first.message.priority);
    const hasWaited = Math.max(first.message.sentAt, first.message.notBefore ?? 0) <= queuedBefore;
    if (hasWaited && (!oldest || first.seq < oldest.seq)) oldest = first;
  }
  return oldest;
}

/** Marks a queued delivery as handed out, for its recipient alone until `leasedUntil`; null: in no hurry. */
export function markDelivered(db: Db, seq: number, recipient: string, at: number, leasedUntil: number | null): void {
  db.prepare(
    'UPDATE deliveries SET delivered_at = ?, leased_until = ?, attempts = attempts + 1, held_until = NULL WHERE message_seq = ? AND recipient = ? AND delivered_at IS NULL',
  ).run(at, leasedUntil, seq, recipient);
}

/** A delivery as its recipient's calls need it. */
export interface FoundDelivery extends Copy {
  readonly seq: number;
  readonly state: DeliveryState;
  readonly place: Place | undefined;
  readonly attempts: number;
}

const FoundRow = z.object({
  seq: z.number(),
  project_id: z.string(),
  kind: MessageKind,
  ...times,
  dead_at: z.number().nullable(),
  expires_at: z.number().nullable(),
  held_until: z.number().nullable(),
  attempts: z.number(),
  size: z.number(),
});

/** A message's copy in one inbox; undefined when there is none. */
export function findDelivery(db: Db, messageId: string, recipient: string, expiredUntil: number): FoundDelivery | undefined {
  const row = db
    .prepare(
      `SELECT m.seq, m.project_id, m.kind, d.delivered_at, d.read_at, d.dead_at, d.expires_at, d.held_until, d.attempts, d.size
       FROM messages m CROSS JOIN deliveries d ON d.message_seq = m.seq WHERE m.id = ? AND d.recipient = ?`,
    )
    .get(messageId, recipient);
  if (row === undefined) return undefined;
  const found = FoundRow.parse(row);
  const isOver = found.read_at === null && found.expires_at !== null && found.expires_at <= expiredUntil;
  return {
    seq: found.seq,
    messageId,
    recipient,
    projectId: found.project_id,
    isWork: isWork(found.kind),
    chars: found.size,
    attempts: found.attempts,
    state: isOver ? 'dead' : stateOf(found),
    place: placeOf(found),
  };
}

/** Acknowledges a delivery; one that was never handed out counts as handed out now. */
export function markRead(db: Db, seq: number, recipient: string, at: number): void {
  db.prepare(
    `UPDATE deliveries SET read_at = ?, delivered_at = coalesce(delivered_at, ?), leased_until = NULL, held_until = NULL
     WHERE message_seq = ? AND recipient = ? AND read_at IS NULL`,
  ).run(at, at, seq, recipient);
}

/** Its recipient has a delivery for itself until then. */
export function setLease(db: Db, seq: number, recipient: string, leasedUntil: number): void {
  db.prepare('UPDATE deliveries SET leased_until = ? WHERE message_seq = ? AND recipient = ? AND leased_until IS NOT NULL').run(
    leasedUntil,
    seq,
    recipient,
  );
}

/** Puts a delivery that was handed out back into its inbox; handed to nobody before `heldUntil`. */
export function requeue(db: Db, seq: number, recipient: string, heldUntil: number | null): void {
  db.prepare(
    'UPDATE deliveries SET delivered_at = NULL, leased_until = NULL, held_until = ? WHERE message_seq = ? AND recipient = ?',
  ).run(heldUntil, seq, recipient);
}

const CountRow = z.object({
  recipient: z.string(),
  project_id: z.string(),
  queued: z.number(),
  delayed: z.number(),
  unread: z.number(),
  held: z.number(),
  chars: z.number(),
});

/** What stands in every inbox that is not empty, by project. For start-up. */
export function countInboxes(db: Db): CountedInbox[] {
  return db
    .prepare(
      `SELECT d.recipient, d.project_id, sum(d.delivered_at IS NULL AND d.held_until IS NULL) AS queued, sum(d.held_until IS NOT NULL) AS delayed,
         sum(d.held_until IS NULL) AS unread, sum(d.delivered_at IS NOT NULL AND m.kind IN ('task', 'request')) AS held, sum(d.size) AS chars
       FROM deliveries d INDEXED BY deliveries_unread CROSS JOIN messages m ON m.seq = d.message_seq
       WHERE d.read_at IS NULL AND d.dead_at IS NULL GROUP BY d.recipient, d.project_id`,
    )
    .all()
    .map((row) => {
      const { recipient, project_id, ...count } = CountRow.parse(row);
      return { recipient, projectId: project_id, count };
    });
}

const DeliveryRow = z.object({
  message_seq: z.number(),
  recipient: z.string(),
  queued_at: z.number(),
  ...times,
  dead_at: z.number().nullable(),
  dead_reason: z.string().nullable(),
  attempts: z.number(),
  leased_until: z.number().nullable(),
  held_until: z.number().nullable(),
});

/** The copies of messages, in the order given, then by recipient. One query, however many there are. */
export function deliveriesOf(db: Db, messages: readonly { seq: number; id: MessageId }[]): Delivery[] {
  const ids = new Map(messages.map(({ seq, id }) => [seq, id]));
  return db
    .prepare(
      `SELECT d.message_seq, d.recipient, d.queued_at, d.delivered_at, d.read_at, d.dead_at, d.dead_reason, d.attempts, d.leased_until, d.held_until
       FROM json_each(?) j CROSS JOIN deliveries d ON d.message_seq = j.value ORDER BY j.key, d.recipient`,
    )
    .all(JSON.stringify([...ids.keys()]))
    .flatMap((row) => {
      const d = DeliveryRow.parse(row);
      const messageId = ids.get(d.message_seq);
      if (messageId === undefined) return [];
      return {
        messageId,
        recipient: d.recipient,
        state: stateOf(d),
        queuedAt: d.queued_at,
        deliveredAt: d.delivered_at,
        readAt: d.read_at,
        deadAt: d.dead_at,
        deadReason: d.dead_reason,
        attempts: d.attempts,
        leasedUntil: d.leased_until,
        availableAt: d.held_until ?? d.queued_at,
      };
    });
}

/** An inbox, or one project's part of it. */
export interface InboxPart {
  readonly recipient: string;
  readonly projectId?: string | undefined;
}

/**
 * Since when the oldest delivery is queued in each of these inboxes; null where none is. Four steps into an index for
 * each; of an inbox of several projects (the operator's) one project's part is searched for.
 */
export function oldestQueued(db: Db, inboxes: readonly InboxPart[]): (number | null)[] {
  const Row = z.object({ seq: z.number(), at: z.number() });
  const select = (where: string) =>
    db.prepare(
      `SELECT message_seq AS seq, queued_at AS at FROM deliveries INDEXED BY deliveries_queued
       WHERE recipient = ? AND priority = ? AND delivered_at IS NULL AND dead_at IS NULL AND held_until IS NULL ${where} ORDER BY message_seq LIMIT 1`,
    );
  return inboxes.map(({ recipient, projectId }) => {
    const oldest = [0, 1, 2, 3].flatMap((priority) => {
      const row =
        projectId === undefined
          ? select('').get(recipient, priority)
          : select('AND project_id = ?').get(recipient, priority, projectId);
      return row === undefined ? [] : [Row.parse(row)];
    });
    return oldest.sort((a, b) => a.seq - b.seq)[0]?.at ?? null;
  });
}
