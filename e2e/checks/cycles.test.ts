import { describe, expect, it } from 'vitest';
import { readSource, readSources } from './sources.ts';
import type { Source } from './sources.ts';

/**
 * The circles in the graph of imports (Tarjan's strongly connected components): groups of files that each reach every
 * other of the group, and files that import themselves.
 */
function cyclesOf(sources: readonly Source[]): string[][] {
  const graph = new Map(
    sources.map(({ path, imports }) => [path, imports.flatMap(({ target }) => (target.kind === 'file' ? [target.path] : []))]),
  );
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const cycles: string[][] = [];

  const visit = (path: string): number => {
    const index = order.size;
    order.set(path, index);
    stack.push(path);
    let lowest = index;
    for (const next of graph.get(path) ?? []) {
      if (!graph.has(next)) continue;
      if (!order.has(next)) lowest = Math.min(lowest, visit(next));
      else if (stack.includes(next)) lowest = Math.min(lowest, low.get(next) ?? index, order.get(next) ?? index);
    }
    low.set(path, lowest);
    if (lowest === index) {
      const group = stack.splice(stack.indexOf(path));
      if (group.length > 1 || (graph.get(path) ?? []).includes(path)) cycles.push(group.sort());
    }
    return lowest;
  };

  for (const path of graph.keys()) if (!order.has(path)) visit(path);
  return cycles;
}

describe('imports', () => {
  it('form no circle, type imports included', () => {
    expect(cyclesOf(readSources())).toEqual([]);
  });

  it('that form one are found', () => {
    const sources = [
      readSource('src-main/core/a.ts', "import { b } from './b.ts';"),
      readSource('src-main/core/b.ts', "import type { C } from '#core/c.ts';"),
      readSource('src-main/core/c.ts', "export * from './d.ts'; export const later = () => import('./a.ts');"),
      readSource('src-main/core/d.ts', "import 'node:fs';"),
      readSource('src-main/core/e.ts', "import './e.ts'; import './a.ts';"),
    ];
    expect(cyclesOf(sources)).toEqual([
      ['src-main/core/a.ts', 'src-main/core/b.ts', 'src-main/core/c.ts'],
      ['src-main/core/e.ts'],
    ]);
  });
});
