/** SQL of the journal. */
import * as z from 'zod';
import type { JournalRow } from '#shared/journal/model.ts';
import { JournalEvent } from '#shared/journal/model.ts';
import type { Db } from '#core/store/database.ts';
import type { ChainedRow } from './chain.ts';

/** A row as stored. */
export interface StoredRow extends ChainedRow {
  readonly data: string | null;
  readonly hash: Uint8Array;
}

const Row = z.object({
  seq: z.number(),
  at: z.number(),
  project_id: z.string(),
  actor_kind: z.string(),
  actor_id: z.string(),
  door: z.string(),
  kind: z.string(),
  subject: z.string(),
  data: z.string().nullable(),
  data_hash: z.instanceof(Uint8Array),
  hash: z.instanceof(Uint8Array),
});

function fromRow(row: unknown): StoredRow {
  const r = Row.parse(row);
  return {
    seq: r.seq,
    at: r.at,
    projectId: r.project_id,
    actorKind: r.actor_kind,
    actorId: r.actor_id,
    door: r.door,
    kind: r.kind,
    subject: r.subject,
    data: r.data,
    dataHash: r.data_hash,
    hash: r.hash,
  };
}

/** Adds a row at the end. */
export function insertRow(db: Db, row: StoredRow): void {
  db.prepare(
    'INSERT INTO journal (seq, at, project_id, actor_kind, actor_id, door, kind, subject, data, data_hash, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  ).run(
    row.seq,
    row.at,
    row.projectId,
    row.actorKind,
    row.actorId,
    row.door,
    row.kind,
    row.subject,
    row.data,
    row.dataHash,
    row.hash,
  );
}

/** The last row; undefined in an empty journal. */
export function lastRow(db: Db): StoredRow | undefined {
  const row = db.prepare('SELECT * FROM journal ORDER BY seq DESC LIMIT 1').get();
  return row === undefined ? undefined : fromRow(row);
}

/** One row by its number. */
export function rowAt(db: Db, seq: number): StoredRow | undefined {
  const row = db.prepare('SELECT * FROM journal WHERE seq = ?').get(seq);
  return row === undefined ? undefined : fromRow(row);
}

/** Filters of a page of the audit trail. */
export interface JournalPageArgs {
  readonly after?: number | undefined;
  readonly before?: number | undefined;
  readonly projectId?: string | undefined;
  readonly kind?: string | undefined;
  readonly subject?: string | undefined;
  readonly limit: number;
}

function pageRows(db: Db, args: JournalPageArgs): StoredRow[] {
  const isForward = args.after !== undefined;
  const where: string[] = [];
  const params: (string | number)[] = [];
  const add = (condition: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    where.push(condition);
    params.push(value);
  };
  add('seq > ?', args.after);
  add('seq < ?', args.before);
  add('project_id = ?', args.projectId);
  add('kind = ?', args.kind);
  add('subject = ?', args.subject);
  const condition = where.length > 0 ? `WHERE ${where.join(' AND ')}` : '';
  return db
    .prepare(`SELECT * FROM journal ${condition} ORDER BY seq ${isForward ? 'ASC' : 'DESC'} LIMIT ?`)
    .all(...params, args.limit)
    .map(fromRow);
}

/** Reads of the journal, run by the reader. */
export const journalReads = {
  /** A page of the audit trail, and whether more follows. */
  'journal.page': (db: Db, args: JournalPageArgs): { rows: JournalRow[]; hasMore: boolean } => {
    const rows = pageRows(db, { ...args, limit: args.limit + 1 });
    return {
      hasMore: rows.length > args.limit,
      rows: rows.slice(0, args.limit).map((row) => ({
        seq: row.seq,
        at: row.at,
        projectId: row.projectId as JournalRow['projectId'],
        actor: { kind: row.actorKind as JournalRow['actor']['kind'], id: row.actorId },
        door: row.door as JournalRow['door'],
        kind: row.kind,
        subject: row.subject,
        data: row.data === null ? null : (JSON.parse(row.data) as Record<string, unknown>),
        hash: Buffer.from(row.hash).toString('hex'),
      })),
    };
  },

  /** The events after a number, for a follower that is far behind. Rows whose data was erased are left out. */
  'journal.events': (db: Db, args: { after: number; limit: number }): { events: JournalEvent[]; lastSeq: number } => {
    const rows = pageRows(db, args);
    const events = rows
      .filter((row) => row.data !== null)
      .map((row) =>
        JournalEvent.parse({
          seq: row.seq,
          at: row.at,
          projectId: row.projectId,
          actor: { kind: row.actorKind, id: row.actorId },
          door: row.door,
          kind: row.kind,
          subject: row.subject,
          data: JSON.parse(row.data ?? 'null') as unknown,
        }),
      );
    return { events, lastSeq: rows.at(-1)?.seq ?? args.after };
  },

  /** Raw rows in order, for verification. */
  'journal.raw': (db: Db, args: { after: number; limit: number }): StoredRow[] => pageRows(db, args),
};
