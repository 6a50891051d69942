/** SQL of provenance. Checks run on the reader: ./check-messages.ts. */
import * as z from 'zod';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Batch } from '#shared/provenance/model.ts';
import type { Db } from '#core/store/database.ts';

const Bytes = z.instanceof(Uint8Array);

const BatchRow = z.object({
  number: z.number(),
  id: z.string(),
  first_seq: z.number(),
  count: z.number(),
  root: Bytes,
  at: z.number(),
  previous: Bytes,
  key_id: z.string(),
  signature: Bytes,
});

/** A batch as stored. */
export interface StoredBatch {
  readonly batch: Batch;
  /** Number of its first message in the order of storing. */
  readonly firstSeq: number;
  readonly signature: Uint8Array;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function batchFrom(row: unknown): StoredBatch {
  const r = BatchRow.parse(row);
  return {
    batch: {
      id: r.id,
      number: r.number,
      count: r.count,
      root: hex(r.root),
      at: r.at,
      previous: hex(r.previous),
      keyId: r.key_id,
    },
    firstSeq: r.first_seq,
    signature: r.signature,
  };
}

function batchWhere(db: Db, condition: string, ...params: readonly number[]): StoredBatch | undefined {
  const row = db.prepare(`SELECT * FROM message_batches ${condition}`).get(...params);
  return row === undefined ? undefined : batchFrom(row);
}

/** Adds a batch at the end. */
export function insertBatch(db: Db, { batch, firstSeq, signature }: StoredBatch): void {
  db.prepare(
    'INSERT INTO message_batches (number, project_id, id, first_seq, count, root, at, previous, key_id, signature) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
  ).run(
    batch.number,
    SYSTEM_PROJECT_ID,
    batch.id,
    firstSeq,
    batch.count,
    Buffer.from(batch.root, 'hex'),
    batch.at,
    Buffer.from(batch.previous, 'hex'),
    batch.keyId,
    signature,
  );
}

/** The newest batch; undefined when nothing was signed yet. */
export function lastBatch(db: Db): StoredBatch | undefined {
  return batchWhere(db, 'ORDER BY number DESC LIMIT 1');
}

/** A batch by its number. */
export function batchAt(db: Db, number: number): StoredBatch | undefined {
  return batchWhere(db, 'WHERE number = ?', number);
}

/** The batch that a message with this place belongs to, if any. */
export function batchOf(db: Db, seq: number): StoredBatch | undefined {
  return batchWhere(db, 'WHERE first_seq <= ? ORDER BY first_seq DESC LIMIT 1', seq);
}

/** Batches after a number, in order. */
export function batchesAfter(db: Db, after: number, limit: number): StoredBatch[] {
  return db.prepare('SELECT * FROM message_batches WHERE number > ? ORDER BY number LIMIT ?').all(after, limit).map(batchFrom);
}

/** Adds the hash of a message of a project. */
export function insertLeaf(db: Db, seq: number, projectId: ProjectId, leaf: Uint8Array): void {
  db.prepare('INSERT INTO message_leaves (seq, project_id, leaf) VALUES (?, ?, ?)').run(seq, projectId, leaf);
}

/** Notes that retention deleted a message. */
export function markRemoved(db: Db, seq: number, mark: Uint8Array): void {
  db.prepare('UPDATE message_leaves SET removed = ? WHERE seq = ?').run(mark, seq);
}

const LeafRow = z.object({ seq: z.number(), leaf: Bytes, removed: Bytes.nullable() });
/** The hash of a message, as stored. */
export type LeafRow = z.infer<typeof LeafRow>;

/** The hashes from one place to before another, in order. */
export function leavesBetween(db: Db, from: number, to: number): LeafRow[] {
  return db
    .prepare('SELECT seq, leaf, removed FROM message_leaves WHERE seq >= ? AND seq < ? ORDER BY seq')
    .all(from, to)
    .map((row) => LeafRow.parse(row));
}

/** The hash of one message. */
export function leafAt(db: Db, seq: number): LeafRow | undefined {
  const row = db.prepare('SELECT seq, leaf, removed FROM message_leaves WHERE seq = ?').get(seq);
  return row === undefined ? undefined : LeafRow.parse(row);
}

const SeqRow = z.object({ seq: z.number() });

/** Whether `m` was imported: from a file, into a session that says so, and handed to nobody. */
const IS_IMPORTED = `(EXISTS (SELECT 1 FROM sessions s WHERE s.id = m.session_id AND s.origin = 'import')
  AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_seq = m.seq AND d.read_at IS NULL AND d.dead_at IS NULL))`;

/** Whether the message at a place was imported. */
export function isImported(db: Db, seq: number): boolean {
  return db.prepare(`SELECT 1 FROM messages m WHERE m.seq = ? AND ${IS_IMPORTED}`).get(seq) !== undefined;
}

/** How many messages without a hash were imported, from one place to before another. */
export function countImported(db: Db, from: number, to: number): number {
  const row = db
    .prepare(
      `SELECT count(*) AS count FROM messages m LEFT JOIN message_leaves l ON l.seq = m.seq
       WHERE m.seq >= ? AND m.seq < ? AND l.seq IS NULL AND ${IS_IMPORTED}`,
    )
    .get(from, to);
  return z.object({ count: z.number() }).parse(row).count;
}

/** Places of messages that have no hash and were not imported, from one place to before another; the first few. */
export function unsignedBetween(db: Db, from: number, to: number, limit: number): number[] {
  return db
    .prepare(
      `SELECT m.seq FROM messages m LEFT JOIN message_leaves l ON l.seq = m.seq
       WHERE m.seq >= ? AND m.seq < ? AND l.seq IS NULL AND NOT ${IS_IMPORTED} ORDER BY m.seq LIMIT ?`,
    )
    .all(from, to, limit)
    .map((row) => SeqRow.parse(row).seq);
}

const CopyRow = z.object({
  recipient: z.string(),
  delivered_at: z.number().nullable(),
  read_at: z.number().nullable(),
  dead_reason: z.string().nullable(),
});

/** A copy of a message, as far as it matters here. Times in milliseconds since 1970. */
export interface Copy {
  readonly recipient: string;
  readonly deliveredAt: number | null;
  readonly readAt: number | null;
  readonly deadReason: string | null;
}

/** The copies of a message. */
export function copiesOf(db: Db, seq: number): Copy[] {
  return db
    .prepare('SELECT recipient, delivered_at, read_at, dead_reason FROM deliveries WHERE message_seq = ?')
    .all(seq)
    .map((row) => {
      const r = CopyRow.parse(row);
      return { recipient: r.recipient, deliveredAt: r.delivered_at, readAt: r.read_at, deadReason: r.dead_reason };
    });
}

const KeyRowSchema = z.object({
  key_id: z.string(),
  public_key: Bytes,
  since: z.number(),
  until: z.number().nullable(),
  previous_key_id: z.string().nullable(),
  introduction: z.string().nullable(),
  introduction_signature: Bytes.nullable(),
  seal: Bytes,
});

/** A key as stored. */
export interface KeyRow {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  readonly since: number;
  readonly until: number | null;
  readonly previousKeyId: string | null;
  /** What the key before it signed about it. */
  readonly introduction: string | null;
  readonly introductionSignature: Uint8Array | null;
  readonly seal: Uint8Array;
}

/** All keys, the newest first. */
export function allKeys(db: Db): KeyRow[] {
  return db
    .prepare('SELECT * FROM message_keys ORDER BY until IS NULL DESC, until DESC, since DESC')
    .all()
    .map((row) => {
      const r = KeyRowSchema.parse(row);
      return {
        keyId: r.key_id,
        publicKey: r.public_key,
        since: r.since,
        until: r.until,
        previousKeyId: r.previous_key_id,
        introduction: r.introduction,
        introductionSignature: r.introduction_signature,
        seal: r.seal,
      };
    });
}

/** Adds a key, or replaces its row. */
export function saveKey(db: Db, key: KeyRow): void {
  db.prepare(
    'INSERT OR REPLACE INTO message_keys (key_id, project_id, public_key, since, until, previous_key_id, introduction, introduction_signature, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  ).run(
    key.keyId,
    SYSTEM_PROJECT_ID,
    key.publicKey,
    key.since,
    key.until,
    key.previousKeyId,
    key.introduction,
    key.introductionSignature,
    key.seal,
  );
}
