/**
 * The body of the search thread: follows the messages into the index, a step at a time, and answers searches in between.
 * What was committed before a search is found by it, but where more than one step is missing: then the answer says so.
 */
import { parentPort, workerData } from 'node:worker_threads';
import * as z from 'zod';
import { messageOf } from '#shared/kernel/errors.ts';
import type { SearchPage } from '#shared/search/model.ts';
import { openDatabase } from '#core/store/database.ts';
import type { SearchArgs } from './run-search.ts';
import { runSearch } from './run-search.ts';
import { SearchIndex, STEP_MESSAGES } from './search-index.ts';

/** Sent to the thread. */
export type SearchRequest =
  | { readonly kind: 'search'; readonly id: number; readonly args: SearchArgs }
  /** There are new messages. */
  | { readonly kind: 'follow' }
  /** Messages were erased. */
  | { readonly kind: 'sweep' }
  /** The last one: it closes its files and ends. */
  | { readonly kind: 'close' };

/** Sent back. */
export type SearchResponse =
  | { readonly kind: 'answer'; readonly id: number; readonly page: SearchPage }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string }
  /** The index is made anew, for this reason. */
  | { readonly kind: 'rebuild'; readonly reason: string }
  /** There is more to be indexed: it goes on when it is told to follow. */
  | { readonly kind: 'behind' }
  /** Indexing failed, as on a full disk; it is tried again with the next messages. */
  | { readonly kind: 'trouble'; readonly message: string };

/** So long the thread indexes when it is told to follow, in milliseconds; then whoever told it decides when it goes on. */
const BURST_MS = 200;

/** Serves the index until the thread is ended. */
export function serveSearch(): void {
  const options = z.object({ database: z.string(), index: z.string() }).parse(workerData);
  const messages = openDatabase(options.database, { readOnly: true });
  const say = (response: SearchResponse): void => parentPort?.postMessage(response);
  const index = new SearchIndex({
    file: options.index,
    messages,
    onRebuild: (reason) => say({ kind: 'rebuild', reason }),
  });
  let timer: ReturnType<typeof setImmediate> | undefined;
  let burstEndsAt = 0;
  let isClosed = false;

  function goOn(): void {
    timer = undefined;
    let isMore = false;
    try {
      isMore = index.step() || index.sweepStep();
    } catch (error) {
      index.close();
      say({ kind: 'trouble', message: messageOf(error) });
    }
    if (!isMore) return;
    // A turn between two steps: searches that came meanwhile are answered first.
    if (performance.now() < burstEndsAt) timer = setImmediate(goOn);
    else say({ kind: 'behind' });
  }

  const follow = (): void => {
    if (isClosed) return;
    burstEndsAt = performance.now() + BURST_MS;
    timer ??= setImmediate(goOn);
  };

  function answer(id: number, args: SearchArgs): void {
    try {
      index.step(STEP_MESSAGES);
      // A damaged index is begun again, and asked once more: it says itself that it is not complete.
      const page = index.guard(() => runSearch(index, messages, args)) ?? runSearch(index, messages, args);
      say({ kind: 'answer', id, page });
    } catch (error) {
      index.close();
      say({ kind: 'failed', id, message: messageOf(error) });
    }
  }

  parentPort?.on('message', (request: SearchRequest) => {
    switch (request.kind) {
      case 'search':
        answer(request.id, request.args);
        return;
      case 'sweep':
        index.beginSweep();
        follow();
        return;
      case 'follow':
        follow();
        return;
      case 'close':
        isClosed = true;
        clearImmediate(timer);
        index.close();
        messages.close();
        parentPort?.close();
    }
  });
}
