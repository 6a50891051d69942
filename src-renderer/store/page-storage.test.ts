import { expect, test } from 'vitest';
import type { KeptStorage } from './page-storage.ts';
import { makePageStorage } from './page-storage.ts';

/** What localStorage does, in memory, with room for so many entries. */
function browserStorage(room: number): KeptStorage {
  const entries = new Map<string, string>();
  return {
    get length() {
      return entries.size;
    },
    key: (at) => [...entries.keys()][at] ?? null,
    getItem: (name) => entries.get(name) ?? null,
    setItem: (name, value) => {
      if (!entries.has(name) && entries.size >= room) throw new Error('QuotaExceededError');
      entries.set(name, value);
    },
    removeItem: (name) => entries.delete(name),
  };
}

const namesOf = (storage: KeptStorage): readonly (string | null)[] =>
  Array.from({ length: storage.length }, (_, at) => storage.key(at));

test('keeps in the browser what it takes', () => {
  const browser = browserStorage(9);
  makePageStorage(() => browser).setItem('draft', 'text');
  expect(makePageStorage(() => browser).getItem('draft')).toBe('text');
});

test('a browser that forbids it: the page remembers by itself', () => {
  const storage = makePageStorage(() => {
    throw new Error('SecurityError');
  });
  expect([storage.getItem('draft'), storage.length]).toEqual([null, 0]);
  storage.setItem('draft', 'text');
  expect([storage.getItem('draft'), namesOf(storage)]).toEqual(['text', ['draft']]);
  storage.removeItem('draft');
  expect([storage.getItem('draft'), storage.length]).toEqual([null, 0]);
});

test('a browser without room: what did not fit is remembered, what was kept stays kept', () => {
  const browser = browserStorage(1);
  const storage = makePageStorage(() => browser);
  storage.setItem('first', '1');
  storage.setItem('second', '2');
  expect([storage.getItem('first'), storage.getItem('second'), namesOf(storage)]).toEqual(['1', '2', ['first', 'second']]);
  expect(browser.getItem('second')).toBeNull();
  storage.removeItem('first');
  storage.setItem('second', '3');
  expect([storage.getItem('second'), browser.getItem('second'), namesOf(storage)]).toEqual(['3', '3', ['second']]);
});
