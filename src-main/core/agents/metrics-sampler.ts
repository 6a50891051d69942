/**
 * What agents use of the machine, measured from the outside: CPU and memory of each agent and everything it started.
 * One pass over the machine's processes serves all agents. Kept in memory only, a fixed number of samples each: measurements
 * are never in the journal. Often while somebody looks, seldom else.
 */
import type { AgentMetrics, MetricSeries } from '#shared/agents/observation.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { Run, RunStats } from '#core/runtimes/runtime.ts';

/** Samples kept of each agent: five minutes while somebody looks, half an hour else. */
export const SAMPLES_KEPT = 60;
/** Between samples while a window follows or somebody asked a moment ago, in milliseconds. */
const WATCHED_MS = 5_000;
/** Between samples else, in milliseconds. */
const UNWATCHED_MS = 30_000;
/** Until the second look at an agent that is new: one look gives no figure yet. In milliseconds. */
const SECOND_LOOK_MS = 1_000;
/** How long a question counts as somebody looking, in milliseconds. */
const ASKED_FOR_MS = 15_000;

/** What the sampler needs of a run. */
export type MeasuredRun = Pick<Run, 'agentId' | 'runId' | 'stats'>;

/** How a sampler is made. */
export interface MetricsSamplerOptions {
  /** Runs of all living agents. */
  readonly living: () => readonly MeasuredRun[];
  /** Whether a window follows the journal. */
  readonly isWatched: () => boolean;
  readonly now: () => number;
  /** Between samples, in milliseconds. */
  readonly watchedMs?: number;
  readonly unwatchedMs?: number;
}

interface Entry {
  runId: string;
  /** CPU time at the last look, and when that was, on the monotonic clock. */
  cpuMs: number;
  readAt: number;
  readonly at: number[];
  readonly cpu: number[];
  readonly memoryBytes: number[];
}

/** Owns the samples and the timer that takes them. */
export class MetricsSampler implements Disposable {
  readonly #o: MetricsSamplerOptions;
  readonly #entries = new Map<AgentId, Entry>();
  #timer: NodeJS.Timeout | undefined;
  #isStarted = false;
  #sampling: Promise<void> | undefined;
  /** Time of the newest sample, as it stands in the series. */
  #newestAt = 0;
  /** Whether some agent was seen for the first time at the last look. */
  #hasNew = false;
  /** Of the last look and the last question, on the monotonic clock. */
  #sampledAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: MetricsSamplerOptions) {
    this.#o = options;
  }

  /** Begins to take samples. */
  start(): void {
    this.#isStarted = true;
    this.#plan();
  }

  /** A window came or went: the next sample is due at another time. */
  noteWatched(): void {
    this.#plan();
  }

  /** Samples after a time, of some agents or of all; a sample that is due is taken first. */
  async read(question: { after?: number | undefined; ids?: readonly AgentId[] | undefined }): Promise<AgentMetrics> {
    this.#askedAt = performance.now();
    if (this.#dueInMs() <= 0) await this.#sample();
    this.#plan();
    const agents: Record<string, MetricSeries> = {};
    for (const id of question.ids ?? this.#entries.keys()) {
      const entry = this.#entries.get(id);
      const series = entry && since(entry, question.after ?? Number.NEGATIVE_INFINITY);
      if (series) agents[id] = series;
    }
    return { at: this.#newestAt, everyMs: this.#everyMs(), agents };
  }

  /** Takes no more samples and forgets those taken. */
  dispose(): void {
    this.#isStarted = false;
    clearTimeout(this.#timer);
    this.#entries.clear();
  }

  #everyMs(): number {
    const isAsked = performance.now() - this.#askedAt < ASKED_FOR_MS;
    return isAsked || this.#o.isWatched() ? (this.#o.watchedMs ?? WATCHED_MS) : (this.#o.unwatchedMs ?? UNWATCHED_MS);
  }

  #dueInMs(): number {
    const everyMs = this.#everyMs();
    return this.#sampledAt + (this.#hasNew ? Math.min(everyMs, SECOND_LOOK_MS) : everyMs) - performance.now();
  }

  #plan(): void {
    clearTimeout(this.#timer);
    if (!this.#isStarted) return;
    const onTime = (): void => {
      this.#sample().then(
        () => this.#plan(),
        () => this.#plan(),
      );
    };
    this.#timer = setTimeout(onTime, Math.max(0, this.#dueInMs()));
    this.#timer.unref();
  }

  /** Takes one sample of every living agent. Who asks while one is taken waits for that one. */
  #sample(): Promise<void> {
    this.#sampling ??= this.#measure().finally(() => {
      this.#sampling = undefined;
    });
    return this.#sampling;
  }

  async #measure(): Promise<void> {
    this.#sampledAt = performance.now();
    const living = this.#o.living();
    const ids = new Set(living.map((run) => run.agentId));
    for (const id of this.#entries.keys()) if (!ids.has(id)) this.#entries.delete(id);
    const figures = await Promise.all(
      // One that cannot be measured keeps no other from it.
      living.map(async (run) => ({ run, stats: await run.stats().catch(() => undefined) })),
    );
    if (!this.#isStarted) return;
    const at = this.#o.now();
    this.#newestAt = at;
    this.#hasNew = false;
    for (const { run, stats } of figures) if (stats) this.#note(run, stats, at);
  }

  #note(run: MeasuredRun, stats: RunStats, at: number): void {
    const entry = this.#entries.get(run.agentId);
    if (!entry) {
      this.#hasNew = true;
      // Nothing to compare with yet: the first sample comes with the second look.
      this.#entries.set(run.agentId, {
        runId: run.runId,
        cpuMs: stats.cpuMs,
        readAt: stats.at,
        at: [],
        cpu: [],
        memoryBytes: [],
      });
      return;
    }
    const elapsedMs = stats.at - entry.readAt;
    if (elapsedMs <= 0) return;
    if (entry.runId === run.runId) {
      // Less than before: one that used much has ended and nobody of the agent's collected it.
      push(entry.cpu, Math.round((Math.max(0, stats.cpuMs - entry.cpuMs) / elapsedMs) * 1_000) / 10);
      push(entry.memoryBytes, stats.memoryBytes);
      push(entry.at, at);
    }
    entry.runId = run.runId;
    entry.cpuMs = stats.cpuMs;
    entry.readAt = stats.at;
  }
}

function push(ring: number[], value: number): void {
  ring.push(value);
  if (ring.length > SAMPLES_KEPT) ring.shift();
}

function since(entry: Entry, after: number): MetricSeries | undefined {
  const from = entry.at.findIndex((at) => at > after);
  if (from < 0) return undefined;
  return { at: entry.at.slice(from), cpu: entry.cpu.slice(from), memoryBytes: entry.memoryBytes.slice(from) };
}
