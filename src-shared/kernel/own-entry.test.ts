import { expect, test } from 'vitest';
import { ownEntry } from './own-entry.ts';

test('finds what stands in a table, under any name', () => {
  expect(ownEntry({ ada: 1 }, 'ada')).toBe(1);
  expect(ownEntry({ constructor: 2 }, 'constructor')).toBe(2);
});

test('does not find what every object inherits', () => {
  const table: Readonly<Record<string, number>> = { ada: 1 };
  for (const name of ['constructor', 'toString', 'hasOwnProperty', '__proto__', 'ben'])
    expect([name, ownEntry(table, name)]).toEqual([name, undefined]);
});
