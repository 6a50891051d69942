/**
 * What agents use of the machine, for sparklines: asked for every few seconds while something on the screen shows it and
 * the page can be seen. Samples are measurements: they are in no journal, and a window that was away has a gap.
 */
import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';

/** Samples kept per agent: what the core keeps. */
const SAMPLES_KEPT = 60;
/** How often to ask when the core does not answer, in milliseconds. */
const RETRY_MS = 5_000;

/** Samples of one agent, oldest first; the arrays have one length. */
export interface AgentSamples {
  /** Milliseconds since the epoch. */
  readonly at: readonly number[];
  /** Percent of one core since the sample before. */
  readonly cpu: readonly number[];
  readonly memoryBytes: readonly number[];
}

/** What the core answers: see agents.metrics. */
export interface MetricsAnswer {
  /** The core's time of the answer: what to ask after the next time. */
  readonly at: number;
  /** How often it measures now, in milliseconds. */
  readonly everyMs: number;
  readonly agents: Readonly<Record<string, AgentSamples>>;
}

/** Samples by agent. */
export type SampleTable = Readonly<Record<string, AgentSamples>>;

/** Adds an answer to what is known; agents that the core no longer names are forgotten when the answer is whole. */
export function addSamples(table: SampleTable, answer: MetricsAnswer, isWhole: boolean): SampleTable {
  const next: Record<string, AgentSamples> = isWhole ? {} : { ...table };
  for (const [id, fresh] of Object.entries(answer.agents)) {
    const known = isWhole ? undefined : ownEntry(table, id);
    const lastAt = known?.at.at(-1) ?? Number.NEGATIVE_INFINITY;
    const from = fresh.at.findIndex((at) => at > lastAt);
    if (from < 0) continue;
    const join = (name: 'at' | 'cpu' | 'memoryBytes'): readonly number[] =>
      [...(known?.[name] ?? []), ...fresh[name].slice(from)].slice(-SAMPLES_KEPT);
    next[id] = { at: join('at'), cpu: join('cpu'), memoryBytes: join('memoryBytes') };
  }
  return next;
}

/** Asks while somebody watches. */
export class MetricsFeed implements Disposable {
  readonly store: StoreApi<{ readonly samples: SampleTable }> = createStore(() => ({ samples: {} }));
  readonly #ask: (after: number | undefined) => Promise<MetricsAnswer>;
  #watchers = 0;
  #after: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isAsking = false;

  /** `ask` returns samples after a time, or all that are kept. */
  constructor(ask: (after: number | undefined) => Promise<MetricsAnswer>) {
    this.#ask = ask;
  }

  /** Keeps the samples fresh until the returned disposable is released. */
  watch(): Disposable {
    this.#watchers += 1;
    if (this.#watchers === 1) this.#round();
    return toDisposable(() => {
      this.#watchers -= 1;
    });
  }

  dispose(): void {
    this.#watchers = 0;
    clearTimeout(this.#timer);
  }

  #round(): void {
    if (this.#isAsking || this.#watchers === 0) return;
    clearTimeout(this.#timer);
    this.#isAsking = true;
    this.#fetch()
      .catch(() => RETRY_MS)
      .then((waitMs) => {
        this.#isAsking = false;
        if (this.#watchers > 0) this.#timer = setTimeout(() => this.#round(), waitMs);
      })
      .catch(() => undefined);
  }

  /** One question; resolves with how long to wait before the next, in milliseconds. */
  async #fetch(): Promise<number> {
    if (globalThis.document?.hidden) return RETRY_MS;
    const after = this.#after;
    const answer = await this.#ask(after);
    this.store.setState(({ samples }) => ({ samples: addSamples(samples, answer, after === undefined) }));
    this.#after = answer.at;
    return answer.everyMs;
  }
}
