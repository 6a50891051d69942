import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Colour } from './testing/colours.ts';
import { COLOUR_BLINDNESS, contrast, distance, parseTokens, seenWith } from './testing/colours.ts';

const tokens = parseTokens(readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8'));
const THEMES = ['light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

function colour(name: string, theme: Theme): Colour {
  const pair = tokens.get(name);
  if (pair === undefined) throw new Error(`there is no token --color-${name}`);
  return pair[theme];
}

/** Everything that words of the window can stand on. */
const GROUNDS = ['bg-0', 'bg-1', 'bg-2', 'well', 'select', 'needs-bg', 'failed-bg', 'field-bg'];
const WORDS = ['tx-1', 'tx-2', 'tx-3', 'needs', 'st-working', 'st-idle', 'st-failed', 'st-paused', 'st-stopped'];
const MARKS = ['needs-mark', 'focus', 'field'];
const TERMINAL = ['t-fg', 't-bold', 't-dim', 't-red', 't-green', 't-yellow', 't-blue', 't-magenta', 't-cyan'];
const STATES = ['st-working', 'st-idle', 'needs-mark', 'st-failed', 'st-paused', 'st-stopped'];

/** Pairs of a thing and its ground, and the contrast they must have (WCAG 2.2: 1.4.3 for text, 1.4.11 for the rest). */
const PAIRS: readonly (readonly [string, string, number])[] = [
  ...WORDS.flatMap((word) => GROUNDS.map((ground) => [word, ground, 4.5] as const)),
  ...MARKS.flatMap((mark) => GROUNDS.map((ground) => [mark, ground, 3] as const)),
  ...TERMINAL.flatMap((text) => ['t-bg', 't-sel'].map((ground) => [text, ground, 4.5] as const)),
  ['t-fg', 'well', 4.5],
  ['on-ink', 'ink', 4.5],
  ['on-ink', 'ink-hover', 4.5],
  ['on-needs', 'needs-fill', 4.5],
];

describe('the tokens', () => {
  it('are read from the file', () => {
    expect(tokens.size).toBeGreaterThan(35);
  });

  it.each(THEMES)('have enough contrast wherever they can stand, in the %s theme', (theme) => {
    const weak = PAIRS.map(([thing, ground, least]) => ({
      pair: `${thing} on ${ground}`,
      ratio: Math.floor(contrast(colour(thing, theme), colour(ground, theme)) * 100) / 100,
      least,
    })).filter(({ ratio, least }) => ratio < least);
    expect(weak).toEqual([]);
  });

  it.each(THEMES)('tell surfaces that lie on one another apart, in the %s theme', (theme) => {
    const neighbours = [
      ['bg-0', 'bg-1'],
      ['bg-1', 'bg-2'],
      ['bg-0', 'bg-2'],
      ['bg-1', 'select'],
      ['bg-0', 'select'],
      ['bg-1', 'needs-bg'],
      ['bg-1', 'failed-bg'],
    ] as const;
    const alike = neighbours
      .map(([one, other]) => ({ pair: `${one} and ${other}`, apart: distance(colour(one, theme), colour(other, theme)) }))
      .filter(({ apart }) => apart < 2);
    expect(alike).toEqual([]);
  });

  it.each(THEMES)('keep what the terminal prints in yellow away from the accent, in the %s theme', (theme) => {
    for (const accent of ['needs', 'needs-mark'])
      expect(distance(colour('t-yellow', theme), colour(accent, theme))).toBeGreaterThan(10);
  });

  it.each(THEMES)('keep the states that must not be confused apart for every kind of eyes, in the %s theme', (theme) => {
    const close = STATES.flatMap((one, index) =>
      STATES.slice(index + 1).flatMap((other) =>
        Object.keys(COLOUR_BLINDNESS).map((kind) => {
          const seen = (name: string): Colour => seenWith(kind as keyof typeof COLOUR_BLINDNESS, colour(name, theme));
          return { pair: `${one} and ${other}`, kind, apart: Math.round(distance(seen(one), seen(other)) * 10) / 10 };
        }),
      ),
    ).filter(({ apart }) => apart < 3);
    expect(close).toEqual([]);
  });
});
