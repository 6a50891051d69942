/**
 * The reader: named queries on a read-only connection in a thread of their own, so that no search, count or page ever
 * blocks the writer or the event loop. Results are pages (at most 500 rows): cloning a large result would block too.
 */
import { Worker } from 'node:worker_threads';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import { damageError } from './check-database.ts';
import type { Db } from './database.ts';

/** A query by name: gets a connection inside a read transaction, and its arguments. Must return plain data. */
export type ReadQuery<A, T> = (db: Db, args: A) => T;
/** Queries by name. */
export type ReadTable = Readonly<Record<string, ReadQuery<never, unknown>>>;
/** The arguments of a query. */
export type ReadArgs<R extends ReadTable, K extends keyof R> = Parameters<R[K]>[1];
/** The result of a query. */
export type ReadResult<R extends ReadTable, K extends keyof R> = ReturnType<R[K]>;

/** Sent to the thread. */
export interface ReadRequest {
  readonly id: number;
  readonly name: string;
  readonly args: unknown;
}

/** Sent to the thread last: it closes its database and ends. */
export const CLOSE = 'close';
/**
 * A thread that has not ended by itself after this long is cut off, in milliseconds. Long enough for one that is only just starting
 * on a machine that does ten other things: being cut off in the middle of native code can take the whole process with it.
 */
export const THREAD_END_MS = 20_000;

/** Sent back. */
export type ReadResponse =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string; readonly isDamage?: boolean };

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Owns the reader's thread; starts it with the first query and again when it dies. */
export class Reader<R extends ReadTable> {
  readonly #module: URL;
  readonly #file: string;
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #nextId = 1;
  #isClosed = false;

  constructor(module: URL, file: string) {
    this.#module = module;
    this.#file = file;
  }

  /** Runs one query. Fails with INTERNAL when the query throws, with UNAVAILABLE when the thread dies or the file is damaged. */
  run<K extends keyof R & string>(name: K, args: ReadArgs<R, K>): Promise<ReadResult<R, K>> {
    if (this.#isClosed)
      return Promise.reject(
        new AppError('UNAVAILABLE', 'Quarterdeck is ending: nothing more can be read. Try again when it is back.'),
      );
    return new Promise<ReadResult<R, K>>((resolve, reject) => {
      const id = this.#nextId++;
      this.#pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      try {
        this.#thread().postMessage({ id, name, args } satisfies ReadRequest);
      } catch (error) {
        // Arguments that cannot be sent to a thread: a bug of the caller, and nobody else's.
        this.#pending.delete(id);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /**
   * Ends the thread. Queries that are under way fail. The thread closes its database and ends by itself: one that is torn
   * down in the middle of native code can take the whole process with it.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#worker = undefined;
    this.#failAll('Quarterdeck is ending.');
    if (!worker) return;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage(CLOSE);
    const timer = setTimeout(() => {
      worker.terminate().catch(() => undefined);
    }, THREAD_END_MS);
    await exited;
    clearTimeout(timer);
  }

  #thread(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(this.#module, { workerData: { file: this.#file } });
    worker.on('message', (response: ReadResponse) => {
      const pending = this.#pending.get(response.id);
      this.#pending.delete(response.id);
      if (response.ok) pending?.resolve(response.value);
      else if (response.isDamage) pending?.reject(damageError(this.#file, response.message));
      else pending?.reject(new AppError('INTERNAL', `A query failed: ${response.message}`));
    });
    const onGone = (reason: string): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#failAll(reason);
    };
    worker.on('error', (error: unknown) => onGone(`The reader stopped (${messageOf(error)}).`));
    worker.on('exit', () => onGone('The reader stopped.'));
    this.#worker = worker;
    return worker;
  }

  #failAll(reason: string): void {
    for (const pending of this.#pending.values()) pending.reject(new AppError('UNAVAILABLE', `${reason} Repeat the call.`));
    this.#pending.clear();
  }
}
