/**
 * How long the event loop is held up by computing. Waiting for the disk in a commit also holds it up; that time is known
 * to the store, is taken off here, and is reported beside it (commit times), because it is the disk's and not the code's.
 */
import { createHistogram } from 'node:perf_hooks';
import type { Disposable } from '#shared/kernel/disposable.ts';

/** A look every so often, in milliseconds. Rare enough to cost nothing while idle. */
const LOOK_MS = 10;

/** Delays of the event loop since the start, in milliseconds, commits taken off. */
export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** Owns the timer and the histogram (in microseconds). */
export class EventLoopMonitor implements Disposable {
  readonly #histogram = createHistogram();
  /** Time spent in commits since the start, in milliseconds. */
  readonly #commitMs: () => number;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { commitMs: () => number }) {
    this.#commitMs = options.commitMs;
  }

  /** Begins to measure. */
  start(): void {
    let dueAt = performance.now() + LOOK_MS;
    let commitMs = this.#commitMs();
    this.#timer = setInterval(() => {
      const now = performance.now();
      const commitNow = this.#commitMs();
      const delayMs = Math.max(0, now - dueAt - (commitNow - commitMs));
      // The histogram takes whole numbers from 1.
      this.#histogram.record(Math.round(delayMs * 1_000) + 1);
      dueAt = now + LOOK_MS;
      commitMs = commitNow;
    }, LOOK_MS);
    this.#timer.unref();
  }

  /** What was measured so far. */
  read(): LoopDelay {
    const ms = (microseconds: number): number =>
      this.#histogram.count === 0 ? 0 : Math.max(0, Math.round(microseconds - 1) / 1_000);
    return {
      p50Ms: ms(this.#histogram.percentile(50)),
      p99Ms: ms(this.#histogram.percentile(99)),
      p999Ms: ms(this.#histogram.percentile(99.9)),
      maxMs: ms(this.#histogram.max),
    };
  }

  dispose(): void {
    clearInterval(this.#timer);
  }
}
