/**
 * The calls that are under way. Invariant: each has one signal that ends when its client goes away or when the core ends;
 * after `endAll` a call that gives up because of it fails with UNAVAILABLE, which is worth a retry.
 */
import { AppError } from '#shared/kernel/errors.ts';

/** What a call fails with when the core ends. */
export function endingError(): AppError {
  return new AppError('UNAVAILABLE', 'Quarterdeck is ending. Connect again in a moment and repeat the call.', {
    retryable: true,
  });
}

/** One call under way. */
export interface OpenCall {
  readonly signal: AbortSignal;
  /** Whether the core's end, not the client, stopped it. */
  readonly wasEnded: () => boolean;
  readonly done: () => void;
  /** The call is over and nobody wants what it still does. */
  readonly cancel: () => void;
}

/** Keeps the calls that are under way. */
export class Calls {
  readonly #open = new Set<AbortController>();
  #isEnding = false;

  /** How many are under way, streams included. */
  get size(): number {
    return this.#open.size;
  }

  /** Starts a call; `client` is aborted when its client goes away. `done` must follow. */
  start(client: AbortSignal | undefined): OpenCall {
    if (this.#isEnding) throw endingError();
    const controller = new AbortController();
    const onGone = (): void => controller.abort(client?.reason);
    if (client?.aborted) onGone();
    else client?.addEventListener('abort', onGone, { once: true });
    this.#open.add(controller);
    const done = (): void => {
      this.#open.delete(controller);
      client?.removeEventListener('abort', onGone);
    };
    return {
      signal: controller.signal,
      wasEnded: () => this.#isEnding && controller.signal.reason instanceof AppError,
      done,
      cancel: () => {
        done();
        controller.abort();
      },
    };
  }

  /** Refuses new calls and tells those under way to stop. */
  endAll(): void {
    this.#isEnding = true;
    const reason = endingError();
    for (const controller of this.#open) controller.abort(reason);
  }
}
