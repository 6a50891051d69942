/** Damaged files: what is noticed when they are opened, and what is not taken for damage. */
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import { CORE } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { checkDatabase, findLostCommits } from './check-database.ts';
import { openDatabase } from './database.ts';

const PAGE = 4_096;
const FRAME = PAGE + 24;
const LOG_HEADER = 32;
const folders: string[] = [];
const opened: TestStore[] = [];

afterEach(async () => {
  for (const test of opened.splice(0)) await test.dispose();
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function newFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'qd-damage-'));
  folders.push(dir);
  return dir;
}

async function put(test: TestStore, name: string, value = 'x'.repeat(500)): Promise<void> {
  await test.store.write((tx) =>
    tx.prepare('INSERT INTO facts (project_id, name, value) VALUES (?, ?, ?)').run(SYSTEM_PROJECT_ID, name, value),
  );
}

function overwrite(file: string, at: number, bytes: Uint8Array): void {
  const handle = openSync(file, 'r+');
  writeSync(handle, bytes, 0, bytes.length, at);
  closeSync(handle);
}

/** A folder as `kill -9` leaves one: with a log that was not written back. */
async function killed(facts = 5): Promise<{ log: string; bytes: Buffer }> {
  const test = openTestStore();
  opened.push(test);
  for (let n = 0; n < facts; n += 1) await put(test, `fact-${n}`);
  const log = join(newFolder(), 'quarterdeck.db-wal');
  copyFileSync(join(test.dir, 'quarterdeck.db-wal'), log);
  return { log, bytes: readFileSync(log) };
}

describe('a log', () => {
  it('that is sound, or not there, or empty, is no sign of a loss', async () => {
    const { log } = await killed();
    expect(findLostCommits(log)).toBeUndefined();
    expect(findLostCommits(`${log}-none`)).toBeUndefined();
    writeFileSync(log, '');
    expect(findLostCommits(log)).toBeUndefined();
  });

  it('that ends in the middle of a record is none either: nobody was told that it is stored', async () => {
    const { log, bytes } = await killed();
    for (const cut of [1, PAGE, FRAME - 1]) {
      writeFileSync(log, bytes.subarray(0, bytes.length - cut));
      expect(findLostCommits(log)).toBeUndefined();
    }
  });

  it('with garbage in a record, in its head or its page, is one', async () => {
    const { log, bytes } = await killed();
    const frames = (bytes.length - LOG_HEADER) / FRAME;
    expect(frames).toBeGreaterThan(8);
    for (const frame of [0, Math.floor(frames / 2), ...Array.from({ length: 6 }, (_, n) => frames - 1 - n)]) {
      for (const at of [0, 8, 16, 24, FRAME - 8]) {
        const damaged = Buffer.from(bytes);
        damaged.fill(0x5a, LOG_HEADER + frame * FRAME + at, LOG_HEADER + frame * FRAME + at + 8);
        writeFileSync(log, damaged);
        expect(findLostCommits(log), `record ${frame}, byte ${at}`).toContain('cannot be read');
      }
    }
    const damaged = Buffer.from(bytes);
    damaged.fill(0x5a, 0, 8);
    writeFileSync(log, damaged);
    expect(findLostCommits(log)).toContain('header');
  });

  it('that was begun again over an older one is read to its own end', async () => {
    const test = openTestStore();
    opened.push(test);
    for (let n = 0; n < 30; n += 1) await put(test, `fact-${n}`);
    test.store.peek((db) => db.prepare('PRAGMA wal_checkpoint(RESTART)').get());
    const log = join(test.dir, 'quarterdeck.db-wal');
    const before = statSync(log).size;
    await put(test, 'later');
    expect(statSync(log).size).toBe(before);
    expect(findLostCommits(log)).toBeUndefined();
    overwrite(log, LOG_HEADER + FRAME - 100, Buffer.alloc(50, 0x5a));
    expect(findLostCommits(log)).toContain('cannot be read');
  });
});

describe('a database', () => {
  it('whose last page is garbage is refused and left as it is, and the error says what to do', async () => {
    const test = openTestStore();
    opened.push(test);
    for (let n = 0; n < 50; n += 1) await put(test, `fact-${n}`);
    await test.close();
    const file = join(test.dir, 'quarterdeck.db');
    overwrite(file, statSync(file).size - PAGE, Buffer.alloc(PAGE, 0x5a));
    const damaged = openDatabase(file);
    expect(() => checkDatabase(damaged, file)).toThrow(
      expect.objectContaining({
        code: 'UNAVAILABLE',
        retryable: false,
        message: expect.stringMatching(new RegExp(`${file} is damaged.*put a backup in its place`)) as string,
      }) as Error,
    );
    damaged.close();
    const bytes = readFileSync(file);
    expect(() => openTestStore({ dir: test.dir })).toThrow(`${file} is damaged`);
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  it('too large to be checked as a whole is read at the end of each table', async () => {
    const test = openTestStore();
    opened.push(test);
    for (let n = 0; n < 50; n += 1)
      await test.store.write((tx) =>
        tx.record(
          event({ projectId: SYSTEM_PROJECT_ID, actor: CORE.actor, door: 'core', subject: 'x'.repeat(500) }, 'core.stopped', {}),
        ),
      );
    await test.close();
    const file = join(test.dir, 'quarterdeck.db');
    const sound = openDatabase(file);
    expect(() => checkDatabase(sound, file, 0)).not.toThrow();
    const { page } = sound.prepare("SELECT max(pageno) AS page FROM dbstat WHERE name = 'journal'").get() as { page: number };
    sound.close();
    overwrite(file, (page - 1) * PAGE, Buffer.alloc(PAGE, 0x5a));
    const damaged = openDatabase(file);
    expect(() => checkDatabase(damaged, file, 0)).toThrow(`${file} is damaged`);
    damaged.close();
  });

  it('that is found damaged while it is used says so to whoever reads or writes', async () => {
    const test = openTestStore();
    opened.push(test);
    for (let n = 0; n < 50; n += 1) await put(test, `fact-${n}`);
    await test.close();
    const file = join(test.dir, 'quarterdeck.db');
    const again = openTestStore({ dir: test.dir });
    opened.push(again);
    for (const table of ['facts', 'journal']) {
      const { root } = again.store.peek((db) =>
        db.prepare('SELECT rootpage AS root FROM sqlite_schema WHERE name = ?').get(table),
      ) as { root: number };
      overwrite(file, (root - 1) * PAGE, Buffer.alloc(PAGE, 0x5a));
    }
    // What it knows already it need not read.
    again.store.peek((db) => db.prepare('PRAGMA shrink_memory').run());
    const told = { code: 'UNAVAILABLE', message: expect.stringContaining(`${file} is damaged`) as string };
    await expect(put(again, 'more')).rejects.toMatchObject(told);
    await expect(again.store.read('journal.page', { limit: 9 })).rejects.toMatchObject(told);
  });
});
