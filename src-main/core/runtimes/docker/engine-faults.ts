/** What a container engine's refusals mean, in the words of this product. */
import * as z from 'zod';
import { AppError, messageOf } from '#shared/kernel/errors.ts';

const Fault = z.object({
  statusCode: z.number().optional(),
  code: z.unknown().optional(),
  json: z.object({ message: z.string() }).optional().catch(undefined),
});

/** Codes of Node with which a connection fails or breaks. */
const AWAY = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EACCES', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENOTFOUND']);

/** The HTTP status that the engine answered with; undefined when it did not answer. */
export function statusOf(error: unknown): number | undefined {
  const parsed = Fault.safeParse(error);
  return parsed.success ? parsed.data.statusCode : undefined;
}

/** The engine's own words, without dockerode's around them. */
export function wordsOf(error: unknown): string {
  const parsed = Fault.safeParse(error);
  return (
    (parsed.success ? parsed.data.json?.message : undefined) ??
    messageOf(error)
      .replace(/^\(HTTP code \d+\) [^-]*- /, '')
      .trim()
  );
}

/** Whether nobody answered: the engine is not there, or went away while it was asked. */
export function isAway(error: unknown): boolean {
  if (statusOf(error) !== undefined) return false;
  const parsed = Fault.safeParse(error);
  const code = parsed.success ? parsed.data.code : undefined;
  return (typeof code === 'string' && AWAY.has(code)) || /socket hang up|aborted/.test(messageOf(error));
}

const FULL = /no space left on device|disk quota exceeded/i;

/** An AppError for a failed call. `what` says what could not be done: "Agent a cannot be started in a container". */
export function engineFault(what: string, error: unknown): AppError {
  if (error instanceof AppError && !FULL.test(error.message)) return error;
  if (isAway(error)) {
    return new AppError('UNAVAILABLE', `${what}: the container engine does not answer (${messageOf(error)}). Is it running?`, {
      cause: error,
      data: { cause: 'engine' },
    });
  }
  const words = wordsOf(error);
  const isFull = FULL.test(words);
  return new AppError(
    'UNAVAILABLE',
    isFull ? `${what}: the disk of the container engine is full (${words}). Make room: docker system df` : `${what}: ${words}`,
    { cause: error, retryable: isFull, data: { cause: isFull ? 'disk' : 'engine' } },
  );
}
