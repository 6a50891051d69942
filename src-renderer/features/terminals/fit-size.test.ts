import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fittingSize, isWhole, shrunkPx, smallerPx } from './fit-size.ts';

const cell = { width: 8, height: 18 };

describe('the size of a terminal', () => {
  it('is whole cells only, within the limits of the core', () => {
    expect(fittingSize({ width: 807, height: 611 }, cell)).toEqual({ cols: 100, rows: 33 });
    expect(fittingSize({ width: 0, height: 0 }, cell)).toEqual({ cols: 10, rows: 2 });
    expect(fittingSize({ width: 100, height: 100 }, { width: 0, height: 0 })).toEqual({ cols: 10, rows: 2 });
    expect(fittingSize({ width: 1e6, height: 1e6 }, cell)).toEqual({ cols: 500, rows: 300 });
  });

  it('of another window is shown whole by smaller text, never by larger', () => {
    const side = fc.integer({ min: 400, max: 4_000 });
    const size = fc.record({ cols: fc.integer({ min: 10, max: 200 }), rows: fc.integer({ min: 2, max: 90 }) });
    fc.assert(
      fc.property(side, side, size, (width, height, shown) => {
        const box = { width, height };
        const px = shrunkPx(shown, box, cell, 13);
        expect(px).toBeLessThanOrEqual(13);
        const scaled = { width: (cell.width * px) / 13, height: (cell.height * px) / 13 };
        expect(px === 6 || isWhole(shown, box, scaled)).toBe(true);
        expect(px === 13).toBe(isWhole(shown, box, cell));
      }),
    );
  });

  it('stops where text cannot be read', () => {
    expect(smallerPx(6.25)).toBe(6);
    expect(smallerPx(6)).toBeUndefined();
  });
});
