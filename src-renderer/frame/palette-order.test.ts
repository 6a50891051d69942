import { describe, expect, it } from 'vitest';
import type { PaletteGroup } from './palette-order.ts';
import { matchingGroups } from './palette-order.ts';

function group(heading: string, ...words: readonly string[]): PaletteGroup<{ key: string; words: string }> {
  return { key: heading, heading, entries: words.map((text) => ({ key: `${heading} ${text}`, words: text })) };
}

const GROUPS = [
  group('Everywhere', 'Show the shortcuts', 'Go to the set-up of this machine', 'Go to the messages', 'Stop all agents'),
  group('Agents', 'scout worker', 'stop-watch command', 'analyst-1 worker', 'analyst-2 worker'),
  group('Projects', 'harbor /home/you/harbor'),
];

const found = (search: string, most = 12): string[] =>
  matchingGroups(
    GROUPS.map((each) => ({ ...each, most })),
    search,
  ).flatMap(({ entries }) => entries.map(({ words }) => words));

describe('the palette', () => {
  it('offers everything in its order while nothing is typed', () => {
    expect(found(' ')).toEqual(GROUPS.flatMap(({ entries }) => entries.map(({ words }) => words)));
  });

  it('puts the group of the best match first, and the best match first in it', () => {
    expect(found('scout')[0]).toBe('scout worker');
    expect(found('harbor')[0]).toBe('harbor /home/you/harbor');
    expect(found('stop all')[0]).toBe('Stop all agents');
    expect(found('analyst-2')[0]).toBe('analyst-2 worker');
  });

  it('finds by beginnings of words, and nothing where letters only happen to occur', () => {
    expect(found('gtm')).toContain('Go to the messages');
    expect(found('scout')).toEqual(['scout worker']);
    expect(found('qqq')).toEqual([]);
  });

  it('shows so many of a group at most, the best ones', () => {
    expect(found('analyst', 1)).toEqual(['analyst-1 worker']);
    expect(found('', 1)).toEqual(['Show the shortcuts', 'scout worker', 'harbor /home/you/harbor']);
  });
});
