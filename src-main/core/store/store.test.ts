import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JournalEvent } from '#shared/journal/model.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import { effort, withinTime } from '#e2e/support/effort.ts';
import { CORE } from '#core/caller.ts';
import { readHeadFile } from '#core/journal/head-file.ts';
import { journalReads } from '#core/journal/journal-repository.ts';
import { event } from '#core/journal/journal.ts';
import { verifyJournal } from '#core/journal/verify.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import type { Db } from './database.ts';
import type { Tx } from './store.ts';
import { Store } from './store.ts';

let test: TestStore;
beforeEach(() => {
  test = openTestStore();
});
afterEach(() => test.dispose());

function put(tx: Db, name: string, value = 'x'): string {
  tx.prepare('INSERT INTO facts (project_id, name, value) VALUES (?, ?, ?)').run(SYSTEM_PROJECT_ID, name, value);
  return name;
}

function note(tx: Tx, subject: string): void {
  tx.record(event({ projectId: SYSTEM_PROJECT_ID, actor: CORE.actor, door: 'core', subject }, 'core.stopped', {}));
}

const stored = (): string[] =>
  test.store.peek((db) =>
    (db.prepare('SELECT name FROM facts ORDER BY name').all() as { name: string }[]).map((row) => row.name),
  );

/** Keeps the thread busy for so many milliseconds, as a long write would. */
function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

async function isIntact(t: TestStore): Promise<boolean> {
  const head = readHeadFile(join(t.dir, 'audit-head'), t.auditKey);
  return (
    await verifyJournal(t.auditKey, head, async (after, limit) =>
      t.store.peek((db) => journalReads['journal.raw'](db, { after, limit })),
    )
  ).isIntact;
}

describe('writes', () => {
  it('of one turn share a commit, run in order, and resolve with what they returned', async () => {
    await test.dispose();
    // However slow the machine.
    test = openTestStore({ maxBatchMs: Number.POSITIVE_INFINITY });
    const order: number[] = [];
    const results = await Promise.all(
      [1, 2, 3].map((n) =>
        test.store.write((tx) => {
          order.push(n);
          return put(tx, `n${n}`);
        }),
      ),
    );
    expect(results).toEqual(['n1', 'n2', 'n3']);
    expect(order).toEqual([1, 2, 3]);
    expect(test.store.stats()).toMatchObject({ commits: 1, writes: 3 });
  });

  it('resolve only after the commit: another connection sees them', async () => {
    await test.store.write((tx) => put(tx, 'seen'));
    const other = openTestStore({ dir: test.dir });
    expect(other.store.peek((db) => db.prepare('SELECT name FROM facts').all())).toEqual([{ name: 'seen' }]);
    await other.close();
  });

  it('that throw undo themselves, with their events and effects, and nobody else', async () => {
    const published: string[] = [];
    test.journal.onCommitted((events) => published.push(...events.map(({ subject }) => subject)));
    const effects: string[] = [];
    const write = (name: string, fails: boolean): Promise<string> =>
      test.store.write((tx) => {
        put(tx, name);
        note(tx, name);
        tx.afterCommit(() => effects.push(name));
        if (fails) throw new Error(`no ${name}`);
        return name;
      });
    const results = await Promise.allSettled([write('a', false), write('b', true), write('c', false)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await expect(write('d', true)).rejects.toThrow('no d');
    expect(stored()).toEqual(['a', 'c']);
    expect(published).toEqual(['a', 'c']);
    expect(effects).toEqual(['a', 'c']);
    expect(test.journal.seq).toBe(2);
    expect(await isIntact(test)).toBe(true);
  });

  it('that violate a constraint leave the others of the batch alone', async () => {
    const results = await Promise.allSettled([
      test.store.write((tx) => put(tx, 'same')),
      test.store.write((tx) => put(tx, 'same')),
      test.store.write((tx) => put(tx, 'other')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(stored()).toEqual(['other', 'same']);
  });

  it('beyond 100 are split over commits', async () => {
    await Promise.all(Array.from({ length: 250 }, (_, i) => test.store.write((tx) => put(tx, `n${i}`))));
    expect(stored()).toHaveLength(250);
    expect(test.store.stats().commits).toBeGreaterThanOrEqual(3);
    expect(test.store.stats().writes).toBe(250);
  });

  it('that take long do not share a commit, let the event loop run in between, and none starves', async () => {
    let turns = 0;
    let isDone = false;
    const spin = (): void => {
      turns += 1;
      if (!isDone) setImmediate(spin);
    };
    setImmediate(spin);
    await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        test.store.write((tx) => {
          busy(6);
          put(tx, `slow${i}`);
        }),
      ),
    );
    isDone = true;
    expect(test.store.stats()).toMatchObject({ commits: 10, writes: 10 });
    expect(turns).toBeGreaterThanOrEqual(9);
  });

  it('queued by a write, by an effect and by a caller that was answered are all done', async () => {
    const later: Promise<string>[] = [];
    await test.store.write((tx) => {
      put(tx, 'first');
      later.push(test.store.write((inner) => put(inner, 'from a write')));
      tx.afterCommit(() => later.push(test.store.write((inner) => put(inner, 'from an effect'))));
    });
    await test.store.write((tx) => put(tx, 'from a caller'));
    await Promise.all(later);
    expect(stored()).toEqual(['first', 'from a caller', 'from a write', 'from an effect']);
  });

  it('resolve although an effect or a listener throws, and the others get theirs', async () => {
    const faults: unknown[] = [];
    const store = new Store({
      file: join(test.dir, 'own.db'),
      backupFile: () => join(test.dir, 'backup.db'),
      readerModule: new URL('../read-worker.ts', import.meta.url),
      onFault: (error) => faults.push(error),
    });
    store.open();
    const bug = new Error('bug');
    const seen: string[] = [];
    store.connect({
      beforeCommit: () => undefined,
      afterCommit: () => {
        throw bug;
      },
      rolledBack: () => undefined,
    });
    const results = await Promise.all([
      store.write((tx) => {
        note(tx, 'a');
        tx.afterCommit(() => {
          throw bug;
        });
        return 'a';
      }),
      store.write((tx) => {
        tx.afterCommit(() => seen.push('b'));
        return 'b';
      }),
    ]);
    expect(results).toEqual(['a', 'b']);
    expect(seen).toEqual(['b']);
    expect(faults).toEqual([bug, bug]);
    await store.close();
  });

  it('must be synchronous, and their transaction ends with their function', async () => {
    await expect(
      test.store.write(async (tx) => {
        await Promise.resolve();
        put(tx, 'late');
      }),
    ).rejects.toThrow('synchronous');
    let kept: Tx | undefined;
    await test.store.write((tx) => void (kept = tx));
    expect(() => kept?.prepare('SELECT 1')).toThrow('after its function had ended');
    expect(() => kept?.afterCommit(() => undefined)).toThrow('after its function had ended');
    expect(stored()).toEqual([]);
  });

  it('with an event that has no text fail alone', async () => {
    const circular: Record<string, never> = {};
    Object.assign(circular, { self: circular });
    const results = await Promise.allSettled([
      test.store.write((tx) => put(tx, 'good')),
      test.store.write((tx) => {
        put(tx, 'bad');
        tx.record(
          event({ projectId: SYSTEM_PROJECT_ID, actor: CORE.actor, door: 'core', subject: 'x' }, 'core.stopped', circular),
        );
      }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(stored()).toEqual(['good']);
  });

  it('queued at close are done first; later ones are refused', async () => {
    const done = Promise.all([1, 2, 3].map((n) => test.store.write((tx) => put(tx, `n${n}`))));
    const closing = test.store.close();
    await expect(test.store.write((tx) => put(tx, 'late'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await done).toEqual(['n1', 'n2', 'n3']);
    await closing;
    await expect(test.store.read('journal.raw', { after: 0, limit: 1 })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(() => test.store.peek(() => 1)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
    await test.store.close();
    test = openTestStore({ dir: test.dir });
    expect(stored()).toEqual(['n1', 'n2', 'n3']);
  });

  it('in any mixture of good, failing and nested ones leave exactly the good ones and a sound journal', async () => {
    const write = fc.record({
      fails: fc.boolean(),
      nested: fc.boolean(),
      turn: fc.boolean(),
      events: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { maxLength: 40 }),
        withinTime(async (plan) => {
          const t = openTestStore();
          try {
            const published: JournalEvent[] = [];
            t.journal.onCommitted((events) => published.push(...events));
            const expected: string[] = [];
            const all: Promise<unknown>[] = [];
            for (const [i, step] of plan.entries()) {
              const one = (name: string, fails: boolean) =>
                t.store.write((tx) => {
                  put(tx, name);
                  for (let n = 0; n < step.events; n += 1) note(tx, name);
                  if (step.nested && !name.endsWith('+')) all.push(one(`${name}+`, false).catch(() => undefined));
                  if (fails) throw new Error('planned');
                });
              all.push(one(`w${i}`, step.fails).catch(() => undefined));
              if (!step.fails) expected.push(`w${i}`);
              if (step.nested) expected.push(`w${i}+`);
              if (step.turn) await new Promise((resolve) => setImmediate(resolve));
            }
            for (let n = 0; n < all.length; n += 1) await all[n];
            const rows = t.store.peek((db) =>
              (db.prepare('SELECT name FROM facts').all() as { name: string }[]).map((row) => row.name),
            );
            expect(rows.sort()).toEqual(expected.sort());
            expect(published.map(({ seq }) => seq)).toEqual(published.map((_, index) => index + 1));
            expect(await isIntact(t)).toBe(true);
          } finally {
            await t.dispose();
          }
        }),
      ),
      { numRuns: Math.ceil(effort.propertyRuns / 3) },
    );
  });
});

describe('a full disk', () => {
  /** Lets the database grow by no more than `pages`, as a full disk would. */
  function limitPages(pages: number): void {
    test.store.peek((db) => {
      const { page_count: count } = db.prepare('SELECT page_count FROM pragma_page_count').get() as { page_count: number };
      db.prepare(`PRAGMA max_page_count = ${count + pages}`).get();
    });
  }

  it('rejects the write that does not fit, tells the reason, and the store goes on when there is room', async () => {
    limitPages(4);
    const published: string[] = [];
    test.journal.onCommitted((events) => published.push(...events.map(({ subject }) => subject)));
    const large = (): Promise<void> =>
      test.store.write((tx) => {
        note(tx, 'large');
        put(tx, 'large', 'x'.repeat(200_000));
      });
    await expect(large()).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      message: expect.stringContaining('full') as string,
    });
    expect(stored()).toEqual([]);
    expect(published).toEqual([]);
    limitPages(10_000);
    await large();
    expect(stored()).toEqual(['large']);
    expect(published).toEqual(['large']);
    expect(await isIntact(test)).toBe(true);
  });

  it('that hits the journal rows undoes the whole batch and tells everybody in it', async () => {
    await test.store.write((tx) => note(tx, 'before'));
    limitPages(8);
    const published: string[] = [];
    test.journal.onCommitted((events) => published.push(...events.map(({ subject }) => subject)));
    const batch = (): Promise<PromiseSettledResult<string>[]> =>
      Promise.allSettled(
        ['a', 'b', 'c'].map((name) =>
          test.store.write((tx) => {
            note(tx, name + 'x'.repeat(20_000));
            return put(tx, name);
          }),
        ),
      );
    const results = await batch();
    expect(results.map((result) => (result.status === 'rejected' ? (result.reason as { code: string }).code : 'stored'))).toEqual(
      ['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE'],
    );
    expect(stored()).toEqual([]);
    expect(test.journal.seq).toBe(1);
    limitPages(10_000);
    expect((await batch()).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled']);
    expect(test.journal.seq).toBe(4);
    expect(published).toHaveLength(3);
    expect(await isIntact(test)).toBe(true);
  });
});

/** A small file system of its own; undefined where this user may not mount one. */
function mountSmall(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'qd-full-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1500k', 'tmpfs', folder], { stdio: 'ignore' });
    return folder;
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
}

/** A place that fills up: a small file system, or a limit on the database where none can be mounted. */
function smallDisk(): { dir: string; fill: (t: TestStore) => void; grow: (t: TestStore) => void; dispose: () => void } {
  const mount = mountSmall();
  if (mount !== undefined) {
    return {
      dir: mount,
      fill: () => undefined,
      grow: () => execFileSync('mount', ['-o', 'remount,size=20m', mount]),
      dispose: () => {
        execFileSync('umount', [mount]);
        rmSync(mount, { recursive: true });
      },
    };
  }
  const dir = mkdtempSync(join(tmpdir(), 'qd-full-'));
  const limit = (pages: number) => (t: TestStore) =>
    void t.store.peek((db) => db.prepare(`PRAGMA max_page_count = ${pages}`).get());
  return { dir, fill: limit(300), grow: limit(100_000), dispose: () => rmSync(dir, { recursive: true }) };
}

describe('a file system that is full', () => {
  const disk = smallDisk();
  afterAll(() => disk.dispose());

  it('fails COMMIT: all of the batch are told, nothing is half stored, and it goes on when there is room', async () => {
    const t = openTestStore({ dir: disk.dir });
    disk.fill(t);
    const published: string[] = [];
    t.journal.onCommitted((events) => published.push(...events.map(({ subject }) => subject)));
    const kept: string[] = [];
    const lost: string[] = [];
    for (let round = 0; round < 100 && lost.length < 30; round += 1) {
      const batch = [0, 1, 2].map((n) => `r${String(round).padStart(3, '0')}-${n}`);
      const results = await Promise.allSettled(
        batch.map((name) =>
          t.store.write((tx) => {
            note(tx, name);
            return put(tx, name, 'x'.repeat(10_000));
          }),
        ),
      );
      const refused = results.flatMap((result) =>
        result.status === 'rejected' ? [(result.reason as { code: string }).code] : [],
      );
      expect(refused).toEqual(refused.map(() => 'UNAVAILABLE'));
      kept.push(...batch.filter((_, i) => results[i]?.status === 'fulfilled'));
      lost.push(...batch.filter((_, i) => results[i]?.status === 'rejected'));
    }
    const stored = (): string[] =>
      t.store.peek((db) =>
        (db.prepare('SELECT name FROM facts ORDER BY name').all() as { name: string }[]).map((row) => row.name),
      );
    expect(lost.length).toBeGreaterThanOrEqual(30);
    expect(stored()).toEqual(kept);
    expect(published).toEqual(kept);
    expect(await isIntact(t)).toBe(true);

    disk.grow(t);
    await t.store.write((tx) => {
      note(tx, 'after');
      put(tx, 'z-after');
    });
    expect(stored()).toEqual([...kept, 'z-after']);
    expect(published.at(-1)).toBe('after');
    expect(await isIntact(t)).toBe(true);
    await t.close();
  });
});
