import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { cardAfter, GAP, layOut, terminalRows } from './fleet-layout.ts';
import { layOutWall, MOST_PANES, panesThatFit, typeFor } from './wall-layout.ts';

const plain = (count: number) => Array.from({ length: count }, () => false);

describe('how cards stand', () => {
  it('gives four columns of nine rows where that just fits, as drawn', () => {
    expect(layOut([true, true, ...plain(10)], 1360, 788)).toMatchObject({ columns: 4, heights: [252, 252, 252] });
    expect(terminalRows(252)).toBe(9);
  });

  it('makes cards with strips higher where the cards scroll anyway', () => {
    const { heights } = layOut([true, ...plain(39)], 1360, 788);
    expect(heights[0]).toBe(252 + 56);
    expect(heights.slice(1).every((height) => height === 252)).toBe(true);
  });

  it('gives terminals the room that few agents leave, up to sixteen rows', () => {
    const { columns, heights, cardWidth } = layOut(plain(3), 1360, 788);
    expect([columns, heights.length]).toEqual([3, 1]);
    expect(terminalRows(heights[0] ?? 0)).toBe(16);
    expect(cardWidth).toBeCloseTo((1360 - 2 * GAP) / 3);
    expect(layOut(plain(1), 1360, 788).cardWidth).toBe(548);
  });

  it('stands in any window, and never loses a card', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 60 }),
        fc.integer({ min: 0, max: 4_000 }),
        fc.integer({ min: 0, max: 2_200 }),
        (strips, width, height) => {
          const { columns, heights } = layOut(strips, width, height);
          expect(columns).toBeGreaterThanOrEqual(1);
          expect(heights.length).toBe(Math.ceil(strips.length / columns));
          // Only whole rows of the terminal.
          for (const each of heights) expect((each - 252) % 14).toBe(0);
        },
      ),
      { numRuns: effort.propertyRuns },
    );
  });

  it.each([
    ['ArrowRight', 0, 1],
    ['ArrowLeft', 0, 0],
    ['ArrowDown', 1, 5],
    ['ArrowDown', 7, 9],
    ['ArrowDown', 9, 9],
    ['ArrowUp', 5, 1],
    ['ArrowUp', 1, 1],
    ['Home', 7, 0],
    ['End', 0, 9],
    ['PageDown', 1, 9],
    ['PageUp', 9, 1],
    ['a', 3, undefined],
  ])('goes by %s from %i to %s', (key, at, to) => expect(cardAfter(key, at, 10, 4, 2)).toBe(to));
});

describe('how a wall stands', () => {
  it('chooses the arrangement in which terminals are largest', () => {
    expect(layOutWall(2, 1360, 780)).toMatchObject({ columns: 2, rows: 1 });
    expect(layOutWall(9, 1360, 780)).toMatchObject({ columns: 3, rows: 3 });
    expect(layOutWall(2, 700, 1400)).toMatchObject({ columns: 1, rows: 2 });
  });

  it('shows as many as can be read, and never more than a wall holds', () => {
    expect(panesThatFit(40, 1360, 780)).toBe(9);
    expect(panesThatFit(40, 900, 560)).toBe(4);
    expect(panesThatFit(40, 8_000, 5_000)).toBe(MOST_PANES);
    expect(panesThatFit(40, 100, 100)).toBe(1);
    expect(panesThatFit(0, 1360, 780)).toBe(0);
  });

  it('sets all terminals alike, as large as their columns allow, and never too small to be read', () => {
    expect(typeFor(1360)).toEqual({ size: 13, line: 18 });
    expect(typeFor(570)).toEqual({ size: 11.5, line: 16 });
    expect(typeFor(448)).toEqual({ size: 10.5, line: 14 });
    expect(typeFor(100)).toEqual({ size: 10.5, line: 14 });
  });
});
