/**
 * How a run is ended, in every runtime the same way: ask the agent (SIGTERM), let it end in its own order, ask what it left
 * behind, force the rest. Invariant: when `stop` resolves, no process of the tree is alive (or its pid was logged).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessTree } from './process-tree.ts';
import type { RunEnd } from './runtime.ts';

/** Tells what happened to whoever keeps the log: a sentence and its facts. */
export type RuntimeLog = (message: string, facts?: Readonly<Record<string, unknown>>) => void;

/** What the agent left behind gets this long between SIGTERM and SIGKILL, in milliseconds (less if the grace is over). */
const LEFTOVER_GRACE_MS = 1000;
/** How long a run whose processes are all gone may take to be reported as ended, in milliseconds. */
const REPORT_DEADLINE_MS = 10_000;

/** Ends one run. Calls while it is being ended join; a shorter grace shortens it. */
export class StopSequence {
  readonly #tree: ProcessTree;
  readonly #ended: Promise<RunEnd>;
  readonly #log: RuntimeLog;
  #deadline = Number.POSITIVE_INFINITY;
  #running: Promise<RunEnd> | undefined;
  #wake: (() => void) | undefined;

  constructor(parts: { tree: ProcessTree; ended: Promise<RunEnd>; log: RuntimeLog }) {
    this.#tree = parts.tree;
    this.#ended = parts.ended;
    this.#log = parts.log;
  }

  /** Ends the run; see `Run.stop`. */
  stop(graceMs: number): Promise<RunEnd> {
    this.#deadline = Math.min(this.#deadline, performance.now() + graceMs);
    this.#wake?.();
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      this.#deadline = Number.POSITIVE_INFINITY;
    });
    return this.#running;
  }

  /** Kills what is left of a run that has ended. */
  async sweep(): Promise<void> {
    const left = await this.#tree.kill();
    if (left.length > 0) this.#log('Processes of an ended agent could not be killed', { pids: left });
  }

  async #run(): Promise<RunEnd> {
    // The look before the first signal: who is a child now stays known when its parent is gone.
    await this.#tree.look(true);
    if (this.#deadline > performance.now()) {
      this.#tree.ask('SIGTERM');
      this.#tree.wake();
      if (!(await this.#endsBeforeDeadline()) || (await this.#askLeftovers())) await this.sweep();
    } else {
      await this.sweep();
    }
    const timeout = new AbortController();
    const unreported = sleep(REPORT_DEADLINE_MS, undefined, { signal: timeout.signal }).then((): RunEnd => ({
      kind: 'lost',
      reason: 'All processes of the agent are gone, but its runtime did not report how it ended',
    }));
    unreported.catch(() => undefined);
    try {
      return await Promise.race([this.#ended, unreported]);
    } finally {
      timeout.abort();
    }
  }

  async #endsBeforeDeadline(): Promise<boolean> {
    let hasEnded = false;
    const ended = this.#ended.then(() => {
      hasEnded = true;
    });
    while (!hasEnded) {
      const leftMs = this.#deadline - performance.now();
      if (leftMs <= 0) return false;
      let timer: NodeJS.Timeout | undefined;
      const pause = new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, Math.min(leftMs, 0x7fff_ffff));
      });
      await Promise.race([ended, pause]);
      clearTimeout(timer);
      this.#wake = undefined;
    }
    return true;
  }

  /** Asks what an ended agent left behind to end, too; tells whether there was anything. */
  async #askLeftovers(): Promise<boolean> {
    await this.#tree.look(true);
    if ((await this.#tree.signal('SIGTERM')) === 0) return false;
    this.#tree.wake();
    const deadline = performance.now() + LEFTOVER_GRACE_MS;
    while (this.#tree.hasSurvivors() && performance.now() < Math.min(deadline, this.#deadline)) await sleep(20);
    return true;
  }
}
