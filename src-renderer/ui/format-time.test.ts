import { describe, expect, it } from 'vitest';
import { dayName, shortDuration } from './format-time.ts';

describe('times as people read them', () => {
  it('gives the two largest units of a duration', () => {
    const cases = [
      [-5, '0s'],
      [8_900, '8s'],
      [200_000, '3m 20s'],
      [8_040_000, '2h 14m'],
      [273_600_000, '3d 4h'],
    ] as const;
    for (const [ms, text] of cases) expect(shortDuration(ms)).toBe(text);
  });

  it('names the day, and says when it is today', () => {
    const noon = new Date(2026, 10, 21, 12).getTime();
    expect(dayName(noon, noon)).toBe('Today, Saturday 21 November');
    expect(dayName(noon, noon + 86_400_000)).toBe('Saturday 21 November');
  });
});
