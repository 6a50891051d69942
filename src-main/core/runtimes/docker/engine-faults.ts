/** What a container engine's refusals mean, in the words of this product. */
import * as z from 'zod';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import { restartEngine } from './engine-commands.ts';
import { EngineSilence } from './engine-deadline.ts';

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

/** The code with which a connection failed or broke, as Node names it; undefined where there is none. */
export function codeOf(error: unknown): string | undefined {
  const parsed = Fault.safeParse(error);
  return parsed.success && typeof parsed.data.code === 'string' ? parsed.data.code : undefined;
}

/** Whether nobody answered: the engine is not there, or went away while it was asked. */
export function isAway(error: unknown): boolean {
  if (statusOf(error) !== undefined) return false;
  const code = codeOf(error);
  return (code !== undefined && AWAY.has(code)) || /socket hang up|aborted/.test(messageOf(error));
}

const FULL = /no space left on device|disk quota exceeded/i;

/** An AppError for a failed call. `what` says what could not be done: "Agent a cannot be started in a container". */
export function engineFault(what: string, error: unknown): AppError {
  if (error instanceof AppError && !FULL.test(error.message)) return error;
  if (error instanceof EngineSilence) {
    return new AppError(
      'UNAVAILABLE',
      `${what}: the container engine hangs: ${messageOf(error)}. Restart it, then try again: ${restartEngine()}`,
      { cause: error, data: { cause: 'engine', step: error.step, remedy: restartEngine() } },
    );
  }
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
