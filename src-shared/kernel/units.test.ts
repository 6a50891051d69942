import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { DurationMs, SizeText, parseDuration, parseSize } from './units.ts';

describe('parseSize', () => {
  it.each([
    ['512MB', 512 * 2 ** 20],
    ['2GB', 2 ** 31],
    ['1.5GiB', 1.5 * 2 ** 30],
    ['1.5 gb', 1.5 * 2 ** 30],
    ['64k', 65_536],
    ['1t', 2 ** 40],
    ['100', 100],
    [' 7b ', 7],
    ['0', 0],
  ])('reads %s', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  it.each(['', 'MB', '1 2', '-1GB', '1e3', '1,5GB', '0x10', '1GBs', '1..5GB', '.5GB', 'Infinity', '9'.repeat(400), '99999999TB'])(
    'refuses "%s"',
    (text) => {
      expect(parseSize(text)).toBeUndefined();
    },
  );

  it('is exact for whole numbers of every unit, and never anything but a whole number', () => {
    const unit = fc.constantFrom('B', 'KB', 'MB', 'GB', 'TB', 'kib', 'MiB', 'gIb', 'tib', 'k', 'M', 'g', 'T');
    fc.assert(
      fc.property(fc.nat({ max: 4_000 }), unit, fc.string({ maxLength: 12 }), (count, name, junk) => {
        const power = 'bkmgt'.indexOf(name.charAt(0).toLowerCase());
        expect(parseSize(`${count}${name}`)).toBe(count * 1024 ** power);
        expect(Number.isSafeInteger(parseSize(junk) ?? 0)).toBe(true);
      }),
      { numRuns: effort.propertyRuns },
    );
  });
});

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5h', 5_400_000],
    ['10 M', 600_000],
    ['2d', 172_800_000],
  ])('reads %s', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '10', 's', '-1s', '1w', '1h30m', `${'9'.repeat(400)}d`])('refuses "%s"', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('the schemas', () => {
  it('say what is allowed', () => {
    expect(SizeText.safeParse('much').error?.issues[0]?.message).toBe('must be a size above 0 such as "512MB" or "2GB"');
    expect(SizeText.safeParse('0MB').success).toBe(false);
    expect(SizeText.parse('2GB')).toBe('2GB');
    expect(DurationMs.safeParse('soon').error?.issues[0]?.message).toContain('"30s", "10m" or "2h"');
    for (const wrong of [-1, 1.5, Number.NaN, Infinity, null, {}]) expect(DurationMs.safeParse(wrong).success).toBe(false);
    expect([DurationMs.parse('2m'), DurationMs.parse(120_000), DurationMs.parse(0)]).toEqual([120_000, 120_000, 0]);
  });
});
