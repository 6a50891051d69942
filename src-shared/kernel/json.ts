/** JSON values, and one canonical text for each. */
import * as z from 'zod';

/** Any JSON value. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** Any JSON value. */
export const Json: z.ZodType<Json> = z.json() as z.ZodType<Json>;

/** JSON with object keys sorted, so that equal values have equal texts: for hashes and comparisons. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}
