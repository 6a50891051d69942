import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { removeFolder, scratchFolder } from '#core/runtimes/testing/support.ts';
import type { Connection } from './database.ts';
import { openDatabase } from './database.ts';

/**
 * better-sqlite3 compiles a function for a statement's rows when it first runs, and again whenever SQLite has planned the
 * statement anew: its only trace from outside.
 */
function plansDuring(run: () => void): number {
  const compile = vi.spyOn(globalThis, 'Function');
  try {
    run();
    return compile.mock.calls.length;
  } finally {
    compile.mockRestore();
  }
}

describe('a statement', () => {
  const folders: string[] = [];
  let db: Connection | undefined;

  afterEach(() => {
    db?.close();
    for (const folder of folders.splice(0)) removeFolder(folder);
  });

  function openSample(): Connection {
    const folder = scratchFolder();
    folders.push(folder);
    db = openDatabase(join(folder, 'sample.db'));
    db.exec(`CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT) STRICT;
      CREATE TABLE places (item INTEGER, owner TEXT, rank INTEGER, PRIMARY KEY (item, owner)) STRICT, WITHOUT ROWID;
      CREATE INDEX places_open ON places(owner, rank, item) WHERE rank IS NOT NULL;`);
    for (let n = 0; n < 20; n += 1) {
      db.prepare('INSERT INTO items VALUES (?, ?)').run(n, `item ${n}`);
      db.prepare('INSERT INTO places VALUES (?, ?, ?)').run(n, `owner ${n % 2}`, n % 3);
    }
    return db;
  }

  it('is planned once, whatever is bound to it', () => {
    const sample = openSample();
    const plans = plansDuring(() => {
      for (let n = 0; n < 10; n += 1) {
        const rows = sample
          .prepare(
            'SELECT i.name FROM places p CROSS JOIN items i ON i.id = p.item WHERE p.owner = ? AND p.rank IS NOT NULL ORDER BY p.rank, p.item LIMIT ?',
          )
          .all(`owner ${n % 2}`, n);
        expect(rows).toHaveLength(n);
      }
    });
    expect(plans).toBe(1);
  });

  it('finds what is equal to a value, and no more than a limit, in the types of its columns', () => {
    const sample = openSample();
    const read = (sql: string, ...params: unknown[]): unknown[] => sample.prepare(sql).all(...params);
    expect(read('SELECT name FROM items WHERE id = ?', 7)).toEqual([{ name: 'item 7' }]);
    expect(read('SELECT id FROM items WHERE name = ? LIMIT ?', 'item 3', 5)).toEqual([{ id: 3 }]);
    expect(read('SELECT id FROM items WHERE name = ?', null)).toEqual([]);
    expect(read('SELECT id FROM items ORDER BY id LIMIT ?', -1)).toHaveLength(20);
    expect(sample.prepare('UPDATE items SET name = ? WHERE id = ?').run(null, 7).changes).toBe(1);
    expect(read('SELECT name FROM items WHERE id = ?', 7)).toEqual([{ name: null }]);
  });
});
