/**
 * Runs one accepted module for one step of one project, in a thread of its own. Invariants: a call ends, whatever the module
 * does; a thread whose module did not answer in time is ended, and the next call has a new one; one call at a time.
 */
import { Worker } from 'node:worker_threads';
import * as z from 'zod';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { messageOf } from '#shared/kernel/errors.ts';
import { MAX_ANSWER_CHARS, MODULE_HARNESS } from './module-harness.ts';

/** What a module answered: JSON, or why there is none. */
export type ModuleAnswer = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

/** How a module is run. */
export interface ModuleRunnerOptions {
  /** The module's text. */
  readonly code: string;
  /** For one message, in milliseconds. */
  readonly timeoutMs: number;
}

/** Calls that wait at once; further ones fail without being tried, so that nobody waits for a module that always takes its time. */
const MAX_WAITING = 50;
/** Node itself needs this long at most to start a thread, on a machine that does much else. In milliseconds. */
const START_MS = 30_000;
/** A module has this long to be loaded: what stands outside its function. In milliseconds. */
const LOAD_MS = 5_000;
/** The heap of a module in megabytes. Memory outside the heap (buffers) is not held by it; the deadline ends that, too. */
const LIMITS = { maxOldGenerationSizeMb: 48, maxYoungGenerationSizeMb: 8, codeRangeSizeMb: 8, stackSizeMb: 2 };

const Told = z.union([
  z.object({ started: z.literal(true) }),
  z.object({ loaded: z.literal(true) }),
  z.object({ id: z.number(), value: z.string() }),
  z.object({ id: z.number(), problem: z.string() }),
  z.object({ problem: z.string() }),
]);

/** A thread that has loaded the module. */
interface Thread {
  readonly worker: Worker;
  /** Ends it, and whoever waits for it hears why. */
  readonly end: (problem: string) => void;
  /** Told what comes next: an answer, or why there is none. */
  onTold: (told: z.infer<typeof Told>) => void;
  isOver: boolean;
}

/** Runs a module. */
export class ModuleRunner implements Disposable {
  readonly #options: ModuleRunnerOptions;
  #thread: Thread | undefined;
  #waiting = 0;
  #nextId = 1;
  #last: Promise<unknown> = Promise.resolve();
  #isDisposed = false;

  constructor(options: ModuleRunnerOptions) {
    this.#options = options;
  }

  /** Whether a thread is alive: leak checks use it. */
  get isRunning(): boolean {
    return this.#thread !== undefined;
  }

  /** Gives a draft to the module. Never rejects. */
  call(draft: unknown, context: unknown): Promise<ModuleAnswer> {
    if (this.#waiting >= MAX_WAITING)
      return Promise.resolve({ ok: false, problem: `${MAX_WAITING} messages wait for it already` });
    this.#waiting += 1;
    const answer = this.#last.then(() => this.#call(draft, context)).finally(() => (this.#waiting -= 1));
    this.#last = answer;
    return answer;
  }

  /** Ends the thread; calls under way fail. */
  dispose(): void {
    this.#isDisposed = true;
    this.#thread?.end('it was ended');
  }

  async #call(draft: unknown, context: unknown): Promise<ModuleAnswer> {
    if (this.#isDisposed) return { ok: false, problem: 'it was ended' };
    const thread = await this.#loaded();
    if (typeof thread === 'string') return { ok: false, problem: thread };
    const id = this.#nextId++;
    return new Promise<ModuleAnswer>((resolve) => {
      const timer = setTimeout(
        () => thread.end(`it gave no answer within ${this.#options.timeoutMs} ms`),
        this.#options.timeoutMs,
      );
      thread.onTold = (told) => {
        if ('id' in told && told.id !== id) return;
        clearTimeout(timer);
        if (!('value' in told))
          return resolve({ ok: false, problem: 'problem' in told ? told.problem : 'it said something else' });
        try {
          resolve({ ok: true, value: JSON.parse(told.value) as unknown });
        } catch (error) {
          resolve({ ok: false, problem: `its answer is no JSON: ${messageOf(error)}` });
        }
      };
      if (thread.isOver) return thread.onTold({ problem: 'it ended by itself' });
      thread.worker.postMessage(JSON.stringify({ id, draft, context }));
    });
  }

  /** A thread that has loaded the module, or why there is none. */
  #loaded(): Promise<Thread | string> {
    const running = this.#thread;
    if (running && !running.isOver) return Promise.resolve(running);
    return new Promise((resolve) => {
      let worker: Worker;
      try {
        worker = new Worker(MODULE_HARNESS, {
          eval: true,
          workerData: { code: Buffer.from(this.#options.code).toString('base64'), maxChars: MAX_ANSWER_CHARS },
          env: {},
          argv: [],
          execArgv: [],
          // What it prints goes nowhere: standard output belongs to the host's own commands.
          stdout: true,
          stderr: true,
          resourceLimits: LIMITS,
        });
      } catch (error) {
        return resolve(`its thread cannot be started: ${messageOf(error)}`);
      }
      worker.unref();
      worker.stdout.resume();
      worker.stderr.resume();
      let timer = setTimeout(() => thread.end(`its thread did not start within ${START_MS} ms`), START_MS);
      const thread: Thread = {
        worker,
        isOver: false,
        end: (problem) => {
          if (thread.isOver) return;
          thread.isOver = true;
          clearTimeout(timer);
          if (this.#thread === thread) this.#thread = undefined;
          worker.terminate().catch(() => undefined);
          thread.onTold({ problem });
        },
        onTold: (told) => {
          if ('started' in told) {
            clearTimeout(timer);
            timer = setTimeout(() => thread.end(`it was not loaded within ${LOAD_MS} ms`), LOAD_MS);
          } else if ('loaded' in told) {
            clearTimeout(timer);
            resolve(thread);
          } else if ('problem' in told) {
            resolve(told.problem);
            thread.end(told.problem);
          }
        },
      };
      worker.on('message', (message: unknown) => {
        const told = Told.safeParse(message);
        if (!thread.isOver) thread.onTold(told.success ? told.data : { problem: 'it said something else' });
      });
      worker.on('messageerror', () => thread.end('it said something that cannot be read'));
      worker.on('error', (error: unknown) => thread.end(`it ended: ${messageOf(error)}`));
      worker.on('exit', () => thread.end('it ended by itself'));
      this.#thread = thread;
    });
  }
}
