/** Which tests a deep run repeats: those that try harder in one. Everything else would only do again what `npm test` did. */
import type { Source } from '#e2e/checks/sources.ts';

/** Where a test finds out how hard to try. */
const EFFORT = 'e2e/support/effort.ts';
/** Tests that run in deep runs only, whatever they import. */
const DEEP_ONLY = /\.deep\.test\.tsx?$/;

/** Paths from the checkout, sorted. */
export interface DeepTests {
  readonly vitest: readonly string[];
  readonly playwright: readonly string[];
}

/** The tests among the sources whose imports lead to the effort, directly or through their support, and those of deep runs only. */
export function deepTests(sources: readonly Source[]): DeepTests {
  const importers = new Map<string, string[]>();
  for (const { path, imports } of sources)
    for (const { target } of imports)
      if (target.kind === 'file') importers.set(target.path, [...(importers.get(target.path) ?? []), path]);

  const reached = new Set([EFFORT]);
  for (const path of reached) for (const importer of importers.get(path) ?? []) reached.add(importer);

  const wanted = sources.map(({ path }) => path).filter((path) => reached.has(path) || DEEP_ONLY.test(path));
  return {
    vitest: wanted.filter((path) => /\.test\.tsx?$/.test(path)).toSorted(),
    playwright: wanted.filter((path) => path.endsWith('.spec.ts')).toSorted(),
  };
}
