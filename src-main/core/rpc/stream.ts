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
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value && 'next' in value && typeof value.next === 'function';
}

/** Wraps a stream. */
export function guardStream(source: AsyncIterator<unknown>, ends: StreamEnds): AsyncGenerator<unknown, unknown, void> {
  let isOver = false;
  let stop: (() => void) | undefined;
  const stopped = new Promise<'stopped'>((resolve) => {
    stop = () => resolve('stopped');
  });
  const onAbort = (): void => stop?.();
  const finish = (): void => {
    if (isOver) return;
    isOver = true;
    stop?.();
    ends.signal.removeEventListener('abort', onAbort);
    // A generator that waits ends when its own signal does; nobody waits for it here.
    source.return?.()?.catch(() => undefined);
    ends.onEnd();
  };
  if (ends.signal.aborted) stop?.();
  else ends.signal.addEventListener('abort', onAbort, { once: true });

  const stream: AsyncGenerator<unknown, unknown, void> = {
    async next() {
      if (isOver) return { done: true, value: undefined };
      try {
        const next = source.next();
        // When the stop wins, what the source still does is nobody's business.
        next.catch(() => undefined);
        const result = await Promise.race([next, stopped]);
        if (result === 'stopped') {
          if (isOver) return { done: true, value: undefined };
          throw ends.signal.reason;
        }
        if (result.done) finish();
        return result;
      } catch (error) {
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
