/** What the palette offers for what was typed, the best match first. Pure. */
import { defaultFilter } from 'cmdk';

/** Something that can be chosen. */
export interface PaletteEntry {
  /** Unique in the palette. */
  readonly key: string;
  /** What it is found by, what it is most likely meant by first. */
  readonly words: string;
}

/** Entries of one kind, under one heading. */
export interface PaletteGroup<T extends PaletteEntry> {
  /** Unique in the palette. */
  readonly key: string;
  readonly heading: string;
  readonly entries: readonly T[];
  /** So many are shown at most; undefined: all. */
  readonly most?: number;
}

/** Letters that only happen to occur in the right order, far from each other, score less than this, of 1 at most. */
const LEAST_SCORE = 0.01;

/**
 * The groups with what matches, of each at most as many as it allows. Groups stand by their best match: who types a whole
 * name means that, wherever else its letters occur. While nothing is typed everything stays as it was given.
 */
export function matchingGroups<T extends PaletteEntry>(groups: readonly PaletteGroup<T>[], search: string): PaletteGroup<T>[] {
  const wanted = search.trim();
  if (wanted === '')
    return groups
      .map((group) => ({ ...group, entries: group.entries.slice(0, group.most) }))
      .filter(({ entries }) => entries.length > 0);
  return groups
    .map((group) => {
      const scored = group.entries
        .map((entry) => ({ entry, score: defaultFilter(entry.words, wanted) }))
        .filter(({ score }) => score >= LEAST_SCORE)
        .toSorted((a, b) => b.score - a.score);
      return { group: { ...group, entries: scored.slice(0, group.most).map(({ entry }) => entry) }, best: scored[0]?.score ?? 0 };
    })
    .filter(({ best }) => best > 0)
    .toSorted((a, b) => b.best - a.best)
    .map(({ group }) => group);
}
