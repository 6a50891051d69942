import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { effort } from '#e2e/support/effort.ts';
import { Json, MAX_JSON_DEPTH, canonicalJson } from './json.ts';

/** The same value with the keys of every object in reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, reversed(inner)]),
  );
}

describe('canonicalJson', () => {
  it('sorts keys at every depth and keeps the order of lists', () => {
    expect(canonicalJson({ b: [{ d: 1, c: 2 }, 3], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1},3]}');
  });

  it('is one text per value, and reads back as that value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(reversed(value))).toBe(text);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: effort.propertyRuns },
    );
  });

  it('keeps odd keys apart', () => {
    const odd = JSON.parse('{"__proto__":{"x":1},"constructor":2,"10":3,"9":4}') as unknown;
    expect(JSON.parse(canonicalJson(odd))).toEqual(odd);
    expect(canonicalJson(odd)).toContain('"__proto__":{"x":1}');
    expect(canonicalJson({ a: 1 })).not.toBe(canonicalJson({ a: '1' }));
    expect(canonicalJson({ a: undefined })).toBe('{}');
  });
});

describe('Json', () => {
  it('takes JSON and nothing else', () => {
    for (const good of [null, 1, 'x', true, [], { a: [{}] }]) expect(Json.safeParse(good).success).toBe(true);
    for (const bad of [undefined, () => 1, 1n, Number.NaN, Infinity, Symbol('x')])
      expect(Json.safeParse(bad).success).toBe(false);
  });

  it('takes what is nested up to its limit, and refuses the rest without running out of stack', () => {
    const nested = (depth: number): unknown => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`);
    expect(Json.safeParse(nested(MAX_JSON_DEPTH)).success).toBe(true);
    expect(Json.safeParse(nested(MAX_JSON_DEPTH + 1)).success).toBe(false);
    expect(Json.safeParse(nested(200_000)).success).toBe(false);
    expect(Json.safeParse(JSON.parse(`${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`)).success).toBe(false);
  });

  it('keeps every key, also one that a prototype has', () => {
    const text = '{"__proto__":{"x":1},"constructor":{"prototype":2}}';
    expect(JSON.stringify(Json.parse(JSON.parse(text)))).toBe(text);
    expect(z.strictObject({ data: Json.optional() }).safeParse({}).success).toBe(true);
    expect(z.strictObject({ data: Json }).safeParse({}).success).toBe(false);
  });
});
