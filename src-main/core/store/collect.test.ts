import { afterEach, beforeEach, expect, it } from 'vitest';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import type { Db } from './database.ts';
import type { BatchCollector, Tx } from './store.ts';

let test: TestStore;
beforeEach(() => {
  // What is written together is committed together, however slow the machine.
  test = openTestStore({ maxBatchMs: Number.POSITIVE_INFINITY });
});
afterEach(() => test.dispose());

function put(db: Db, name: string, value = 'x'): void {
  db.prepare('INSERT INTO facts (project_id, name, value) VALUES (?, ?, ?)').run(SYSTEM_PROJECT_ID, name, value);
}

const stored = (): string[] =>
  test.store.peek((db) =>
    (db.prepare('SELECT name FROM facts ORDER BY name').all() as { name: string }[]).map((row) => row.name),
  );

/** Stores what it is given under one name, and tells what was committed. */
function collectorOf(committed: string[], prefix = 'batch'): BatchCollector<string> {
  return {
    beforeCommit: (db, items) => {
      const name = `${prefix}:${items.join('+')}`;
      put(db, name);
      return () => committed.push(name);
    },
  };
}

it('closes a transaction once, with the items of the writes that were not undone, before any of them is answered', async () => {
  const committed: string[] = [];
  const collector = collectorOf(committed);
  const write = (name: string, fails = false): Promise<readonly string[]> =>
    test.store
      .write((tx) => {
        tx.collect(collector, name);
        tx.collect(collector, `${name}2`);
        if (fails) throw new Error('undone');
      })
      .then(() => [...committed]);
  const results = await Promise.allSettled([write('a'), write('b', true), write('c')]);
  expect(results.map((result) => (result.status === 'fulfilled' ? result.value : 'rejected'))).toEqual([
    ['batch:a+a2+c+c2'],
    'rejected',
    ['batch:a+a2+c+c2'],
  ]);
  expect(stored()).toEqual(['batch:a+a2+c+c2']);
  await test.store.write((tx) => put(tx, 'nothing collected'));
  await expect(write('d', true)).rejects.toThrow('undone');
  expect(stored()).toEqual(['batch:a+a2+c+c2', 'nothing collected']);
});

it('keeps several collectors apart', async () => {
  const committed: string[] = [];
  const [one, other] = [collectorOf(committed, 'one'), collectorOf(committed, 'other')];
  await Promise.all([
    test.store.write((tx) => {
      tx.collect(one, 'a');
      tx.collect(other, 'b');
    }),
    test.store.write((tx) => tx.collect(one, 'c')),
  ]);
  expect(committed).toEqual(['one:a+c', 'other:b']);
});

it('undoes the whole transaction when it cannot be closed, and tells everybody in it', async () => {
  const committed: string[] = [];
  const failing: BatchCollector<string> = {
    beforeCommit: (db) => {
      put(db, 'half done');
      throw new Error('no key');
    },
  };
  const good = collectorOf(committed);
  const write = (collector: BatchCollector<string>, name: string): Promise<void> =>
    test.store.write((tx) => {
      put(tx, name);
      tx.collect(collector, name);
    });
  const results = await Promise.allSettled([write(good, 'a'), write(failing, 'b'), test.store.write((tx) => put(tx, 'c'))]);
  for (const result of results) {
    expect(result).toMatchObject({
      status: 'rejected',
      reason: { code: 'UNAVAILABLE', message: expect.stringContaining('no key') as string },
    });
  }
  expect(stored()).toEqual([]);
  expect(committed).toEqual([]);
  await write(good, 'again');
  expect(committed).toEqual(['batch:again']);
});

it('tells nothing of a transaction that COMMIT did not keep', async () => {
  const committed: string[] = [];
  const large: BatchCollector<string> = {
    beforeCommit: (db, items) => {
      put(db, 'large', items.join('').repeat(200_000));
      return () => committed.push('large');
    },
  };
  test.store.peek((db) => {
    const { page_count: count } = db.prepare('SELECT page_count FROM pragma_page_count').get() as { page_count: number };
    db.prepare(`PRAGMA max_page_count = ${count + 4}`).get();
  });
  await expect(test.store.write((tx) => tx.collect(large, 'x'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(stored()).toEqual([]);
  expect(committed).toEqual([]);
});

it('takes nothing after the write has ended', async () => {
  let kept: Tx | undefined;
  await test.store.write((tx) => void (kept = tx));
  expect(() => kept?.collect(collectorOf([]), 'late')).toThrow('after its function had ended');
});
