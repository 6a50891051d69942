import { describe, expect, it } from 'vitest';
import { coloursOf, groundColour, rowText, textColour } from './mini-terminal-rows.ts';

describe('colours of a small terminal', () => {
  it('come from the tokens where a program names one of sixteen', () => {
    expect(textColour(1)).toBe('var(--color-t-red)');
    expect(textColour(0)).toBe('var(--color-t-bg)');
    expect(textColour(15)).toBe('var(--color-t-bold)');
    expect(groundColour(6)).toBe('var(--color-t-cyan)');
  });

  it('are made readable on the ground of each theme where it names any other', () => {
    const channels = (hex: string): number[] => [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
    const luminance = (hex: string): number => {
      const [r = 0, g = 0, b = 0] = channels(hex).map((value) =>
        value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4,
      );
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a: string, b: string): number => {
      const [la, lb] = [luminance(a), luminance(b)];
      return (Math.max(la, lb) + 0.05) / (Math.min(la, lb) + 0.05);
    };
    for (const colour of [16, 17, 21, 52, 231, 232, 255, '#ffff00', '#000080', '#777777'] as const) {
      const [, light = '', dark = ''] = /^light-dark\((#\w{6}), (#\w{6})\)$/.exec(textColour(colour)) ?? [];
      expect(contrast(light, '#fafaf8'), `${colour} on light`).toBeGreaterThanOrEqual(4.5);
      expect(contrast(dark, '#090b0d'), `${colour} on dark`).toBeGreaterThanOrEqual(4.5);
    }
    expect(textColour('#c0ffee')).toMatch(/, #c0ffee\)$/);
  });

  it('keep text readable on coloured grounds, and turn round when asked to', () => {
    expect(coloursOf({ bg: 6, fg: 0 })).toEqual({ fg: 'var(--color-t-bg)', bg: 'var(--color-t-cyan)' });
    expect(coloursOf({ bg: 6, fg: 7 })).toEqual({ fg: 'var(--color-t-bg)', bg: 'var(--color-t-cyan)' });
    expect(coloursOf({ bg: '#ffffff' })).toEqual({ fg: '#0e1114', bg: '#ffffff' });
    expect(coloursOf({ bg: 52 })).toEqual({ fg: '#eef0f2', bg: '#5f0000' });
    expect(coloursOf({ inverse: true })).toEqual({ fg: 'var(--color-t-bg)', bg: 'var(--color-t-fg)' });
    expect(coloursOf({ inverse: true, fg: 2 })).toEqual({ fg: 'var(--color-t-bg)', bg: 'var(--color-t-green)' });
    expect(coloursOf({ dim: true })).toEqual({ fg: 'var(--color-t-dim)', bg: undefined });
    expect(coloursOf({})).toEqual({ fg: undefined, bg: undefined });
  });

  it('leave the text as it is', () => expect(rowText([['a'], ['b', { bold: true }], ['c']])).toBe('abc'));
});
