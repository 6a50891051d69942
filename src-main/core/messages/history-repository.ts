/**
 * SQL of the history: pages by key in both directions, with filters. Runs on the reader.
 *
 * A page walks one *stream* of places (`seq`), which an index gives sorted, and looks at each message on it. The stream is
 * that of the narrowest filter stated; it is merged from several where an index is sorted within priorities or kinds.
 * Invariant: a page looks at `SCANNED_AT_MOST` places at most, so that it takes no longer than that however long the
 * history and however rare the matches; where it stopped is told, and the next page goes on from there.
 */
import * as z from 'zod';
import type { MessageId } from '#shared/kernel/ids.ts';
import type { Delivery, Message } from '#shared/messages/model.ts';
import { MAX_PAGE_CHARS, MessageKind, OPERATOR, PRIORITIES } from '#shared/messages/model.ts';
import type { Db, SqlValue } from '#core/store/database.ts';
import { deliveriesOf } from './deliveries-repository.ts';
import { MESSAGE_COLUMNS, messageOf, MessageRow } from './messages-repository.ts';

/** Most places that one page looks at: about 15 ms on two cores of 2020 with a million messages stored. */
export const SCANNED_AT_MOST = 5_000;
/** A page ends early when its messages have this many copies; it holds at least one message. */
export const MAX_PAGE_DELIVERIES = 5_000;

/** What narrows a history down. */
export interface HistoryFilter {
  readonly projectId?: string | undefined;
  readonly participant?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly forOperator?: boolean | undefined;
  readonly kind?: MessageKind | undefined;
  readonly priority?: (typeof PRIORITIES)[number] | undefined;
  readonly state?: 'queued' | 'delivered' | 'read' | 'dead' | 'unsettled' | undefined;
  readonly threadId?: string | undefined;
}

/** What a page of the history is asked with; at most one of before, after and around. */
export interface HistoryArgs extends HistoryFilter {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  /** Milliseconds since 1970. */
  readonly around?: number | undefined;
  readonly limit: number;
}

/** A page of the history. */
export interface HistoryPage {
  readonly messages: Message[];
  readonly deliveries: Delivery[];
  /** Whether there is more in the direction asked for. */
  readonly hasMore: boolean;
  /** From where older ones go on; null when there are none. */
  readonly older: MessageId | null;
  /** From where newer ones go on; null when there were none. */
  readonly newer: MessageId | null;
}

/** A condition and its parameters. */
interface Part {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

type Direction = 'older' | 'newer';

/** How a delivery in each state is told. */
const STATE_SQL = {
  queued: 'd.delivered_at IS NULL AND d.dead_at IS NULL',
  delivered: 'd.delivered_at IS NOT NULL AND d.read_at IS NULL AND d.dead_at IS NULL',
  read: 'd.read_at IS NOT NULL',
  dead: 'd.dead_at IS NOT NULL',
  unsettled: 'd.read_at IS NULL AND d.dead_at IS NULL',
} as const;

/** What a message must be besides standing on the stream. All of it, whatever the stream has proved already. */
function conditionsOf(f: HistoryFilter): Part[] {
  const parts: Part[] = [];
  const column = (name: string, value: SqlValue | undefined): void => {
    if (value !== undefined) parts.push({ sql: `m.${name} = ?`, params: [value] });
  };
  const copy = (condition: string, ...params: SqlValue[]): Part => ({
    sql: `EXISTS (SELECT 1 FROM deliveries d WHERE d.message_seq = m.seq AND ${condition})`,
    params,
  });
  column('thread_id', f.threadId);
  column('from_id', f.from);
  column('kind', f.kind);
  column('priority', f.priority && PRIORITIES.indexOf(f.priority));
  column('project_id', f.projectId);
  if (f.participant !== undefined) {
    const received = copy('d.recipient = ?', f.participant);
    parts.push({ sql: `(m.from_id = ? OR ${received.sql})`, params: [f.participant, ...received.params] });
  }
  const recipients = recipientsOf(f);
  const state = f.state === undefined ? '' : ` AND ${STATE_SQL[f.state]}`;
  for (const recipient of recipients) parts.push(copy(`d.recipient = ?${state}`, recipient));
  if (f.state !== undefined && recipients.length === 0) parts.push(copy(STATE_SQL[f.state]));
  if (f.forOperator === false) {
    const { sql, params } = copy('d.recipient = ?', OPERATOR);
    parts.push({ sql: `NOT ${sql}`, params });
  }
  return parts;
}

/** Whose copies are asked for. */
function recipientsOf(f: HistoryFilter): string[] {
  return [...new Set([...(f.to === undefined ? [] : [f.to]), ...(f.forOperator === true ? [OPERATOR] : [])])];
}

/** One sorted stream of places: everything of `SELECT` but the bound and the order. */
const messageStream = (index: string, condition: string, ...params: SqlValue[]): Part => ({
  sql: `SELECT m.seq AS seq FROM messages m INDEXED BY ${index} WHERE ${condition} AND m.seq`,
  params,
});
const deliveryStream = (index: string, condition: string, ...params: SqlValue[]): Part => ({
  sql: `SELECT d.message_seq AS seq FROM deliveries d INDEXED BY ${index} WHERE ${condition} AND d.message_seq`,
  params,
});

const LEVELS = PRIORITIES.map((_name, level) => level);

/** What a recipient was sent: sorted within each priority, and what died apart. */
function received(recipient: string, f: HistoryFilter): Part[] {
  const levels = f.priority === undefined ? LEVELS : [PRIORITIES.indexOf(f.priority)];
  const live = (index: string, condition: string): Part[] =>
    levels.map((level) => deliveryStream(index, `d.recipient = ? AND d.priority = ? AND ${condition}`, recipient, level));
  const dead = deliveryStream('deliveries_dead_by_recipient', 'd.recipient = ? AND d.dead_at IS NOT NULL', recipient);
  switch (f.state) {
    case 'queued':
      return live('deliveries_queued', STATE_SQL.queued);
    case 'delivered':
    case 'unsettled':
      return live('deliveries_unread', STATE_SQL.unsettled);
    case 'dead':
      return [dead];
    case 'read':
      return live('deliveries_by_recipient', 'd.dead_at IS NULL');
    case undefined:
      return [...live('deliveries_by_recipient', 'd.dead_at IS NULL'), dead];
  }
}

/** The streams of the narrowest filter. Together they hold every match. */
function streamsOf(f: HistoryFilter): Part[] {
  const [recipient] = recipientsOf(f);
  if (f.threadId !== undefined) return [messageStream('messages_by_thread', 'm.thread_id = ?', f.threadId)];
  if (f.state !== undefined && f.state !== 'read' && recipient === undefined) {
    return f.state === 'dead'
      ? [deliveryStream('deliveries_dead', STATE_SQL.dead)]
      : [deliveryStream('deliveries_open', STATE_SQL.unsettled)];
  }
  if (recipient !== undefined) return received(recipient, f);
  if (f.from !== undefined) return [messageStream('messages_by_sender', 'm.from_id = ?', f.from)];
  if (f.participant !== undefined) {
    return [
      messageStream('messages_by_sender', 'm.from_id = ?', f.participant),
      ...received(f.participant, { priority: f.priority }),
    ];
  }
  if (f.kind !== undefined || f.priority !== undefined) {
    const kinds = f.kind === undefined ? MessageKind.options : [f.kind];
    const levels = f.priority === undefined ? LEVELS : [PRIORITIES.indexOf(f.priority)];
    return kinds.flatMap((kind) =>
      levels.map((level) => messageStream('messages_by_kind', 'm.kind = ? AND m.priority = ?', kind, level)),
    );
  }
  if (f.projectId !== undefined) return [messageStream('messages_by_project', 'm.project_id = ?', f.projectId)];
  return [{ sql: 'SELECT m.seq AS seq FROM messages m WHERE m.seq', params: [] }];
}

/** The streams as one, sorted and each place once, at most `SCANNED_AT_MOST` long: SQLite merges them as it walks. */
function merged(f: HistoryFilter, direction: Direction, from: number): Part {
  const [comparison, order] = direction === 'older' ? ['<', 'DESC'] : ['>', 'ASC'];
  const streams = streamsOf(f);
  return {
    sql: `${streams.map(({ sql }) => `${sql} ${comparison} ?`).join(' UNION ')} ORDER BY seq ${order} LIMIT ${SCANNED_AT_MOST}`,
    params: streams.flatMap(({ params }) => [...params, from]),
  };
}

const SeqRow = z.object({ seq: z.number() });

/** Places that match, in the direction asked for, and where to go on; null when there is nothing beyond them. */
interface Found {
  readonly seqs: number[];
  readonly next: number | null;
}

function find(db: Db, f: HistoryFilter, direction: Direction, from: number, limit: number): Found {
  const stream = merged(f, direction, from);
  const conditions = conditionsOf(f);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
  // Without an ORDER BY of its own, so that it stops at its limit: the join keeps the order of the stream.
  const seqs = db
    .prepare(`SELECT m.seq FROM (${stream.sql}) s CROSS JOIN messages m ON m.seq = s.seq ${where} LIMIT ?`)
    .all(...stream.params, ...conditions.flatMap(({ params }) => params), limit + 1)
    .map((row) => SeqRow.parse(row).seq);
  if (seqs.length > limit) return { seqs: seqs.slice(0, limit), next: seqs[limit - 1] ?? from };
  const last = db.prepare(`SELECT seq FROM (${stream.sql}) LIMIT 1 OFFSET ${SCANNED_AT_MOST - 1}`).get(...stream.params);
  return { seqs, next: last === undefined ? null : SeqRow.parse(last).seq };
}

/** How much of a page is left. */
interface Room {
  chars: number;
  deliveries: number;
}

interface Placed {
  readonly seq: number;
  readonly message: Message;
}

/** Messages, and the place to go on from; null when there is nothing beyond them. */
interface Loaded {
  readonly placed: Placed[];
  readonly next: number | null;
}

/** The messages found from a place on that fit into the room that is left; at least one where `isFirst`. */
function load(db: Db, found: Found, from: number, room: Room, isFirst: boolean): Loaded {
  const select = db.prepare(`SELECT ${MESSAGE_COLUMNS} FROM messages m WHERE m.seq = ?`);
  const placed: Placed[] = [];
  for (const seq of found.seqs) {
    const row = MessageRow.parse(select.get(seq));
    const message = messageOf(row);
    room.chars -= row.body.length + (row.data?.length ?? 0);
    room.deliveries -= message.recipients.length;
    if ((room.chars < 0 || room.deliveries < 0) && !(isFirst && placed.length === 0))
      return { placed, next: placed.at(-1)?.seq ?? from };
    placed.push({ seq, message });
  }
  return { placed, next: found.next };
}

/** The first place that was not sent before a time. Places follow the clock but where it was set back: there it is one of several. */
function placeAt(db: Db, time: number): number {
  const sentAt = db.prepare('SELECT sent_at FROM messages WHERE seq <= ? ORDER BY seq DESC LIMIT 1');
  const Sent = z.object({ sent_at: z.number() });
  let low = 0;
  let high = z.object({ seq: z.number() }).parse(db.prepare('SELECT coalesce(max(seq), 0) + 1 AS seq FROM messages').get()).seq;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const row = sentAt.get(middle);
    if (row === undefined || Sent.parse(row).sent_at < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function placeOf(db: Db, id: string): number | undefined {
  const row = db.prepare('SELECT seq FROM messages WHERE id = ?').get(id);
  return row === undefined ? undefined : SeqRow.parse(row).seq;
}

function idAt(db: Db, seq: number | null): MessageId | null {
  if (seq === null) return null;
  const row = db.prepare('SELECT id FROM messages WHERE seq = ?').get(seq);
  // The ids were minted and checked when the row was written.
  return z.object({ id: z.string() }).parse(row).id as MessageId;
}

function pageOf(db: Db, placed: readonly Placed[]): Pick<HistoryPage, 'messages' | 'deliveries'> {
  return {
    messages: placed.map(({ message }) => message),
    deliveries: deliveriesOf(
      db,
      placed.map(({ seq, message }) => ({ seq, id: message.id })),
    ),
  };
}

function pageAround(db: Db, args: HistoryArgs, time: number, room: Room): HistoryPage {
  const place = placeAt(db, time);
  const half: Room = { chars: room.chars / 2, deliveries: room.deliveries / 2 };
  const after = load(db, find(db, args, 'newer', place - 1, Math.ceil(args.limit / 2)), place, half, true);
  const rest: Room = { chars: half.chars + room.chars / 2, deliveries: half.deliveries + room.deliveries / 2 };
  // Nothing that matches lies between the two halves, so the older one may begin at a message that is there.
  const from = after.placed[0]?.seq ?? place;
  const found = find(db, args, 'older', from, args.limit - after.placed.length);
  const before = load(db, found, from, rest, after.placed.length === 0);
  return {
    ...pageOf(db, [...after.placed.toReversed(), ...before.placed]),
    hasMore: before.next !== null,
    older: idAt(db, before.next),
    newer: idAt(db, after.next),
  };
}

/** A page of the history; undefined when the message it is to begin at is unknown. */
export function historyPage(db: Db, args: HistoryArgs): HistoryPage | undefined {
  const room: Room = { chars: MAX_PAGE_CHARS, deliveries: MAX_PAGE_DELIVERIES };
  if (args.around !== undefined) return pageAround(db, args, args.around, room);
  const direction = args.after === undefined ? 'older' : 'newer';
  const start = args.after ?? args.before;
  const from = start === undefined ? Number.MAX_SAFE_INTEGER : placeOf(db, start);
  if (from === undefined) return undefined;
  const { placed, next } = load(db, find(db, args, direction, from, args.limit), from, room, true);
  const first = start === undefined ? null : (placed[0]?.message.id ?? null);
  const on = idAt(db, next);
  return {
    ...pageOf(db, placed),
    hasMore: on !== null,
    older: direction === 'older' ? on : first,
    newer: direction === 'newer' ? on : first,
  };
}
