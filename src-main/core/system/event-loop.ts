/** How long the event loop is held up: measured all the time, cheaply, by Node's own histogram. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Disposable } from '#shared/kernel/disposable.ts';

/** The histogram's timer fires this often, in milliseconds; a delay is what comes on top. */
const RESOLUTION_MS = 5;

/** Delays of the event loop since the start, in milliseconds. */
export interface LoopDelay {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

/** Owns the histogram. */
export class EventLoopMonitor implements Disposable {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  /** Begins to measure. */
  start(): void {
    this.#histogram.enable();
  }

  /** What was measured so far. */
  read(): LoopDelay {
    const ms = (nanoseconds: number): number => Math.max(0, Math.round((nanoseconds / 1e6 - RESOLUTION_MS) * 100) / 100);
    return {
      p50Ms: ms(this.#histogram.percentile(50)),
      p99Ms: ms(this.#histogram.percentile(99)),
      p999Ms: ms(this.#histogram.percentile(99.9)),
      maxMs: this.#histogram.count === 0 ? 0 : ms(this.#histogram.max),
    };
  }

  dispose(): void {
    this.#histogram.disable();
  }
}
