/**
 * SQL of the history: pages by key in both directions, with filters. Runs on the reader.
 *
 * A page walks a stream of places (./history-filter.ts) and looks at each message on it.
 * Invariant: it looks at `SCANNED_AT_MOST` places at most, so that it takes no longer than that however long the history
 * and however rare the matches; where it stopped is told, and the next page goes on from there.
 */
import * as z from 'zod';
import type { MessageId } from '#shared/kernel/ids.ts';
import type { Delivery, Message } from '#shared/messages/model.ts';
import { MAX_PAGE_CHARS } from '#shared/messages/model.ts';
import type { Db } from '#core/store/database.ts';
import { deliveriesOf } from './deliveries-repository.ts';
import type { Direction, HistoryFilter } from './history-filter.ts';
import { conditionsOf, streamOf } from './history-filter.ts';
import { MESSAGE_COLUMNS, messageOf, MessageRow } from './messages-repository.ts';

/** Most places that one page looks at. With 5,000, and a million messages stored, the worst filters took 25 ms (p95). */
export const SCANNED_AT_MOST = 3_000;
/** A page ends early when its messages have this many copies; it holds at least one message. */
export const MAX_PAGE_DELIVERIES = 5_000;

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

const SeqRow = z.object({ seq: z.number() });

/** Places that match, in the direction asked for, and where to go on; null when there is nothing beyond them. */
interface Found {
  readonly seqs: number[];
  readonly next: number | null;
}

/** What is walked. */
interface Walk {
  readonly db: Db;
  readonly filter: HistoryFilter;
  readonly scannedAtMost: number;
}

function find({ db, filter, scannedAtMost }: Walk, direction: Direction, from: number, limit: number): Found {
  const stream = streamOf(filter, direction, from, scannedAtMost);
  const conditions = conditionsOf(filter);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
  // Without an ORDER BY of its own, so that it stops at its limit: the join keeps the order of the stream.
  const seqs = db
    .prepare(`SELECT m.seq FROM (${stream.sql}) s CROSS JOIN messages m ON m.seq = s.seq ${where} LIMIT ?`)
    .all(...stream.params, ...conditions.flatMap(({ params }) => params), limit + 1)
    .map((row) => SeqRow.parse(row).seq);
  if (seqs.length > limit) return { seqs: seqs.slice(0, limit), next: seqs[limit - 1] ?? from };
  const last = db.prepare(`SELECT seq FROM (${stream.sql}) LIMIT 1 OFFSET ?`).get(...stream.params, scannedAtMost - 1);
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

function pageAround(walk: Walk, time: number, limit: number, room: Room): HistoryPage {
  const { db } = walk;
  const place = placeAt(db, time);
  const half: Room = { chars: room.chars / 2, deliveries: room.deliveries / 2 };
  const after = load(db, find(walk, 'newer', place - 1, Math.ceil(limit / 2)), place, half, true);
  const rest: Room = { chars: half.chars + room.chars / 2, deliveries: half.deliveries + room.deliveries / 2 };
  // Nothing that matches lies between the two halves, so the older one may begin at a message that is there.
  const from = after.placed[0]?.seq ?? place;
  const found = find(walk, 'older', from, limit - after.placed.length);
  const before = load(db, found, from, rest, after.placed.length === 0);
  return {
    ...pageOf(db, [...after.placed.toReversed(), ...before.placed]),
    hasMore: before.next !== null,
    older: idAt(db, before.next),
    newer: idAt(db, after.next),
  };
}

/** A page of the history; undefined when the message it is to begin at is unknown. */
export function historyPage(db: Db, args: HistoryArgs, scannedAtMost = SCANNED_AT_MOST): HistoryPage | undefined {
  const walk: Walk = { db, filter: args, scannedAtMost };
  const room: Room = { chars: MAX_PAGE_CHARS, deliveries: MAX_PAGE_DELIVERIES };
  if (args.around !== undefined) return pageAround(walk, args.around, args.limit, room);
  const direction = args.after === undefined ? 'older' : 'newer';
  const start = args.after ?? args.before;
  const from = start === undefined ? Number.MAX_SAFE_INTEGER : placeOf(db, start);
  if (from === undefined) return undefined;
  const { placed, next } = load(db, find(walk, direction, from, args.limit), from, room, true);
  const first = start === undefined ? null : (placed[0]?.message.id ?? null);
  const on = idAt(db, next);
  return {
    ...pageOf(db, placed),
    hasMore: on !== null,
    older: direction === 'older' ? on : first,
    newer: direction === 'newer' ? on : first,
  };
}
