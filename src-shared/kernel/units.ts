/** Sizes and durations as people write them. */
import * as z from 'zod';

/** The nearest whole number; undefined beyond what numbers hold exactly. */
function wholeOf(value: number): number | undefined {
  const whole = Math.round(value);
  return Number.isSafeInteger(whole) ? whole : undefined;
}

const SIZE = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb|tb|kib|mib|gib|tib|k|m|g|t)?$/i;
const SIZE_FACTOR: Readonly<Record<string, number>> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Bytes in a text such as "512MB", "2GB" or "1.5GiB" (powers of 1024, as Docker counts); undefined when it is none. */
export function parseSize(text: string): number | undefined {
  const match = SIZE.exec(text.trim());
  if (!match) return undefined;
  const factor = SIZE_FACTOR[(match[2] ?? 'b').charAt(0).toLowerCase()];
  return factor === undefined ? undefined : wholeOf(Number(match[1]) * factor);
}

const DURATION = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)$/i;
const DURATION_FACTOR: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds in a text such as "500ms", "30s", "10m" or "2h"; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = DURATION.exec(text.trim());
  if (!match) return undefined;
  const factor = DURATION_FACTOR[(match[2] ?? '').toLowerCase()];
  return factor === undefined ? undefined : wholeOf(Number(match[1]) * factor);
}

/** A size with its unit, kept as written. */
export const SizeText = z
  .string()
  .refine((text) => (parseSize(text) ?? 0) > 0, 'must be a size above 0 such as "512MB" or "2GB"')
  .describe('A size with its unit, for example "512MB" or "2GB"');

/** Milliseconds as a number, or a text with a unit; becomes milliseconds. */
export const DurationMs = z
  .union([
    z.number().int().min(0),
    z
      .string()
      .refine((text) => parseDuration(text) !== undefined, 'must be milliseconds or a duration such as "30s", "10m" or "2h"'),
  ])
  .transform((value) => (typeof value === 'number' ? value : (parseDuration(value) ?? 0)))
  .pipe(z.number().int())
  .describe('Milliseconds, or a duration with its unit such as "30s", "10m" or "2h"');
