/**
 * The store: the one writer, with group commit, and the way to the reader.
 * Invariants: a write's promise resolves only after its COMMIT; a write that throws undoes itself and nothing else;
 * journal rows are written in the transaction of the change they tell of, and told to listeners after it.
 */
import { createHistogram } from 'node:perf_hooks';
import type { PendingEvent } from '#shared/journal/model.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import { checkDatabase, damageError, findLostCommits } from './check-database.ts';
import type { Connection, Db } from './database.ts';
import { isDamage, isStorageFailure, openDatabase } from './database.ts';
import type { MigrationReport } from './migrate.ts';
import { migrate } from './migrate.ts';
import { MIGRATIONS } from './migrations.ts';
import type { ReadArgs, ReadResult, ReadTable } from './reader.ts';
import { Reader } from './reader.ts';

/** What a write may do. Valid only while its function runs. */
export interface Tx extends Db {
  /** Adds a row to the journal, in this transaction. */
  record(event: PendingEvent): void;
  /** Runs after COMMIT, before the write's promise resolves; not at all when this write fails. What it throws is a bug, told to `onFault`; it undoes nothing and stops nobody else. */
  afterCommit(effect: () => void): void;
  /** Gives an item to what closes this transaction, right before COMMIT; not at all when this write fails. */
  collect<T>(collector: BatchCollector<T>, item: T): void;
}

/** What belongs to a transaction as a whole and is made from what its writes leave behind, such as one signature over all of them. */
export interface BatchCollector<T> {
  /**
   * Called once, inside the transaction and after all of its writes, with the items of those that were not undone, in their
   * order; not at all when there are none. What it throws undoes the whole transaction. What it returns runs after COMMIT,
   * before any of the writes' promises resolves; not at all when COMMIT fails.
   */
  beforeCommit(db: Db, items: readonly T[]): (() => void) | undefined;
}

/** What a write leaves behind besides its rows. */
interface Leavings {
  readonly events: RecordedEvent[];
  readonly effects: (() => void)[];
  readonly collected: { readonly collector: BatchCollector<unknown>; readonly item: unknown }[];
}

/** An event with the text of its data, made where the event was recorded: data that has no text fails that write alone. */
export interface RecordedEvent {
  readonly event: PendingEvent;
  readonly text: string;
}

/** Turns recorded events into journal rows; the journal implements it. */
export interface BatchSink {
  /** Writes the rows, inside the transaction. */
  beforeCommit(db: Db, events: readonly RecordedEvent[]): void;
  /** The rows are durable: publish them. */
  afterCommit(): void;
  /** The transaction failed: forget them. */
  rolledBack(): void;
}

/** At most this many writes share a transaction. */
const MAX_BATCH = 100;
/** A transaction takes no further write after this long, in milliseconds: the event loop stays responsive. */
const MAX_BATCH_MS = 4;

interface QueuedWrite {
  readonly run: (tx: Tx) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Figures of the store since its start. */
export interface StoreStats {
  readonly commits: number;
  readonly writes: number;
  readonly commitP50Ms: number;
  readonly commitP99Ms: number;
  readonly commitMaxMs: number;
  readonly databaseBytes: number;
}

/** Where a store lives. */
export interface StoreOptions {
  readonly file: string;
  /** Path of the backup made before an upgrade from the given schema version. */
  readonly backupFile: (version: number) => string;
  /** Module run as the reader's thread. */
  readonly readerModule: URL;
  /**
   * A transaction takes no further write after this long, in milliseconds; 4 unless stated. Tests of what shares a commit state
   * more: on a busy machine a single write may take that long.
   */
  readonly maxBatchMs?: number;
  /** Told of bugs after a commit (an effect or the journal's publishing threw). By default a process warning. */
  readonly onFault?: (error: unknown) => void;
  /** Told what the operator should know of the files: commits that may be lost. By default a process warning. */
  readonly warn?: (message: string) => void;
}

/** SQLite behind one writer and one reader. `R` is the table of named queries. */
export class Store<R extends ReadTable> {
  readonly #options: StoreOptions;
  readonly #queue: QueuedWrite[] = [];
  readonly #commitTimes = createHistogram();
  #connection: Connection | undefined;
  #reader: Reader<R> | undefined;
  #sink: BatchSink | undefined;
  #isScheduled = false;
  #isClosing = false;
  #commits = 0;
  #commitMs = 0;
  #writes = 0;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /**
   * Opens the file, brings its schema up to date and starts the reader. A file that is seen to be damaged is UNAVAILABLE, and
   * nothing is written to it. A damaged log is told: what it still holds is what the database goes on from.
   */
  open(): MigrationReport {
    const { file } = this.#options;
    const log = `${file}-wal`;
    const lost = findLostCommits(log);
    const connection = openDatabase(file);
    if (lost !== undefined)
      this.#warn(
        `The log of the database, ${log}, was damaged when it was opened: ${lost}. What was stored last may be missing (messages, acknowledgements, settings), unless it was only just being written when Quarterdeck or the machine stopped. Verify the audit trail (verify_audit) and the messages (verify_messages), and compare with a backup.`,
      );
    try {
      checkDatabase(connection, file);
      const report = migrate(connection, MIGRATIONS, this.#options.backupFile);
      this.#connection = connection;
      this.#reader = new Reader<R>(this.#options.readerModule, file);
      return report;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /** Connects the journal. Once, before the first write. */
  connect(sink: BatchSink): void {
    this.#sink = sink;
  }

  /**
   * Queues a write. Writes of one turn of the event loop share a transaction, each in a savepoint of its own.
   * Resolves with what `run` returned, after COMMIT; rejects with what it threw, or with the reason why COMMIT failed.
   * `run` must be synchronous and short.
   */
  write<T>(run: (tx: Tx) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#isClosing || !this.#connection) {
        reject(new AppError('UNAVAILABLE', 'Quarterdeck is ending: nothing more can be stored. Try again when it is back.'));
        return;
      }
      this.#queue.push({ run, resolve: resolve as (value: unknown) => void, reject });
      this.#schedule();
    });
  }

  /** Runs a named query on the reader's thread. It sees everything committed before the call. */
  read<K extends keyof R & string>(name: K, args: ReadArgs<R, K>): Promise<ReadResult<R, K>> {
    if (!this.#reader) return Promise.reject(new AppError('UNAVAILABLE', 'The store is not open.'));
    return this.#reader.run(name, args);
  }

  /** Reads on the writer's connection, at once. For start-up and for single rows by key; anything larger belongs to `read`. */
  peek<T>(run: (db: Db) => T): T {
    return run(this.#open());
  }

  /** Figures since the start. */
  stats(): StoreStats {
    const connection = this.#open();
    return {
      commits: this.#commits,
      writes: this.#writes,
      commitP50Ms: this.#commits === 0 ? 0 : this.#commitTimes.percentile(50) / 1e6,
      commitP99Ms: this.#commits === 0 ? 0 : this.#commitTimes.percentile(99) / 1e6,
      commitMaxMs: this.#commits === 0 ? 0 : this.#commitTimes.max / 1e6,
      databaseBytes: Number(connection.pragma('page_count')) * Number(connection.pragma('page_size')),
    };
  }

  /** Time spent in COMMIT since the start, in milliseconds: the event loop stands still meanwhile, waiting for the disk. */
  get commitMs(): number {
    return this.#commitMs;
  }

  /** Finishes what is queued, then closes. Further writes are refused. */
  async close(): Promise<void> {
    while (this.#queue.length > 0) this.#flush();
    this.#isClosing = true;
    await this.#reader?.close();
    this.#reader = undefined;
    this.#connection?.close();
    this.#connection = undefined;
  }

  #open(): Connection {
    if (!this.#connection) throw new AppError('UNAVAILABLE', 'The store is not open.');
    return this.#connection;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // After the poll phase: everything that arrived in this turn is queued by then and shares the commit.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#flush();
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  #flush(): void {
    const connection = this.#connection;
    if (!connection || this.#queue.length === 0) return;
    const batch: QueuedWrite[] = [];
    const done: { write: QueuedWrite; value: unknown }[] = [];
    const left: Leavings = { events: [], effects: [], collected: [] };
    const { events, effects } = left;
    const { maxBatchMs = MAX_BATCH_MS } = this.#options;
    let closings: (() => void)[];
    try {
      connection.prepare('BEGIN IMMEDIATE').run();
      const startedAt = performance.now();
      // Taken one by one: a write that these writes queue joins their transaction, when there is room, so that what follows
      // from a change costs no commit of its own.
      for (let write = this.#queue.shift(); write; write = this.#queue.shift()) {
        batch.push(write);
        this.#runOne(connection, write, done, left);
        if (batch.length >= MAX_BATCH || performance.now() - startedAt > maxBatchMs) break;
      }
      closings = closeBatch(connection, left);
      if (events.length > 0) this.#sink?.beforeCommit(connection, events);
      const commitAt = process.hrtime.bigint();
      connection.prepare('COMMIT').run();
      const tookNs = process.hrtime.bigint() - commitAt;
      this.#commitTimes.record(tookNs || 1n);
      this.#commitMs += Number(tookNs) / 1e6;
    } catch (error) {
      // Where not even BEGIN worked, the first in the queue is told, so that the queue moves on.
      this.#abandon(connection, batch.length > 0 ? batch : this.#queue.splice(0, 1), error);
      return;
    }
    this.#commits += 1;
    this.#writes += done.length;
    // What is committed is committed: nothing that fails from here on may keep the callers from hearing so.
    for (const closing of closings) this.#guard(closing);
    if (events.length > 0) this.#guard(() => this.#sink?.afterCommit());
    for (const effect of effects) this.#guard(effect);
    for (const { write, value } of done) write.resolve(value);
  }

  #warn(message: string): void {
    if (this.#options.warn) this.#options.warn(message);
    else process.emitWarning(message);
  }

  #notStored(error: unknown): AppError {
    return isDamage(error) ? damageError(this.#options.file, error) : notStored(error);
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (this.#options.onFault) this.#options.onFault(error);
      else process.emitWarning(`after a commit: ${messageOf(error)}`);
    }
  }

  #runOne(connection: Connection, write: QueuedWrite, done: { write: QueuedWrite; value: unknown }[], left: Leavings): void {
    const own: Leavings = { events: [], effects: [], collected: [] };
    let isOver = false;
    const inTime = (): void => {
      if (isOver) throw new Error('a write used its transaction after its function had ended');
    };
    const tx: Tx = {
      prepare: (sql) => {
        inTime();
        return connection.prepare(sql);
      },
      record: (event) => {
        inTime();
        if (!this.#sink) throw new Error('an event was recorded before the journal was connected');
        own.events.push({ event, text: JSON.stringify(event.data) });
      },
      afterCommit: (effect) => {
        inTime();
        own.effects.push(effect);
      },
      collect: (collector, item) => {
        inTime();
        own.collected.push({ collector, item });
      },
    };
    connection.prepare('SAVEPOINT one').run();
    try {
      const value = write.run(tx);
      if (value instanceof Promise) {
        value.catch(() => undefined);
        throw new Error('a write must be synchronous: its transaction cannot wait');
      }
      connection.prepare('RELEASE one').run();
      done.push({ write, value });
      left.events.push(...own.events);
      left.effects.push(...own.effects);
      left.collected.push(...own.collected);
    } catch (error) {
      // A full disk may end the whole transaction by itself: then nothing of this batch is left, and everybody in it is told.
      if (!connection.isInTransaction()) throw error;
      connection.prepare('ROLLBACK TO one').run();
      connection.prepare('RELEASE one').run();
      write.reject(isStorageFailure(error) ? this.#notStored(error) : error);
    } finally {
      isOver = true;
    }
  }

  /** The transaction itself failed (disk full, I/O error): everything in it is undone and everybody in it is told. */
  #abandon(connection: Connection, writes: readonly QueuedWrite[], error: unknown): void {
    try {
      // SQLite may have rolled back by itself; then there is nothing to undo.
      if (connection.isInTransaction()) connection.exec('ROLLBACK');
    } catch (rollbackError) {
      this.#guard(() => {
        throw rollbackError;
      });
    }
    this.#sink?.rolledBack();
    const failure = this.#notStored(error);
    // A write that failed by itself was told its own reason already; rejecting it again does nothing.
    for (const write of writes) write.reject(failure);
  }
}

/** Lets every collector close its part of the transaction; returns what they have to do after COMMIT. */
function closeBatch(db: Db, { collected }: Leavings): (() => void)[] {
  if (collected.length === 0) return [];
  const items = new Map<BatchCollector<unknown>, unknown[]>();
  for (const { collector, item } of collected) {
    const own = items.get(collector);
    if (own) own.push(item);
    else items.set(collector, [item]);
  }
  return [...items].flatMap(([collector, own]) => collector.beforeCommit(db, own) ?? []);
}

function notStored(error: unknown): AppError {
  return new AppError(
    'UNAVAILABLE',
    `Nothing was stored: ${messageOf(error)}. Check free space and permissions of the data folder, then repeat the call.`,
    { cause: error },
  );
}
