/**
 * The index: FTS5 in a file of its own, made from the messages and made again whenever it is missing, damaged, of another
 * version or of another database. Runs on the search thread only, and is the only one that opens the file.
 *
 * The index keeps no texts (`content=''`): what is shown always comes from the messages themselves, so that what was erased
 * there is found no more at once, and goes from the index with the next sweep.
 * Invariants: one step writes so many entries at most, together with how far it came, so that a kill loses no more than a
 * step; a search walks the index in windows from the newest on and ends with its time, so that it is bounded however long
 * the history and however rare the matches.
 */
import { rmSync } from 'node:fs';
import * as z from 'zod';
import { AppError } from '#shared/kernel/errors.ts';
import type { Connection } from '#core/store/database.ts';
import { isDamage, openDatabase } from '#core/store/database.ts';
import { entryOf, INDEXED_COLUMNS, IndexedRow } from './index-entry.ts';

/** Of the tables below and of what ./index-entry.ts puts into them: another number, and the index is made again. */
const VERSION = 1;
/** Most messages that one step indexes, and most characters of theirs. A step takes some 20 ms. */
export const STEP_MESSAGES = 400;
const STEP_CHARS = 512 * 1024;
/** How many places of the index one step of a sweep compares with the messages. */
const SWEEP_PLACES = 4_000;

const SCHEMA = `
  CREATE VIRTUAL TABLE entries USING fts5(
    subject, body, data, parts, facts,
    content='', contentless_delete=1, tokenize='ascii', prefix='2 3'
  );
  CREATE TABLE progress (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    -- The message indexed last, and its id: another one at its place means another database.
    seq INTEGER NOT NULL,
    id TEXT NOT NULL
  ) STRICT;
  INSERT INTO progress VALUES (1, 0, '');
  PRAGMA user_version = ${VERSION};
`;

const Progress = z.object({ seq: z.number(), id: z.string() });
const Seq = z.object({ seq: z.number() });
const Id = z.object({ id: z.string() });

/** How far the index is. */
export interface IndexState {
  readonly indexed: number;
  readonly total: number;
  readonly isComplete: boolean;
}

/** The files of the index. */
function filesOf(file: string): string[] {
  return [file, `${file}-wal`, `${file}-shm`, `${file}-journal`];
}

/** Owns the index. Not opened before the first use. */
export class SearchIndex {
  readonly #file: string;
  readonly #messages: Connection;
  readonly #onRebuild: (reason: string) => void;
  #index: Connection | undefined;
  #at = 0;
  #sweepAt = 0;

  /** `messages` is a read-only connection to the database. */
  constructor(options: { file: string; messages: Connection; onRebuild: (reason: string) => void }) {
    this.#file = options.file;
    this.#messages = options.messages;
    this.#onRebuild = options.onRebuild;
  }

  /** The connection to the index; made, and the index with it, where there is none. */
  get connection(): Connection {
    this.#index ??= this.#open();
    return this.#index;
  }

  /** How far it is. */
  state(): IndexState {
    this.#index ??= this.#open();
    const total = this.#newest();
    return { indexed: Math.min(this.#at, total), total, isComplete: this.#at >= total };
  }

  /** Indexes some more messages; false when there is nothing more to be done. A damaged index is begun again. */
  step(atMost = STEP_MESSAGES): boolean {
    return this.guard(() => this.#step(atMost)) ?? true;
  }

  /** Begins to look for what was erased from the messages. */
  beginSweep(): void {
    this.#sweepAt = 1;
  }

  /** Removes entries of some messages that were erased; false when it is through, or none was begun. */
  sweepStep(): boolean {
    if (this.#sweepAt === 0) return false;
    return this.guard(() => this.#sweep()) ?? false;
  }

  /** Does something with the index. Where that finds it damaged, it is begun again, and the answer is undefined. */
  guard<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!isDamage(error) || this.#index === undefined) throw error;
      this.#begin('it was damaged');
      return undefined;
    }
  }

  /** Closes it. */
  close(): void {
    this.#index?.close();
    this.#index = undefined;
  }

  #newest(): number {
    return Seq.parse(this.#messages.prepare('SELECT coalesce(max(seq), 0) AS seq FROM messages').get()).seq;
  }

  #open(): Connection {
    let reason: string | undefined;
    try {
      const index = openIndex(this.#file);
      const version = Number(index.pragma('user_version'));
      if (version === VERSION) {
        const progress = Progress.parse(index.prepare('SELECT seq, id FROM progress').get());
        if (this.#isOurs(progress)) {
          this.#at = progress.seq;
          return index;
        }
        reason = 'it belonged to another database';
      } else if (version !== 0) reason = `it was of version ${version}`;
      index.close();
    } catch (error) {
      // Whatever it is that cannot be read: it can be made again.
      if (!(error instanceof AppError) && !isDamage(error) && !(error instanceof z.ZodError)) throw error;
      reason = 'it was damaged';
    }
    if (reason !== undefined) this.#onRebuild(reason);
    return this.#create();
  }

  #isOurs({ seq, id }: z.infer<typeof Progress>): boolean {
    if (seq === 0) return true;
    if (seq > this.#newest()) return false;
    const row = this.#messages.prepare('SELECT id FROM messages WHERE seq = ?').get(seq);
    // Erased since: nothing speaks against it.
    return row === undefined || Id.parse(row).id === id;
  }

  #create(): Connection {
    for (const file of filesOf(this.#file)) rmSync(file, { force: true });
    const index = openIndex(this.#file);
    index.exec(`BEGIN; ${SCHEMA} COMMIT;`);
    this.#at = 0;
    this.#sweepAt = 0;
    return index;
  }

  #begin(reason: string): void {
    this.#onRebuild(reason);
    const damaged = this.#index;
    this.#index = undefined;
    try {
      damaged?.close();
    } catch {
      // Its files go in any case.
    }
    this.#index = this.#create();
  }

  #step(atMost: number): boolean {
    const { connection } = this;
    const rows = this.#messages
      .prepare(`SELECT ${INDEXED_COLUMNS} FROM messages m WHERE m.seq > ? ORDER BY m.seq LIMIT ?`)
      .all(this.#at, atMost)
      .map((row) => IndexedRow.parse(row));
    if (rows.length === 0) {
      // The newest were erased, and their numbers are given again: what stands there now is not what was indexed.
      if (this.#at > this.#newest()) this.#rewind();
      return false;
    }
    const insert = connection.prepare('INSERT INTO entries (rowid, subject, body, data, parts, facts) VALUES (?, ?, ?, ?, ?, ?)');
    let last: IndexedRow | undefined;
    let chars = 0;
    connection.exec('BEGIN');
    try {
      for (const row of rows) {
        const entry = entryOf(row);
        insert.run(row.seq, entry.subject, entry.body, entry.data, entry.parts, entry.facts);
        last = row;
        chars += row.body.length + (row.data?.length ?? 0);
        if (chars > STEP_CHARS) break;
      }
      connection.prepare('UPDATE progress SET seq = ?, id = ?').run(last?.seq ?? 0, last?.id ?? '');
      connection.exec('COMMIT');
    } catch (error) {
      if (connection.isInTransaction()) connection.exec('ROLLBACK');
      throw error;
    }
    this.#at = last?.seq ?? this.#at;
    return true;
  }

  /** Forgets what lies beyond the newest message. */
  #rewind(): void {
    const { connection } = this;
    const newest = this.#newest();
    const row = this.#messages.prepare('SELECT id FROM messages WHERE seq = ?').get(newest);
    connection.exec('BEGIN');
    connection.prepare('DELETE FROM entries WHERE rowid IN (SELECT id FROM entries_docsize WHERE id > ?)').run(newest);
    connection.prepare('UPDATE progress SET seq = ?, id = ?').run(newest, row === undefined ? '' : Id.parse(row).id);
    connection.exec('COMMIT');
    this.#at = newest;
  }

  #sweep(): boolean {
    const { connection } = this;
    const places = connection
      .prepare('SELECT id AS seq FROM entries_docsize WHERE id >= ? ORDER BY id LIMIT ?')
      .all(this.#sweepAt, SWEEP_PLACES)
      .map((row) => Seq.parse(row).seq);
    const first = places[0];
    const last = places.at(-1);
    if (first === undefined || last === undefined) {
      this.#sweepAt = 0;
      return false;
    }
    const present = new Set(
      this.#messages
        .prepare('SELECT seq FROM messages WHERE seq BETWEEN ? AND ?')
        .all(first, last)
        .map((row) => Seq.parse(row).seq),
    );
    const erased = places.filter((seq) => !present.has(seq));
    if (erased.length > 0) {
      const remove = connection.prepare('DELETE FROM entries WHERE rowid = ?');
      connection.exec('BEGIN');
      for (const seq of erased) remove.run(seq);
      connection.exec('COMMIT');
      // Merging is what takes the words of erased messages out of the file.
      connection.prepare("INSERT INTO entries (entries, rank) VALUES ('merge', 200)").run();
    }
    this.#sweepAt = last + 1;
    return true;
  }
}

function openIndex(file: string): Connection {
  const index = openDatabase(file);
  // What a loss of power takes is indexed again: nothing waits for the disk here.
  index.pragma('synchronous = NORMAL');
  index.pragma('secure_delete = ON');
  return index;
}
