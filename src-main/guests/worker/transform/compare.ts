/** Comparing JSON values: for conditions and for sorting. */
import { canonicalJson } from '#shared/kernel/json.ts';
import type { Json } from '#shared/kernel/json.ts';
import type { Comparison } from '#shared/worker/transform-model.ts';

/** Whether all stated comparisons hold for a value; `undefined` is a field that is not there. */
export function compares(value: Json | undefined, comparison: Comparison): boolean {
  const { equals, notEquals, above, atLeast, below, atMost, contains, startsWith, endsWith, exists } = comparison;
  if (exists !== undefined && exists !== (value !== undefined && value !== null)) return false;
  if (equals !== undefined && !isEqual(value, equals)) return false;
  if (notEquals !== undefined && isEqual(value, notEquals)) return false;
  if (comparison.in !== undefined && !comparison.in.some((candidate) => isEqual(value, candidate))) return false;
  if (above !== undefined && !isOrdered(value, above, (order) => order > 0)) return false;
  if (atLeast !== undefined && !isOrdered(value, atLeast, (order) => order >= 0)) return false;
  if (below !== undefined && !isOrdered(value, below, (order) => order < 0)) return false;
  if (atMost !== undefined && !isOrdered(value, atMost, (order) => order <= 0)) return false;
  if (contains !== undefined && !doesContain(value, contains)) return false;
  if (startsWith !== undefined && !(typeof value === 'string' && value.startsWith(startsWith))) return false;
  if (endsWith !== undefined && !(typeof value === 'string' && value.endsWith(endsWith))) return false;
  return true;
}

/** Whether two values are the same JSON; the order of an object's keys does not matter. */
export function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b));
}

/** Numbers with numbers and texts with texts; anything else is not ordered. */
function isOrdered(value: Json | undefined, limit: number | string, test: (order: number) => boolean): boolean {
  if (typeof value === 'number' && typeof limit === 'number') return test(value - limit);
  if (typeof value === 'string' && typeof limit === 'string') return test(compareTexts(value, limit));
  return false;
}

function doesContain(value: Json | undefined, wanted: Json): boolean {
  if (typeof value === 'string') return typeof wanted === 'string' && value.includes(wanted);
  return Array.isArray(value) && value.some((element) => isEqual(element, wanted));
}

/** A total order for sorting: missing and null, booleans, numbers, texts, then the rest by its JSON. */
export function compareForSort(a: Json | undefined, b: Json | undefined): number {
  const byKind = sortRank(a) - sortRank(b);
  if (byKind !== 0) return byKind;
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (typeof a === 'string' && typeof b === 'string') return compareTexts(a, b);
  return a === undefined || a === null ? 0 : compareTexts(canonicalJson(a), canonicalJson(b));
}

function sortRank(value: Json | undefined): number {
  if (value === undefined || value === null) return 0;
  const rank = { boolean: 1, number: 2, string: 3, object: 4 };
  return rank[typeof value as keyof typeof rank];
}

/** By code unit: the same everywhere, whatever the locale. */
function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
