/**
 * Wraps what a streaming procedure returns. The source is asked for the next item only when the door wants one, so a slow
 * reader slows the source down; when the call is over the source is released at once, even while it waits for an item.
 */

/** What the wrapper needs to know. */
export interface StreamEnds {
  readonly signal: AbortSignal;
  /** The form in which an error of the source leaves. */
  readonly toError: (error: unknown) => Error;
  /** Called once, when the stream is over for whatever reason. */
  readonly onEnd: () => void;
}

/** Whether a procedure returned a stream. */
export function isStream(value: unknown): value is AsyncIterator<unknown> & AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Symbol.asyncIterator in value &&
    'next' in value &&
    typeof value.next === 'function'
  );
}

/** Wraps a stream. */
export function guardStream(source: AsyncIterator<unknown>, ends: StreamEnds): AsyncGenerator<unknown, unknown, void> {
  let isOver = false;
  let isReleased = false;
  /** Gives up the item that is waited for. */
  let interrupt: (() => void) | undefined;
  const release = (): void => {
    if (isReleased) return;
    isReleased = true;
    interrupt?.();
    ends.signal.removeEventListener('abort', release);
    // A generator that waits ends when its own signal does; nobody waits for it here.
    source.return?.()?.catch(() => undefined);
    ends.onEnd();
  };
  const finish = (): void => {
    isOver = true;
    release();
  };
  // At once, also while the door is busy sending and asks for nothing.
  if (ends.signal.aborted) release();
  else ends.signal.addEventListener('abort', release, { once: true });

  const stopped = (): Error => new Error('The stream was stopped.', { cause: ends.signal.reason });
  // No race with a promise that lives as long as the stream: each race would stay in its memory.
  const pull = async (): Promise<IteratorResult<unknown, unknown>> =>
    await new Promise((resolve, reject) => {
      interrupt = () => reject(stopped());
      source.next().then(resolve, reject);
    });

  const stream: AsyncGenerator<unknown, unknown, void> = {
    async next() {
      if (isOver) return { done: true, value: undefined };
      try {
        if (isReleased) throw stopped();
        const result = await pull();
        if (result.done) finish();
        return result;
      } catch (error) {
        if (isOver) return { done: true, value: undefined };
        const failure = ends.toError(error);
        finish();
        throw failure;
      }
    },
    async return(value) {
      finish();
      return { done: true, value: await value };
    },
    async throw(error) {
      finish();
      throw error;
    },
    [Symbol.asyncIterator]: () => stream,
    [Symbol.asyncDispose]: async () => finish(),
  };
  return stream;
}
