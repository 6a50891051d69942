import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { RECONNECT, backoffMs } from './backoff.ts';

describe('backoffMs', () => {
  it('doubles from the first wait up to the longest', () => {
    const policy = { firstMs: 100, maxMs: 1_000, jitter: 0 };
    expect([0, 1, 2, 3, 4, 100, 5_000].map((attempt) => backoffMs(policy, attempt))).toEqual([
      100, 200, 400, 800, 1_000, 1_000, 1_000,
    ]);
  });

  it('stays within its bounds for any policy, try and chance', () => {
    const policy = fc.record({
      firstMs: fc.integer({ min: 1, max: 10_000 }),
      maxMs: fc.integer({ min: 1, max: 3_600_000 }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(policy, fc.nat({ max: 10_000 }), fc.double({ min: 0, max: 0.999_999, noNaN: true }), (p, attempt, random) => {
        const wait = backoffMs(p, attempt, random);
        expect(Number.isInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(Math.floor(Math.min(p.firstMs, p.maxMs) * (1 - p.jitter)));
        expect(wait).toBeLessThanOrEqual(p.maxMs);
      }),
      { numRuns: effort.propertyRuns },
    );
  });

  it('brings clients back to a restarted core within two seconds', () => {
    for (let attempt = 0; attempt < 50; attempt += 1) expect(backoffMs(RECONNECT, attempt)).toBeLessThanOrEqual(2_000);
  });
});
