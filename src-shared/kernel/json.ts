/** JSON values, and one canonical text for each. */
import * as z from 'zod';

/** Any JSON value. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/**
 * Deepest nesting of lists and objects. What walks a value by recursion (a schema, JSON.stringify, parsers in agents' own
 * languages) has a limit of its own and fails in its own way: serde_json's, 128, is the smallest that agents are likely to meet.
 */
export const MAX_JSON_DEPTH = 128;

/** Whether a value is JSON and nested no deeper than `MAX_JSON_DEPTH`. Walks without recursion: the value is anybody's. */
function isJson(value: unknown): value is Json {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value: one, depth } = next;
    if (one === null || typeof one === 'string' || typeof one === 'boolean') continue;
    if (typeof one === 'number') {
      if (!Number.isFinite(one)) return false;
      continue;
    }
    if (typeof one !== 'object' || depth >= MAX_JSON_DEPTH || !isPlain(one)) return false;
    for (const inner of Object.values(one)) open.push({ value: inner, depth: depth + 1 });
  }
  return true;
}

/** Lists and objects as JSON.parse makes them: no dates, maps or other instances. */
function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Any JSON value. It is kept as it is, whatever its keys are called. */
export const Json: z.ZodType<Json> = z
  .unknown()
  .refine(isJson, `must be JSON, nested at most ${MAX_JSON_DEPTH} levels deep`) as z.ZodType<Json>;

/** JSON with object keys sorted, so that equal values have equal texts: for hashes and comparisons. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}
