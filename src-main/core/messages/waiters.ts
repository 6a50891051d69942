/**
 * Callers that wait for messages, by inbox, first come first served. Owns their timers and abort listeners.
 * Invariant: a waiter is settled exactly once, and is in its queue exactly until then: whoever reads the queue inside a
 * write sees only callers that are still there.
 */
import type { InboxMessage } from '#shared/messages/model.ts';

/** What a waiter is given. */
export interface InboxPage {
  readonly messages: InboxMessage[];
  /** Unread messages in the inbox, these included. */
  readonly unread: number;
}

/** One caller. */
export interface Waiter {
  /** Most messages it takes. */
  readonly limit: number;
  /** How long it has them for itself, in milliseconds; undefined: as long as usual. */
  readonly leaseMs: number | undefined;
  /** What it was given; undefined when its time was up or its caller went away. Rejects when nothing can be given any more. */
  readonly outcome: Promise<InboxPage | undefined>;
  readonly isSettled: boolean;
  /** Gives it its page. */
  settle(page: InboxPage | undefined): void;
  fail(error: Error): void;
  /** Starts its deadline, in milliseconds from now. */
  expireAfter(timeoutMs: number): void;
}

/** What a waiter takes; see Waiter. */
type Wish = Pick<Waiter, 'limit' | 'leaseMs'>;

class QueuedWaiter implements Waiter {
  readonly limit: number;
  readonly leaseMs: number | undefined;
  readonly outcome: Promise<InboxPage | undefined>;
  isSettled = false;
  readonly #signal: AbortSignal;
  readonly #onSettled: () => void;
  readonly #onAbort = (): void => this.settle(undefined);
  #resolve: (page: InboxPage | undefined) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor({ limit, leaseMs }: Wish, signal: AbortSignal, onSettled: () => void) {
    this.limit = limit;
    this.leaseMs = leaseMs;
    this.#signal = signal;
    this.#onSettled = onSettled;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  settle(page: InboxPage | undefined): void {
    if (this.#end()) this.#resolve(page);
  }

  fail(error: Error): void {
    if (this.#end()) this.#reject(error);
  }

  expireAfter(timeoutMs: number): void {
    if (this.isSettled) return;
    if (timeoutMs === 0) this.settle(undefined);
    else this.#timer = setTimeout(() => this.settle(undefined), timeoutMs);
  }

  #end(): boolean {
    if (this.isSettled) return false;
    this.isSettled = true;
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#onSettled();
    return true;
  }
}

/** The waiters of every inbox. */
export class Waiters {
  readonly #queues = new Map<string, Set<Waiter>>();

  /** Adds a caller at the end of an inbox's queue. `signal` must not be aborted yet. */
  add(recipient: string, wish: Wish, signal: AbortSignal): Waiter {
    const queue = this.#queues.get(recipient) ?? new Set();
    this.#queues.set(recipient, queue);
    const waiter: Waiter = new QueuedWaiter(wish, signal, () => {
      queue.delete(waiter);
      if (queue.size === 0 && this.#queues.get(recipient) === queue) this.#queues.delete(recipient);
    });
    queue.add(waiter);
    return waiter;
  }

  /** Those who wait at an inbox now, the longest waiting first. */
  of(recipient: string): Waiter[] {
    return [...(this.#queues.get(recipient) ?? [])];
  }

  /** Whether somebody waits at an inbox. */
  has(recipient: string): boolean {
    return this.#queues.has(recipient);
  }

  /** How many wait anywhere: leak checks in tests use it. */
  get size(): number {
    let total = 0;
    for (const queue of this.#queues.values()) total += queue.size;
    return total;
  }

  /** Ends every wait with an error. */
  failAll(error: Error): void {
    for (const recipient of [...this.#queues.keys()]) for (const waiter of this.of(recipient)) waiter.fail(error);
  }
}
