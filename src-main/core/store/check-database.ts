/** What can be known of a damaged file when it is opened. SQLite keeps no checksums of pages: what it cannot tell is in docs/security.md. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import * as z from 'zod';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { Connection } from './database.ts';
import { isDamage } from './database.ts';

/** What the operator is told of a damaged database: which file, and what to do. */
export function damageError(file: string, cause: unknown): AppError {
  return new AppError(
    'UNAVAILABLE',
    `The database ${file} is damaged (${messageOf(cause).replaceAll(/\s+/g, ' ')}). End Quarterdeck, keep a copy of that file with its -wal and -shm, and put a backup in its place (folder "backups" beside it, or your own). What can still be read of the damaged one, the command "sqlite3 ${file} .recover" writes out.`,
    { cause, retryable: false, data: { file } },
  );
}

/** Files up to this size are checked as a whole, in bytes: about 3 ms per MB. Of larger ones, the end of each table is. */
const WHOLE_UP_TO_BYTES = 64 * 1024 * 1024;
/** Rows that are read at the end of each table of a larger file. */
const ROWS_AT_THE_END = 200;

/** Fails with UNAVAILABLE where the file is seen to be damaged, before anything is written to it. */
export function checkDatabase(connection: Connection, file: string, wholeUpToBytes = WHOLE_UP_TO_BYTES): void {
  try {
    const bytes = Number(connection.pragma('page_count')) * Number(connection.pragma('page_size'));
    if (bytes > wholeUpToBytes) {
      readEnds(connection);
      return;
    }
    const found = connection.pragma('quick_check(1)');
    if (found !== 'ok') throw damageError(file, found);
  } catch (error) {
    if (isDamage(error)) throw damageError(file, error);
    throw error;
  }
}

const Named = z.object({ name: z.string() });

/** Reads the newest rows of every table: what was written last is what a crash of the machine damages. */
function readEnds(connection: Connection): void {
  const tables = connection
    .prepare(
      "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND wr = 0 AND name NOT LIKE 'sqlite_%' ORDER BY name",
    )
    .all();
  for (const row of tables) {
    const { name } = Named.parse(row);
    connection.prepare(`SELECT * FROM "${name}" ORDER BY rowid DESC LIMIT ${ROWS_AT_THE_END}`).all();
  }
}

/** Logs up to this size are looked through, in bytes. They are some MB, unless a reader held them back. */
const LOG_UP_TO_BYTES = 64 * 1024 * 1024;
const LOG_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** Every new run through the log raises its first salt by one; a frame of so many runs ago is one of an earlier run. */
const EARLIER_RUNS = 1_000_000;

/**
 * What speaks for commits in a log (`-wal`) that SQLite will pass over in silence: it takes frames up to the first whose
 * checksum is wrong, and ignores the rest as if it had never been. Undefined when nothing does. To be asked before the
 * database is opened. Format: https://sqlite.org/fileformat2.html#the_write_ahead_log
 */
export function findLostCommits(log: string): string | undefined {
  if (!existsSync(log)) return undefined;
  const { size } = statSync(log);
  if (size < LOG_HEADER_BYTES || size > LOG_UP_TO_BYTES) return undefined;
  const bytes = readFileSync(log);
  const magic = bytes.readUInt32BE(0);
  const isHeader = magic === 0x377f0682 || magic === 0x377f0683;
  const sum = new LogChecksum(bytes, magic === 0x377f0683);
  sum.add(0, 24);
  if (!isHeader || !sum.isAt(24)) return 'its header is damaged, so nothing in it can be read';
  const frameBytes = FRAME_HEADER_BYTES + bytes.readUInt32BE(8);
  let isRead = true;
  let frame = 0;
  for (let at = LOG_HEADER_BYTES; at + frameBytes <= bytes.length; at += frameBytes) {
    frame += 1;
    const isOfThisRun =
      bytes.readUInt32BE(at + 8) === bytes.readUInt32BE(16) && bytes.readUInt32BE(at + 12) === bytes.readUInt32BE(20);
    if (isRead) {
      sum.add(at, 8);
      sum.add(at + FRAME_HEADER_BYTES, frameBytes - FRAME_HEADER_BYTES);
      isRead = isOfThisRun && sum.isAt(at + 16);
    }
    if (isRead) continue;
    // Frames of a transaction that was undone, and of earlier runs, are left lying and mean nothing.
    const isCommit = isOfThisRun && bytes.readUInt32BE(at + 4) !== 0;
    if (isCommit || !(isOfThisRun || isOfEarlierRun(bytes, at))) return `record ${frame} in it cannot be read`;
  }
  return undefined;
}

function isOfEarlierRun(bytes: Buffer, at: number): boolean {
  const runsAgo = (bytes.readUInt32BE(16) - bytes.readUInt32BE(at + 8)) >>> 0;
  return runsAgo > 0 && runsAgo <= EARLIER_RUNS;
}

/** The running checksum of a log: two sums over words of 32 bits. */
class LogChecksum {
  readonly #bytes: Buffer;
  readonly #isBigEndian: boolean;
  #first = 0;
  #second = 0;

  constructor(bytes: Buffer, isBigEndian: boolean) {
    this.#bytes = bytes;
    this.#isBigEndian = isBigEndian;
  }

  add(from: number, length: number): void {
    for (let at = from; at < from + length; at += 8) {
      this.#first = (this.#first + this.#word(at) + this.#second) >>> 0;
      this.#second = (this.#second + this.#word(at + 4) + this.#first) >>> 0;
    }
  }

  /** Whether the checksum that is written at a place is this one. */
  isAt(place: number): boolean {
    return this.#bytes.readUInt32BE(place) === this.#first && this.#bytes.readUInt32BE(place + 4) === this.#second;
  }

  #word(at: number): number {
    return this.#isBigEndian ? this.#bytes.readUInt32BE(at) : this.#bytes.readUInt32LE(at);
  }
}
