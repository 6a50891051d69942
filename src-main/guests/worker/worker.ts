/**
 * The worker's loop: takes messages, keeps the queue, runs as many tasks at once as allowed.
 * Invariant: a message is acknowledged only when it has been dealt with (a task: when its reply is stored), and one that
 * comes twice is dealt with once; so nothing is lost and nothing done twice, whenever the worker or the core ends.
 */
import { backoffMs, RECONNECT } from '#shared/kernel/backoff.ts';
import { PRIORITIES } from '#shared/messages/model.ts';
import { CallError } from './agent-interface.ts';
import { titleOf } from './inbox-message.ts';
import type { InboxMessage, InboxPage } from './inbox-message.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { pause } from './pause.ts';
import type { QueueEntry } from './queue-file.ts';
import type { Status } from './status-reporter.ts';
import { runTask } from './task-runner.ts';
import type { TaskRunnerOptions } from './task-runner.ts';

/** How long one long-poll waits, in milliseconds. */
const WAIT_MS = 25_000;
/** Ids of dealt-with messages that are remembered. Each is shown again only until its acknowledgement is stored. */
const REMEMBERED_IDS = 10_000;

/** What a worker is made of. */
export interface WorkerOptions extends TaskRunnerOptions {
  readonly maxConcurrentTasks: number;
  /** Called whenever the queue has changed. */
  readonly onQueue: (entries: readonly QueueEntry[]) => void;
  readonly onStatus: (status: Status) => void;
}

/** A task from its arrival to its answer. */
interface Job {
  readonly message: InboxMessage;
  readonly slot: number;
  sinceMs: number;
  progress: number;
  /** Aborted when it is interrupted by hand: then it goes back into the queue. */
  readonly interrupted: AbortController;
}

/** Takes and does the work of one agent. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #waiting: InboxMessage[] = [];
  readonly #arrivedAt = new Map<string, number>();
  readonly #running = new Map<string, Job>();
  /** Every message that was seen and is not to be taken again. */
  readonly #seen = new Set<string>();
  /** Of these, the ones that were dealt with: shown again, they are only acknowledged. */
  readonly #dealtWith = new Set<string>();
  readonly #tasks = new Map<string, Promise<void>>();
  readonly #fatal = new AbortController();
  #hasHiddenUnread = false;
  #isListStale = false;
  /** Interrupted by hand: nothing is started until `goOn`. */
  #isHeld = false;
  #signal: AbortSignal | undefined;
  #done = 0;
  #failed = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
  }

  /** Numbers for the health page. */
  get counts(): { running: number; waiting: number; done: number; failed: number } {
    return { running: this.#running.size, waiting: this.#waiting.length, done: this.#done, failed: this.#failed };
  }

  /** Whether it was interrupted by hand and waits for `goOn`. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /**
   * Interrupts what is being done: its processes are ended, its tasks go back to the head of the queue, and none is started
   * until `goOn`. False when nothing was being done: then nothing has changed.
   */
  hold(): boolean {
    if (this.#running.size === 0 || this.#isHeld) return false;
    this.#isHeld = true;
    for (const job of this.#running.values()) job.interrupted.abort(new Error('interrupted by hand'));
    this.#reportStatus();
    return true;
  }

  /** Takes up again what was interrupted. */
  goOn(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    if (this.#signal !== undefined) this.#startNext(this.#signal);
  }

  /** Works until the signal is aborted (then resolves, leaving unfinished tasks unanswered) or the core refuses the worker (then rejects with a CallError). */
  async run(stop: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([stop, this.#fatal.signal]);
    this.#signal = signal;
    const keeper = new LeaseKeeper({
      held: () => [...this.#seen].filter((id) => !this.#dealtWith.has(id)),
      extend: (ids, leaseMs) => this.#options.door.extendLease(ids, leaseMs, signal),
    });
    try {
      await this.#loop(signal);
    } catch (error) {
      if (!stop.aborted) throw this.#fatal.signal.aborted ? this.#fatal.signal.reason : error;
    } finally {
      keeper[Symbol.dispose]();
      // A task that is stopped ends its processes first.
      this.#fatal.abort(new Error('the worker ends'));
      await Promise.allSettled(this.#tasks.values());
    }
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { door } = this.#options;
    this.#reportQueue();
    let isFresh = true;
    for (let failures = 0; ;) {
      try {
        // After any break: what was handed out in a lost answer is only listed here.
        const isList = isFresh || (this.#hasHiddenUnread && !this.#isListStale);
        const page = isList ? await door.unreadMessages(signal) : await door.waitForMessages(WAIT_MS, signal);
        // A list with nothing new will have nothing new until a task that ends makes room for what is behind.
        if (isList) this.#isListStale = page.messages.every((message) => this.#seen.has(message.id));
        isFresh = false;
        failures = 0;
        await this.#take(page, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof CallError) || error.kind === 'revoked') throw error;
        if (error.kind === 'refused') this.#options.view.line('failed', `the core refused: ${error.message}`);
        isFresh = true;
        await pause(backoffMs(RECONNECT, failures), signal);
        failures += 1;
      }
    }
  }

  async #take(page: InboxPage, signal: AbortSignal): Promise<void> {
    const { replies, view } = this.#options;
    const acknowledge: string[] = [];
    for (const message of page.messages) {
      if (this.#seen.has(message.id)) {
        if (this.#dealtWith.has(message.id)) acknowledge.push(message.id);
        continue;
      }
      this.#seen.add(message.id);
      if (message.kind === 'task' || message.kind === 'request') this.#enqueue(message);
      else if (message.kind === 'reply') replies.deliver(message);
      else {
        view.line('message', `${message.kind} from ${message.from.id}: ${titleOf(message)}`);
        acknowledge.push(message.id);
      }
    }
    // Unread there, unknown here: behind the end of a list, or handed out to a connection that was already dead.
    this.#hasHiddenUnread = page.unread > this.#seen.size - this.#dealtWith.size;
    if (!this.#hasHiddenUnread) this.#isListStale = false;
    this.#startNext(signal);
    if (this.#running.size === 0 && !this.#hasHiddenUnread) {
      for (const reply of replies.takeUnclaimed()) {
        view.line('message', `reply from ${reply.from.id} that nobody waits for: ${titleOf(reply)}`);
        acknowledge.push(reply.id);
      }
    }
    await this.#acknowledge(acknowledge, signal);
  }

  async #acknowledge(ids: readonly string[], signal: AbortSignal): Promise<void> {
    if (ids.length === 0) return;
    await this.#options.door.markRead(ids, signal);
    for (const id of ids) this.#remember(id);
  }

  #remember(id: string): void {
    this.#seen.add(id);
    this.#dealtWith.add(id);
    for (const oldest of this.#dealtWith) {
      if (this.#dealtWith.size <= REMEMBERED_IDS) break;
      this.#dealtWith.delete(oldest);
      this.#seen.delete(oldest);
    }
  }

  #enqueue(message: InboxMessage): void {
    this.#arrivedAt.set(message.id, Date.now());
    // Behind everything that is at least as urgent.
    const behind = this.#waiting.findLastIndex((other) => rank(other) <= rank(message));
    this.#waiting.splice(behind + 1, 0, message);
  }

  #startNext(signal: AbortSignal): void {
    while (!this.#isHeld && this.#running.size < this.#options.maxConcurrentTasks) {
      const message = this.#waiting.shift();
      if (message === undefined) break;
      const slots = new Set([...this.#running.values()].map((job) => job.slot));
      let slot = 1;
      while (slots.has(slot)) slot += 1;
      const job: Job = { message, slot, sinceMs: Date.now(), progress: 0, interrupted: new AbortController() };
      this.#arrivedAt.delete(message.id);
      this.#running.set(message.id, job);
      this.#tasks.set(message.id, this.#runJob(job, signal));
    }
    this.#reportQueue();
  }

  async #runJob(job: Job, signal: AbortSignal): Promise<void> {
    const { message } = job;
    const tag = this.#options.maxConcurrentTasks > 1 ? `[${job.slot}]` : '';
    this.#options.view.line('task', `${message.kind} from ${message.from.id}: ${titleOf(message)}`, tag);
    try {
      const progress = (share: number): void => {
        job.progress = Math.min(1, Math.max(0, share));
        this.#reportStatus();
      };
      const { outcome, acknowledged } = await runTask(this.#options, {
        message,
        tag,
        progress,
        signal: AbortSignal.any([signal, job.interrupted.signal]),
      });
      if (outcome.ok) this.#done += 1;
      else this.#failed += 1;
      for (const id of acknowledged) this.#remember(id);
      this.#isListStale = false;
    } catch (error) {
      if (job.interrupted.signal.aborted && !signal.aborted) {
        this.#arrivedAt.set(message.id, Date.now());
        this.#waiting.unshift(message);
        return;
      }
      // Stopped: the message stays unread for the next start. Anything else ends the worker, so that the next start can try.
      if (!signal.aborted) this.#fatal.abort(error);
      return;
    } finally {
      this.#running.delete(message.id);
      this.#tasks.delete(message.id);
      // Held: the queue has it again. It may also be told to go on before it has let go.
      if (job.interrupted.signal.aborted) this.#startNext(signal);
    }
    this.#startNext(signal);
  }

  #reportQueue(): void {
    const running = [...this.#running.values()].map((job) => entryOf('running', job.message, job.sinceMs));
    this.#options.onQueue([
      ...running,
      ...this.#waiting.map((message) => entryOf('waiting', message, this.#arrivedAt.get(message.id) ?? 0)),
    ]);
    this.#reportStatus();
  }

  #reportStatus(): void {
    const jobs = [...this.#running.values()];
    if (this.#isHeld) {
      this.#options.onStatus({ doing: 'interrupted by hand in its terminal' });
      return;
    }
    if (jobs.length === 0) {
      // Nothing to say: what it said of the last task must not stay on the screen.
      this.#options.onStatus({ doing: '' });
      return;
    }
    const titles = jobs.map((job) => titleOf(job.message)).join('; ');
    const doing = jobs.length === 1 ? titles : `${jobs.length} tasks: ${titles}`;
    // Steps of a hundredth: finer ones would only be more reports.
    const progress = Math.round((jobs.reduce((sum, job) => sum + job.progress, 0) / jobs.length) * 100) / 100;
    this.#options.onStatus({ doing: doing.slice(0, 200), progress });
  }
}

function rank(message: InboxMessage): number {
  const index = PRIORITIES.findIndex((priority) => priority === message.priority);
  return index === -1 ? PRIORITIES.indexOf('normal') : index;
}

function entryOf(state: QueueEntry['state'], message: InboxMessage, sinceMs: number): QueueEntry {
  return { state, id: message.id, from: message.from.id, title: titleOf(message), sinceMs };
}
