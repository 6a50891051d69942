/**
 * Matches replies with those who wait for them. A reply may come before anybody waits (after a restart it is already in the
 * inbox when its task is run again), so it is kept until it is claimed or nobody is left who could claim it.
 */
import type { InboxMessage } from './inbox-message.ts';
import { TaskFailure } from './task-failure.ts';

/** Replies that came, and those who wait for one. */
export class ReplyDesk {
  readonly #waiting = new Map<string, (reply: InboxMessage) => void>();
  readonly #unclaimed = new Map<string, InboxMessage>();

  /** Takes a reply in. The first reply to a request is the answer. */
  deliver(reply: InboxMessage): void {
    const request = reply.inReplyTo ?? '';
    const resolve = this.#waiting.get(request);
    if (resolve !== undefined) {
      this.#waiting.delete(request);
      resolve(reply);
    } else if (!this.#unclaimed.has(request)) this.#unclaimed.set(request, reply);
  }

  /** The reply to a request: at once when it is there, else when it comes. Rejects on timeout, and with the signal's reason. */
  async replyTo(request: string, timeoutMs: number, signal: AbortSignal): Promise<InboxMessage> {
    signal.throwIfAborted();
    const early = this.#unclaimed.get(request);
    if (early !== undefined) {
      this.#unclaimed.delete(request);
      return early;
    }
    const timeout = AbortSignal.timeout(timeoutMs);
    const stop = AbortSignal.any([signal, timeout]);
    const { promise, resolve, reject } = Promise.withResolvers<InboxMessage>();
    const onStop = (): void => {
      this.#waiting.delete(request);
      reject(signal.aborted ? signal.reason : new TaskFailure('timeout', `no reply within ${timeoutMs} ms`));
    };
    stop.addEventListener('abort', onStop, { once: true });
    this.#waiting.set(request, resolve);
    try {
      return await promise;
    } finally {
      stop.removeEventListener('abort', onStop);
    }
  }

  /** Removes and returns the replies that nobody has claimed. */
  takeUnclaimed(): InboxMessage[] {
    const left = [...this.#unclaimed.values()];
    this.#unclaimed.clear();
    return left;
  }
}
