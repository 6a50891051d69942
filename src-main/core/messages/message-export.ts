/** Pieces of an export: messages as text, oldest first, made by the reader's thread. */
import * as z from 'zod';
import type { Delivery, Message } from '#shared/messages/model.ts';
import type { ExportFormat } from '#shared/sessions/export-filter.ts';
import type { DeliveryEnd, MessageLine } from '#shared/sessions/mirror-lines.ts';
import type { Db } from '#core/store/database.ts';
import { deliveriesOf } from './deliveries-repository.ts';
import type { HistoryFilter } from './history-filter.ts';
import { conditionsOf, streamOf } from './history-filter.ts';
import { MESSAGE_COLUMNS, messageOf, MessageRow } from './messages-repository.ts';

/** Messages of one piece, places that are looked at for it, and characters after which it ends; at least one message. */
const PIECE = { messages: 500, scanned: 3_000, chars: 512 * 1024 };

/** What a piece is asked with. */
export interface ExportArgs extends HistoryFilter {
  readonly format: ExportFormat;
  /** The place behind which it goes on; 0: from the beginning. */
  readonly after: number;
}

/** A piece of an export. */
export interface ExportPiece {
  readonly text: string;
  readonly messages: number;
  /** Where the next one goes on; null when this was the last. */
  readonly next: number | null;
}

const SeqRow = z.object({ seq: z.number() });

/** One piece. */
export function exportPiece(db: Db, { format, after, ...filter }: ExportArgs, piece = PIECE): ExportPiece {
  const stream = streamOf(filter, 'newer', after, piece.scanned);
  const conditions = conditionsOf(filter);
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.map(({ sql }) => sql).join(' AND ')}`;
  const seqs = db
    .prepare(`SELECT m.seq FROM (${stream.sql}) s CROSS JOIN messages m ON m.seq = s.seq ${where} LIMIT ?`)
    .all(...stream.params, ...conditions.flatMap(({ params }) => params), piece.messages)
    .map((row) => SeqRow.parse(row).seq);
  const scanned = db.prepare(`SELECT seq FROM (${stream.sql}) LIMIT 1 OFFSET ?`).get(...stream.params, piece.scanned - 1);
  let next = seqs.length === piece.messages ? (seqs.at(-1) ?? null) : scanned === undefined ? null : SeqRow.parse(scanned).seq;
  const select = db.prepare(`SELECT ${MESSAGE_COLUMNS} FROM messages m WHERE m.seq = ?`);
  const texts = after === 0 && format === 'csv' ? [csvRow(CSV_COLUMNS)] : [];
  let chars = 0;
  let count = 0;
  for (const seq of seqs) {
    const row = MessageRow.parse(select.get(seq));
    const message = messageOf(row);
    const deliveries = deliveriesOf(db, [{ seq, id: message.id }]);
    const text = format === 'csv' ? csvRow(cellsOf(message, deliveries)) : jsonLine(message, row.ttl_ms, deliveries);
    if (count > 0 && chars + text.length > piece.chars) break;
    texts.push(text);
    chars += text.length;
    count += 1;
    if (count < seqs.length) continue;
    return { text: texts.join(''), messages: count, next };
  }
  if (count > 0) next = seqs[count - 1] ?? next;
  return { text: texts.join(''), messages: count, next };
}

function jsonLine(message: Message, ttlMs: number | null, deliveries: readonly Delivery[]): string {
  const ends = deliveries.flatMap(({ recipient, state, readAt, deadAt, deliveredAt, deadReason }): DeliveryEnd[] =>
    state === 'read' || state === 'dead' ? [{ recipient, state, at: readAt ?? deadAt, deliveredAt, reason: deadReason }] : [],
  );
  return `${JSON.stringify({ type: 'message', message, ttlMs, ends } satisfies MessageLine)}\n`;
}

const CSV_COLUMNS = [
  'id',
  'sentAt',
  'from',
  'fromKind',
  'to',
  'recipients',
  'deliveries',
  'kind',
  'priority',
  'subject',
  'body',
  'data',
  'topic',
  'inReplyTo',
  'threadId',
  'projectId',
  'sessionId',
] as const;

function cellsOf(m: Message, deliveries: readonly Delivery[]): string[] {
  return [
    m.id,
    new Date(m.sentAt).toISOString(),
    m.from.id,
    m.from.kind,
    m.to.join(' '),
    m.recipients.join(' '),
    deliveries.map(({ recipient, state }) => `${recipient}:${state}`).join(' '),
    m.kind,
    m.priority,
    m.subject ?? '',
    m.body,
    m.data === null ? '' : JSON.stringify(m.data),
    m.topic ?? '',
    m.inReplyTo ?? '',
    m.threadId,
    m.projectId,
    m.sessionId,
  ];
}

/** A row by RFC 4180: commas, quotes where they are needed, CR LF. */
export function csvRow(cells: readonly string[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

/**
 * A cell. Spreadsheets run what begins with = + - or @ as a formula, some also in full width; white space, control characters
 * and what has no width in front of it are passed over. Messages are written by agents, so such a cell gets an apostrophe in
 * front, which spreadsheets take for "this is text" (OWASP, "CSV Injection").
 */
export function csvCell(text: string): string {
  const safe = /^[\s\p{Cc}\p{Cf}]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/u.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Reads of exports, run by the reader. */
export const exportReads = {
  /** A piece of an export. */
  'messages.export': (db: Db, args: ExportArgs): ExportPiece => exportPiece(db, args),
};
