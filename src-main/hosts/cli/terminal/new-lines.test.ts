import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { newLines } from './new-lines.ts';

describe('newLines', () => {
  it('gives every line once while a text grows and loses its beginning', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.uuid(), { maxLength: 8 }), { maxLength: 12 }),
        fc.integer({ min: 8, max: 20 }),
        (growth, kept) => {
          const all: string[] = [];
          const seen: string[] = [];
          let before: readonly string[] = [];
          for (const lines of growth) {
            all.push(...lines);
            const now = all.slice(-kept);
            seen.push(...newLines(before, now));
            before = now;
          }
          expect(seen).toEqual(all);
        },
      ),
      { numRuns: effort.propertyRuns },
    );
  });

  it('takes everything for new when nothing is shared', () => {
    expect(newLines(['a', 'b'], ['x', 'y'])).toEqual(['x', 'y']);
  });
});
