/**
 * An end for every question to a container engine. One that hangs takes connections and never answers, so that without this
 * a launch would wait for ever and hold its place among those that are started at once.
 */

/** How long an answer may take that costs the engine work (a container made, started, removed), in milliseconds: twenty at once take seconds. */
const ANSWER_MS = 60_000;

/** The engine took a connection and did not answer in time. */
export class EngineSilence extends Error {
  /** As of a connection that nobody answers, so that it counts as an engine that is away. */
  readonly code = 'ETIMEDOUT';
  /** What it was asked to do: "make the container". */
  readonly step: string;

  constructor(step: string, afterMs: number) {
    super(`it did not answer within ${afterMs / 1000} s when it was asked to ${step}`);
    this.step = step;
  }
}

/**
 * Asks, and gives up when there is no answer in time: the signal breaks the connection. Rejects with an `EngineSilence` then,
 * else as `ask` does. What the engine was asked for may still happen later.
 */
export async function askEngine<T>(
  step: string,
  ask: (abortSignal: AbortSignal) => Promise<T>,
  timeoutMs: number = ANSWER_MS,
): Promise<T> {
  const given = new AbortController();
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new EngineSilence(step, timeoutMs));
    given.abort();
  }, timeoutMs);
  try {
    return await Promise.race([ask(given.signal), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
