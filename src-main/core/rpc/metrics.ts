/** Counts and times every call, by procedure and door. */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Door } from '#shared/auth/model.ts';

/** Bounds in seconds: most calls are answered within milliseconds, long polls within a minute. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 60];

/** Measures calls. Streams count with the time until they were opened. */
export class CallMetrics {
  readonly #calls: Counter<'procedure' | 'door' | 'outcome'>;
  readonly #seconds: Histogram<'procedure' | 'door'>;

  /** `underWay` tells how many calls and streams are open now. */
  constructor(registry: Registry, underWay: () => number) {
    this.#calls = new Counter({
      name: 'quarterdeck_calls_total',
      help: 'Calls by procedure, door and outcome (ok, or the code of the error)',
      labelNames: ['procedure', 'door', 'outcome'],
      registers: [registry],
    });
    this.#seconds = new Histogram({
      name: 'quarterdeck_call_seconds',
      help: 'Time that calls took',
      labelNames: ['procedure', 'door'],
      buckets: BUCKETS,
      registers: [registry],
    });
    // Registers itself; read when the metrics are asked for.
    new Gauge({
      name: 'quarterdeck_calls_under_way',
      help: 'Calls and streams open now',
      registers: [registry],
      collect() {
        this.set(underWay());
      },
    });
  }

  /** Counts one call that began at `startedAt` (of `performance.now()`). */
  record(procedure: string, door: Door, outcome: string, startedAt: number): void {
    this.#calls.inc({ procedure, door, outcome });
    this.#seconds.observe({ procedure, door }, (performance.now() - startedAt) / 1_000);
  }
}
