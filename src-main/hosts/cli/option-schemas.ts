/** Options that several commands take. */
import * as z from 'zod';
import { DurationMs } from '#shared/kernel/units.ts';

/** A whole number from `min` to `max`, as written on a command line. */
export function wholeNumber(min: number, max: number): z.ZodType<number, unknown> {
  return z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .pipe(
      z
        .number()
        .min(min, `must be a whole number from ${min} to ${max}`)
        .max(max, `must be a whole number from ${min} to ${max}`),
    );
}

/** A duration such as "30s"; a bare number is milliseconds. */
export const Duration = z
  .string()
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : text))
  .pipe(DurationMs);

/** How long a command waits for answers when nothing is said, in milliseconds: ten minutes, as workers' own default. */
export const DEFAULT_WAIT_MS = 600_000;
