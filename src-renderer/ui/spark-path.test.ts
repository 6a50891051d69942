import { describe, expect, it } from 'vitest';
import { sparkPath } from './spark-path.ts';

describe('the path of a course', () => {
  it('goes from the lower to the upper edge, and stays within', () => {
    expect(sparkPath([0, 50, 100, 400], 100, 30, 11)).toBe('M0 10.5L10 5.5L20 0.5L30 0.5');
  });

  it('has gaps where nothing was measured, and a dot for a lone value', () => {
    expect(sparkPath([0, null, 100, null, 0, 0], 100, 50, 11)).toBe('M0 10.5h0M20 0.5h0M40 10.5L50 10.5');
    expect(sparkPath([null, null], 100, 50, 11)).toBe('');
    expect(sparkPath([7], 0, 50, 11)).toBe('M0 10.5h0');
  });
});
