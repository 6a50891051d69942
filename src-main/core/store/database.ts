/**
 * Opens SQLite. The only file that imports better-sqlite3 to open a database: every connection gets the same pragmas.
 * Invariant: WAL, synchronous=FULL, foreign keys on; statements are prepared once per connection.
 */
import Database from 'better-sqlite3';
import { AppError, messageOf } from '#shared/kernel/errors.ts';

/** A value that SQLite stores. */
export type SqlValue = string | number | bigint | null | Uint8Array;

/** A prepared statement. Parameters are positional or named by an object. */
export interface Statement {
  all(...params: readonly unknown[]): unknown[];
  get(...params: readonly unknown[]): unknown;
  run(...params: readonly unknown[]): { changes: number };
}

/** What repositories see of a connection: statements, prepared once and kept. */
export interface Db {
  prepare(sql: string): Statement;
}

/** A connection and its life. */
export interface Connection extends Db {
  exec(sql: string): void;
  pragma(source: string): unknown;
  /** Whether a transaction is open. SQLite ends one by itself after some failures, such as a full disk. */
  isInTransaction(): boolean;
  close(): void;
}

/**
 * SQLite asks for the values bound to `column = ?` and `LIMIT ?` while it plans, and then plans again for every run of the
 * statement: a plan that has seen a value expires when another one is bound (expmask in its vdbe.c). Planning the page of an
 * inbox takes six times as long as reading it. Here no plan depends on a value, and of an expression SQLite asks for none.
 */
function withLastingPlan(sql: string): string {
  return sql.replace(/(=|\bLIMIT) \?/g, '$1 +?');
}

class SqliteConnection implements Connection {
  readonly #db: Database.Database;
  readonly #statements = new Map<string, Statement>();

  constructor(db: Database.Database) {
    this.#db = db;
  }

  prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(withLastingPlan(sql));
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  pragma(source: string): unknown {
    return this.#db.pragma(source, { simple: true });
  }

  isInTransaction(): boolean {
    return this.#db.inTransaction;
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}

/** How a file is opened. */
export interface OpenOptions {
  readonly readOnly?: boolean;
}

/** Opens a database file. A file that is none, or is corrupt in its header, is an AppError UNAVAILABLE that says what to do. */
export function openDatabase(file: string, options: OpenOptions = {}): Connection {
  let db: Database.Database | undefined;
  try {
    db = new Database(file, { readonly: options.readOnly ?? false, timeout: 5_000 });
    if (!options.readOnly) db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('foreign_keys = ON');
    db.pragma('temp_store = MEMORY');
    db.pragma('cache_size = -16384');
    // Checkpoints of 1,000 pages (4 MB) keep the log small; larger ones stall a commit for longer.
    db.pragma('wal_autocheckpoint = 1000');
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return new SqliteConnection(db);
  } catch (error) {
    db?.close();
    throw new AppError(
      'UNAVAILABLE',
      `Cannot open the database ${file}: ${messageOf(error)}. Move the file aside (with its -wal and -shm) or restore a backup from the folder "backups" beside it, then start again.`,
      {
        cause: error,
        retryable: false,
        data: { file },
      },
    );
  }
}

/** Result codes of SQLite that tell of the disk or the file, not of the statement (https://sqlite.org/rescode.html). */
const STORAGE_CODES = /^SQLITE_(FULL|IOERR|READONLY|CORRUPT|NOTADB|CANTOPEN|NOMEM|PERM)/;

function codeOf(error: unknown): string {
  return error instanceof Database.SqliteError ? error.code : '';
}

/** Whether the disk or the file failed: a full disk, an I/O error, a damaged file. */
export function isStorageFailure(error: unknown): boolean {
  return STORAGE_CODES.test(codeOf(error));
}

/** Whether the file is damaged, or no database: what can be made again is. */
export function isDamage(error: unknown): boolean {
  return /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error));
}

/** Whether somebody else holds the lock that was asked for. */
export function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith('SQLITE_BUSY');
}

/** Opens a bare connection to a lock file: no WAL, no schema. Used by ./lock.ts only. */
export function openLockFile(file: string): Connection {
  return new SqliteConnection(new Database(file, { timeout: 0 }));
}
