/**
 * The runs of agents: which process belongs to which agent, and what its end means.
 * Invariant: at most one run per agent; what the runtime reports about an earlier one changes nothing.
 */
import type { Agent, AgentRun } from '#shared/agents/model.ts';
import { isAlive } from '#shared/agents/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { Run, RunEnd } from '#core/runtimes/runtime.ts';
import type { AgentRegistry } from './agent-registry.ts';
import { DRIVERS } from './types/drivers.ts';

/** How long a process that ran over its limit may take to end by itself, in milliseconds. */
const TIMEOUT_GRACE_MS = 5_000;
/** Until what could not be stored is tried again, in milliseconds: a disk that was full has room again some time. */
const RETRY_MS = 1_000;
/** Longest delay that a timer holds (2^31 - 1 ms); a later deadline is looked at again then. */
const MAX_TIMER_MS = 2 ** 31 - 1;

interface Entry {
  readonly run: Run;
  /** Settles with the last try to write the end to the table. */
  settled: Promise<void>;
  /** The end that could not be written, while it waits to be tried again. */
  unstored: RunEnd | undefined;
  /** Whether writing the end has failed before. */
  isFailing: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** Owns the runs. */
export class AgentRuns implements Disposable {
  readonly #registry: AgentRegistry;
  readonly #onEnded: (agent: Agent) => Promise<void>;
  readonly #now: () => number;
  readonly #log: (message: string, error: unknown) => void;
  readonly #entries = new Map<AgentId, Entry>();
  #isClosed = false;

  constructor(options: {
    registry: AgentRegistry;
    now: () => number;
    onEnded: (agent: Agent) => Promise<void>;
    log: (message: string, error: unknown) => void;
  }) {
    this.#registry = options.registry;
    this.#now = options.now;
    this.#onEnded = options.onEnded;
    this.#log = options.log;
  }

  /** The last run of an agent: live, or ended with its screen still kept. */
  find(id: AgentId): Run | undefined {
    return this.#entries.get(id)?.run;
  }

  /** Watches a run until it ends, and its time limit. */
  track(agent: Agent, run: Run): void {
    // A launch that was under way when the core began to close: the process is the next core's.
    if (this.#isClosed) return run.release();
    this.#clear(agent.id);
    const entry: Entry = { run, timer: undefined, unstored: undefined, isFailing: false, settled: Promise.resolve() };
    this.#entries.set(agent.id, entry);
    this.#settle(
      entry,
      run.ended.then((end) => this.#end(agent.id, entry, end)),
    );
    const limit = agent.config.resourceLimits.timeout;
    if (DRIVERS[agent.config.type].isTimeoutForRun && limit > 0) this.#watchLimit(agent.id, entry, run.startedAt + limit, limit);
  }

  /** Resolves when the end of the present run is in the table. Fails with UNAVAILABLE when it cannot be stored now; it is tried again. */
  async settled(id: AgentId): Promise<void> {
    const entry = this.#entries.get(id);
    if (!entry) return;
    if (entry.unstored) this.#retry(id, entry, entry.unstored);
    await entry.settled;
  }

  /** Forgets an agent's run and what the runtime keeps of it. One over its time limit may still be ending: that is awaited. */
  async discard(id: AgentId): Promise<void> {
    const entry = this.#entries.get(id);
    if (!entry) return;
    await entry.run.stop(TIMEOUT_GRACE_MS);
    await this.settled(id);
    this.#clear(id);
    await entry.run.discard();
  }

  /** Lets go of all runs; processes go on where the runtime can keep them. */
  dispose(): void {
    this.#isClosed = true;
    for (const id of [...this.#entries.keys()]) {
      this.#entries.get(id)?.run.release();
      this.#clear(id);
    }
  }

  #clear(id: AgentId): void {
    clearTimeout(this.#entries.get(id)?.timer);
    this.#entries.delete(id);
  }

  #watchLimit(id: AgentId, entry: Entry, deadline: number, limit: number): void {
    const wait = Math.max(0, deadline - this.#now());
    entry.timer = setTimeout(
      () => {
        if (this.#now() < deadline) return this.#watchLimit(id, entry, deadline, limit);
        this.#registry
          .apply(id, { type: 'timed-out', timeoutMs: limit })
          .then((agent) => (agent.state.status === 'failed' ? entry.run.stop(TIMEOUT_GRACE_MS) : undefined))
          .catch((error: unknown) => {
            this.#log(`the time limit of agent ${id} could not be enforced`, error);
            if (this.#entries.get(id) === entry && !entry.isFailing) this.#watchLimit(id, entry, this.#now() + RETRY_MS, limit);
          });
      },
      Math.min(wait, MAX_TIMER_MS),
    );
  }

  async #end(id: AgentId, entry: Entry, end: RunEnd): Promise<void> {
    if (this.#isClosed || this.#entries.get(id) !== entry) return;
    clearTimeout(entry.timer);
    try {
      const fact =
        end.kind === 'exited'
          ? ({ type: 'exited', exit: end.exit, cause: end.cause } as const)
          : ({ type: 'unreachable', reason: end.reason } as const);
      const agent = await this.#registry.apply(id, fact);
      if (!isAlive(agent.state.status)) await this.#onEnded(agent);
    } catch (error) {
      if (this.#isClosed || this.#entries.get(id) !== entry) return;
      // Said once; as long as it is not stored, the table calls an agent alive that is not.
      if (!entry.isFailing) this.#log(`the end of agent ${id} could not be stored; it is tried again until it can`, error);
      entry.isFailing = true;
      entry.unstored = end;
      entry.timer = setTimeout(() => this.#retry(id, entry, end), RETRY_MS);
      throw error;
    }
  }

  #retry(id: AgentId, entry: Entry, end: RunEnd): void {
    entry.unstored = undefined;
    this.#settle(entry, this.#end(id, entry, end));
  }

  #settle(entry: Entry, settled: Promise<void>): void {
    entry.settled = settled;
    // Logged where it failed; who waits for it is told, and often nobody waits.
    settled.catch(() => undefined);
  }
}

/** What of a run the agent's row keeps. */
export function runRowOf(run: Run): AgentRun {
  return { id: run.runId, pid: run.pid, startedAt: run.startedAt, attachCommand: run.attachCommand ?? null };
}
