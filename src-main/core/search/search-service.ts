/**
 * Searching messages: owns the search thread, tells it of new messages, and gives it questions.
 * Invariant: nothing of a search runs on the event loop but reading the query; whatever becomes of the thread or of its
 * file, messages are stored and read as before.
 */
import { performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { SessionId } from '#shared/kernel/ids.ts';
import type { searchContract } from '#shared/search/contract.ts';
import type { SearchPage } from '#shared/search/model.ts';
import { parseQuery } from '#shared/search/query.ts';
import { audienceOf } from '#shared/auth/authorise.ts';
import type { Caller } from '#core/caller.ts';
import type { HandlersOf } from '#core/procedures.ts';
import { THREAD_END_MS } from '#core/store/reader.ts';
import { cursorOf } from './run-search.ts';
import type { SearchRequest, SearchResponse } from './search-thread.ts';

/** What a caller states. */
export type SearchInput = Parameters<HandlersOf<typeof searchContract>['messages']>[0];

/** New messages are told to the thread together, so often at most, in milliseconds. A search finds them before that. */
const FOLLOW_MS = 500;
/** What is behind goes on so soon while the event loop has time to spare, and so late while it has none, in milliseconds. */
const GO_ON_MS = { idle: 5, busy: 2_000 } as const;
/** The event loop has none to spare when it is at work for more than this part of the time. */
const BUSY = 0.5;
/** The thread looks for what is not indexed yet this long after the start, in milliseconds: not while the doors open. */
const FIRST_LOOK_MS = 2_000;
/** How often it looks for erased messages by itself, in milliseconds: an hour. */
const SWEEP_MS = 3_600_000;
/** A search is given up after this long, in milliseconds. */
const DEADLINE_MS = 10_000;
/** Most searches that wait at once. */
const MOST_WAITING = 64;

/** What the service needs. */
export interface SearchOptions {
  /** The database that holds the messages. */
  readonly database: string;
  /** The file of the index. */
  readonly index: string;
  /** Module run as the search thread. */
  readonly module: URL;
  readonly currentSession: () => SessionId;
  readonly log: (message: string, facts: Readonly<Record<string, unknown>>) => void;
  readonly now?: () => number;
}

interface Waiting {
  readonly resolve: (page: SearchPage) => void;
  readonly reject: (error: unknown) => void;
}

/** Owns the search thread; starts it when it is first needed, and again when it dies. */
export class SearchService {
  readonly #o: SearchOptions;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #nextId = 1;
  #isClosed = false;
  #following: ReturnType<typeof setTimeout> | undefined;
  /** What the event loop had done when the last burst of indexing began. */
  #usedBefore = performance.eventLoopUtilization();
  #sweeping: ReturnType<typeof setInterval> | undefined;

  constructor(options: SearchOptions) {
    this.#o = options;
  }

  /** Begins to follow: soon what is not indexed yet is. */
  open(): void {
    this.#followIn(FIRST_LOOK_MS);
    this.#sweeping = setInterval(() => this.#tell({ kind: 'sweep' }), SWEEP_MS);
    this.#sweeping.unref();
  }

  /** Messages were committed. Cheap: the thread hears of many at once. */
  onCommitted(): void {
    this.#followIn(FOLLOW_MS);
  }

  /** Messages were erased: their words leave the index. They are not found from this moment on in any case. */
  onErased(): void {
    if (!this.#isClosed) this.#tell({ kind: 'sweep' });
  }

  /**
   * Searches. BAD_REQUEST says what is wrong with the query or the cursor; TOO_MANY_REQUESTS, TIMEOUT and UNAVAILABLE that
   * it may be repeated. An agent searches what it sent and was sent.
   */
  async search(input: SearchInput, caller: Caller, signal?: AbortSignal): Promise<SearchPage> {
    const now = (this.#o.now ?? Date.now)();
    const parsed = parseQuery(input.query, now);
    if (!parsed.ok) {
      const { text, start, end } = parsed.problem;
      throw new AppError('BAD_REQUEST', text, { data: { field: 'query', start, end } });
    }
    const cursor = input.cursor === undefined ? undefined : cursorOf(input.cursor);
    if (input.cursor !== undefined && cursor === undefined)
      throw new AppError('BAD_REQUEST', 'State in "cursor" what the page before said in "next", or leave it out.', {
        data: { field: 'cursor' },
      });
    const mailbox = audienceOf(caller.role) === 'agent' ? (caller.agentId ?? '') : caller.agentId;
    const { query: _query, rank, cursor: _cursor, limit, ...filter } = input;
    return this.#ask(
      {
        query: parsed.query,
        scope: { mailbox, filter, currentSession: this.#o.currentSession() },
        rank,
        cursor,
        limit,
        now,
      },
      signal,
    );
  }

  /** Ends the thread. Searches that wait fail. It closes its files and ends by itself: torn down in the middle of native code it could take the process with it. */
  async dispose(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#following);
    clearInterval(this.#sweeping);
    const worker = this.#worker;
    this.#worker = undefined;
    this.#failAll('Quarterdeck is ending: nothing more can be searched.');
    if (!worker) return;
    const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    worker.postMessage({ kind: 'close' } satisfies SearchRequest);
    const timer = setTimeout(() => {
      worker.terminate().catch(() => undefined);
    }, THREAD_END_MS);
    await exited;
    clearTimeout(timer);
  }

  #followIn(ms: number): void {
    if (this.#following !== undefined || this.#isClosed) return;
    this.#following = setTimeout(() => {
      this.#following = undefined;
      if (!this.#isClosed) this.#tell({ kind: 'follow' });
    }, ms);
    this.#following.unref();
  }

  /** Much is left to be indexed. Messages that are being sent have the processor first: a search indexes what it needs. */
  #goOn(): void {
    const used = performance.eventLoopUtilization(this.#usedBefore).utilization;
    this.#usedBefore = performance.eventLoopUtilization();
    this.#followIn(used > BUSY ? GO_ON_MS.busy : GO_ON_MS.idle);
  }

  #ask(args: Extract<SearchRequest, { kind: 'search' }>['args'], signal: AbortSignal | undefined): Promise<SearchPage> {
    if (this.#isClosed) throw new AppError('UNAVAILABLE', 'Quarterdeck is ending: nothing more can be searched.');
    if (this.#waiting.size >= MOST_WAITING)
      throw new AppError('TOO_MANY_REQUESTS', `${MOST_WAITING} searches are waiting. Repeat the call in a moment.`);
    const id = this.#nextId++;
    const asked = Promise.withResolvers<SearchPage>();
    const giveUp = (error: AppError): void => {
      this.#waiting.delete(id);
      asked.reject(error);
    };
    const onAbort = (): void => giveUp(new AppError('UNAVAILABLE', 'The search was given up.'));
    const timer = setTimeout(
      () => giveUp(new AppError('TIMEOUT', 'The search took too long. Repeat it, or narrow it down with from: or after:.')),
      DEADLINE_MS,
    );
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    if (signal?.aborted) onAbort();
    else {
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiting.set(id, asked);
      this.#tell({ kind: 'search', id, args });
    }
    return asked.promise.finally(settle);
  }

  #tell(request: SearchRequest): void {
    this.#thread().postMessage(request);
  }

  #thread(): Worker {
    if (this.#worker) return this.#worker;
    const worker = new Worker(this.#o.module, { workerData: { database: this.#o.database, index: this.#o.index } });
    // The thread alone keeps no process alive: whoever waits for it does.
    worker.unref();
    worker.on('message', (response: SearchResponse) => this.#hear(response));
    const onGone = (reason: string): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#o.log('the search thread ended; the next search starts it again', { reason });
      this.#failAll('The search stopped. Repeat the call.');
    };
    worker.on('error', (error: unknown) => onGone(messageOf(error)));
    worker.on('exit', () => onGone('it ended'));
    this.#worker = worker;
    return worker;
  }

  #hear(response: SearchResponse): void {
    switch (response.kind) {
      case 'answer':
        this.#waiting.get(response.id)?.resolve(response.page);
        this.#waiting.delete(response.id);
        if (!response.page.isComplete) this.#followIn(GO_ON_MS.idle);
        return;
      case 'failed':
        this.#waiting
          .get(response.id)
          ?.reject(new AppError('UNAVAILABLE', `Messages cannot be searched now: ${response.message}. Repeat the call.`));
        this.#waiting.delete(response.id);
        return;
      case 'behind':
        this.#goOn();
        return;
      case 'rebuild':
        this.#o.log('the search index is made anew', { reason: response.reason });
        return;
      case 'trouble':
        this.#o.log('messages could not be indexed for search', { reason: response.message });
    }
  }

  #failAll(message: string): void {
    for (const waiting of this.#waiting.values()) waiting.reject(new AppError('UNAVAILABLE', message));
    this.#waiting.clear();
  }
}
