import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JournalEvent } from '#shared/journal/model.ts';
import { ProjectId, mintId } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import { CORE } from '#core/caller.ts';
import { openDatabase } from '#core/store/database.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { HeadFile, readHeadFile } from './head-file.ts';
import { journalReads } from './journal-repository.ts';
import { event } from './journal.ts';
import type { Verification } from './verify.ts';
import { verifyJournal } from './verify.ts';

const project = ProjectId.parse(mintId('prj'));
let test: TestStore;

beforeEach(() => {
  test = openTestStore();
});
afterEach(() => test.dispose());

const headPath = (): string => join(test.dir, 'audit-head');

/** Adds events, one commit each. */
async function add(...subjects: string[]): Promise<void> {
  for (const subject of subjects) {
    await test.store.write((tx) =>
      tx.record(
        event({ projectId: project, actor: { kind: 'agent', id: 'a1' }, door: 'agent-mcp', subject }, 'access.refused', {
          procedure: subject,
          reason: 'not yours',
        }),
      ),
    );
  }
}

function verify(t: TestStore = test): Promise<Verification> {
  return verifyJournal(t.auditKey, readHeadFile(join(t.dir, 'audit-head'), t.auditKey), (after, limit) =>
    t.store.read('journal.raw', { after, limit }),
  );
}

/** What somebody with access to the file, but not to the key, can do: any SQL. */
async function tamper(...statements: string[]): Promise<void> {
  await test.close();
  const db = openDatabase(join(test.dir, 'quarterdeck.db'));
  for (const sql of statements) db.exec(sql);
  db.close();
}

/** Verifies as a reader from outside would, without a core that opens the journal. */
async function verifyUntouched(): Promise<Verification> {
  const db = openDatabase(join(test.dir, 'quarterdeck.db'), { readOnly: true });
  const result = await verifyJournal(test.auditKey, readHeadFile(headPath(), test.auditKey), async (after, limit) =>
    journalReads['journal.raw'](db, { after, limit }),
  );
  db.close();
  return result;
}

const restart = (): void => {
  test = openTestStore({ dir: test.dir });
};

describe('the journal', () => {
  it('numbers events without gaps over restarts, and tells each once, in order, after its commit', async () => {
    const told: JournalEvent[] = [];
    test.journal.onCommitted((events) => {
      told.push(...events);
      expect(test.journal.seq).toBe(events.at(-1)?.seq);
      expect(test.store.peek((db) => db.prepare('SELECT max(seq) AS seq FROM journal').get())).toEqual({ seq: test.journal.seq });
    });
    await Promise.all([add('a', 'b'), add('c')]);
    await test.close();
    restart();
    test.journal.onCommitted((events) => told.push(...events));
    await add('d');
    expect(told.map(({ seq, subject }) => [seq, subject])).toEqual([
      [1, 'a'],
      [2, 'c'],
      [3, 'b'],
      [4, 'd'],
    ]);
    const page = await test.store.read('journal.events', { after: 0, limit: 100 });
    expect(page).toEqual({ events: told, lastSeq: 4 });
    expect(await verify()).toEqual({ isIntact: true, rows: 4, headSeq: 4, faults: [] });
  });

  it('keeps going when a listener throws', async () => {
    const told: number[] = [];
    test.journal.onCommitted(() => {
      throw new Error('bad listener');
    });
    test.journal.onCommitted((events) => told.push(...events.map(({ seq }) => seq)));
    await add('a', 'b');
    expect(told).toEqual([1, 2]);
    expect(test.warnings).toEqual(Array(2).fill('a listener of the journal failed: bad listener'));
  });

  it('keeps recent events in memory for followers, and says when it does not', async () => {
    expect(test.journal.recentAfter(0, 10)).toEqual([]);
    await add('a', 'b', 'c');
    expect(test.journal.recentAfter(0, 2)?.map(({ seq }) => seq)).toEqual([1, 2]);
    expect(test.journal.recentAfter(2, 10)?.map(({ seq }) => seq)).toEqual([3]);
    expect(test.journal.recentAfter(3, 10)).toEqual([]);
    await test.close();
    restart();
    expect(test.journal.recentAfter(3, 10)).toEqual([]);
    expect(test.journal.recentAfter(2, 10)).toBeUndefined();
    await Promise.all(
      Array.from({ length: 9_000 }, (_, i) =>
        test.store.write((tx) =>
          tx.record(event({ projectId: project, actor: CORE.actor, door: 'core', subject: `n${i}` }, 'core.stopped', {})),
        ),
      ),
    );
    expect(test.journal.recentAfter(3, 10)).toBeUndefined();
    expect(test.journal.recentAfter(test.journal.seq - 4_000, 1)?.[0]?.seq).toBe(test.journal.seq - 3_999);
  });

  it('pages both ways, filters, and shows an erased row without its data', async () => {
    await add('a', 'b', 'a', 'b', 'a');
    await tamper('UPDATE journal SET data = NULL WHERE seq = 3');
    restart();
    const seqs = async (args: {
      after?: number;
      before?: number;
      subject?: string;
      limit: number;
    }): Promise<[number[], boolean]> => {
      const { rows, hasMore } = await test.store.read('journal.page', args);
      return [rows.map(({ seq }) => seq), hasMore];
    };
    expect(await seqs({ limit: 2 })).toEqual([[5, 4], true]);
    expect(await seqs({ before: 4, limit: 10 })).toEqual([[3, 2, 1], false]);
    expect(await seqs({ after: 3, limit: 10 })).toEqual([[4, 5], false]);
    expect(await seqs({ subject: 'a', limit: 10 })).toEqual([[5, 3, 1], false]);
    expect((await test.store.read('journal.page', { after: 2, limit: 1 })).rows[0]?.data).toBeNull();
    expect((await test.store.read('journal.events', { after: 1, limit: 2 })).events.map(({ seq }) => seq)).toEqual([2]);
    expect(await test.store.read('journal.events', { after: 2, limit: 1 })).toEqual({ events: [], lastSeq: 3 });
  });
});

describe('verification', () => {
  beforeEach(() => add('one', 'two', 'three', 'four', 'five'));

  it('finds nothing in what was written, also when data was erased', async () => {
    await tamper('UPDATE journal SET data = NULL WHERE seq IN (1, 3, 5)');
    expect(await verifyUntouched()).toEqual({ isIntact: true, rows: 5, headSeq: 5, faults: [] });
  });

  it.each([
    ['seq', 'UPDATE journal SET seq = 30 WHERE seq = 3'],
    ['at', 'UPDATE journal SET at = at + 1 WHERE seq = 3'],
    ['project', `UPDATE journal SET project_id = '${SYSTEM_PROJECT_ID}' WHERE seq = 3`],
    ['actor kind', "UPDATE journal SET actor_kind = 'operator' WHERE seq = 3"],
    ['actor', "UPDATE journal SET actor_id = 'a2' WHERE seq = 3"],
    ['door', "UPDATE journal SET door = 'cli' WHERE seq = 3"],
    ['kind', "UPDATE journal SET kind = 'core.stopped' WHERE seq = 3"],
    ['subject', "UPDATE journal SET subject = 'four' WHERE seq = 3"],
    ['subject and actor, keeping their common text', "UPDATE journal SET actor_id = 'a', door = '1agent-mcp' WHERE seq = 3"],
    ['data', "UPDATE journal SET data = '{}' WHERE seq = 3"],
    ['data, swapped with another row', 'UPDATE journal SET data = (SELECT data FROM journal WHERE seq = 4) WHERE seq = 3'],
    [
      'data with its hash, from another row',
      'UPDATE journal SET (data, data_hash) = (SELECT data, data_hash FROM journal WHERE seq = 4) WHERE seq = 3',
    ],
    ["data's hash", "UPDATE journal SET data_hash = x'00' WHERE seq = 3"],
    ['hash', 'UPDATE journal SET hash = zeroblob(32) WHERE seq = 3'],
    ['hash, emptied', "UPDATE journal SET hash = x'' WHERE seq = 3"],
    ['the last row', "UPDATE journal SET actor_id = 'a2' WHERE seq = 5"],
    ['the first row', "UPDATE journal SET actor_id = 'a2' WHERE seq = 1"],
    ['a row removed', 'DELETE FROM journal WHERE seq = 3'],
    [
      'a row removed, the rest moved up',
      'DELETE FROM journal WHERE seq = 3; UPDATE journal SET seq = 3 WHERE seq = 4; UPDATE journal SET seq = 4 WHERE seq = 5',
    ],
    ['the first row removed', 'DELETE FROM journal WHERE seq = 1'],
    [
      "two rows in each other's place",
      'UPDATE journal SET seq = 99 WHERE seq = 2; UPDATE journal SET seq = 2 WHERE seq = 3; UPDATE journal SET seq = 3 WHERE seq = 99',
    ],
    [
      'a row slipped in before the first',
      'INSERT INTO journal SELECT 0, at, project_id, actor_kind, actor_id, door, kind, subject, data, data_hash, hash FROM journal WHERE seq = 1',
    ],
    [
      'a row slipped in long before the first',
      'INSERT INTO journal SELECT -7, at, project_id, actor_kind, actor_id, door, kind, subject, data, data_hash, hash FROM journal WHERE seq = 1',
    ],
    [
      'a row added at the end',
      'INSERT INTO journal SELECT 6, at, project_id, actor_kind, actor_id, door, kind, subject, data, data_hash, hash FROM journal WHERE seq = 5',
    ],
    ['the tail cut off', 'DELETE FROM journal WHERE seq > 3'],
    ['everything cut off', 'DELETE FROM journal'],
  ])('finds a change: %s', async (_what, sql) => {
    await tamper(sql);
    const result = await verifyUntouched();
    expect(result.isIntact).toBe(false);
    expect(result.faults.length).toBeGreaterThan(0);
  });

  it('names what it found', async () => {
    await tamper("UPDATE journal SET data = '{}' WHERE seq = 2", 'DELETE FROM journal WHERE seq >= 4');
    const { faults } = await verifyUntouched();
    expect(faults.map(({ kind, seq }) => [kind, seq])).toEqual([
      ['changed', 2],
      ['cut', 5],
    ]);
  });

  it('stops after the first faults of a journal that is all wrong', async () => {
    await add(...Array.from({ length: 30 }, (_, i) => `n${i}`));
    await tamper('UPDATE journal SET at = 0');
    expect((await verifyUntouched()).faults).toHaveLength(20);
  });

  it('finds a missing or foreign head file, whatever the tail', async () => {
    await tamper('DELETE FROM journal WHERE seq > 3');
    rmSync(headPath());
    expect((await verifyUntouched()).faults.map(({ kind }) => kind)).toEqual(['head']);
    const foreign = new HeadFile(headPath(), new Uint8Array(32).fill(9));
    foreign.reset({ seq: 3, hash: new Uint8Array(32) });
    foreign.close();
    expect((await verifyUntouched()).faults.map(({ kind }) => kind)).toEqual(['head']);
  });

  it('takes a database that is ahead of the head for sound', async () => {
    copyFileSync(headPath(), `${headPath()}.old`);
    await add('six', 'seven');
    await test.close();
    copyFileSync(`${headPath()}.old`, headPath());
    expect(await verifyUntouched()).toEqual({ isIntact: true, rows: 7, headSeq: 5, faults: [] });
    restart();
    await add('eight');
    expect(await verify()).toEqual({ isIntact: true, rows: 8, headSeq: 8, faults: [] });
  });
});

describe('a core that starts on a damaged end', () => {
  beforeEach(() => add('one', 'two', 'three', 'four', 'five'));

  it.each([
    ['the tail cut off', 'DELETE FROM journal WHERE seq > 3', false, 5],
    ['the tail and the head file gone', 'DELETE FROM journal WHERE seq > 3', true, null],
    ['only the head file gone', 'SELECT 1', true, null],
    ['the last row replaced', 'UPDATE journal SET hash = zeroblob(32) WHERE seq = 5', false, 5],
  ])('does not write over the evidence: %s', async (_what, sql, removesHead, headSeq) => {
    await tamper(sql);
    if (removesHead) rmSync(headPath());
    // Started, and ended before anything was recorded: the evidence is still there for the next start.
    restart();
    await test.close();
    expect((await verifyUntouched()).isIntact).toBe(false);

    restart();
    expect(test.warnings).toEqual([expect.stringContaining('audit trail is damaged')]);
    const told: JournalEvent[] = [];
    test.journal.onCommitted((events) => told.push(...events));
    await add('after');
    expect(told.map(({ kind }) => kind)).toEqual(['journal.fault-found', 'access.refused']);
    expect(told[0]).toMatchObject({ subject: 'journal', actor: CORE.actor, data: { headSeq } });
    await add('and', 'on');
    await test.close();
    restart();
    await add('for good');
    const { isIntact, faults } = await verify();
    expect(isIntact).toBe(false);
    expect(faults.some(({ kind }) => kind === 'cut')).toBe(true);
    expect(
      test.store.peek((db) => db.prepare("SELECT count(*) AS n FROM journal WHERE kind = 'journal.fault-found'").get()),
    ).toEqual({ n: 1 });
  });

  it('records the fault again when a commit with it failed', async () => {
    await tamper('DELETE FROM journal WHERE seq > 3');
    restart();
    const kinds = (): unknown => test.store.peek((db) => db.prepare('SELECT kind FROM journal WHERE seq > 3').all());
    test.store.peek((db) =>
      db.prepare("CREATE TRIGGER refuse BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'no'); END").run(),
    );
    await expect(add('lost')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    test.store.peek((db) => db.prepare('DROP TRIGGER refuse').run());
    await add('kept');
    expect(kinds()).toEqual([{ kind: 'journal.fault-found' }, { kind: 'access.refused' }]);
  });

  it('takes a kill between the first commit and its head for sound', async () => {
    const fresh = openTestStore();
    const empty = readFileSync(join(fresh.dir, 'audit-head'));
    await fresh.store.write((tx) =>
      tx.record(event({ projectId: project, actor: CORE.actor, door: 'core', subject: 'x' }, 'core.stopped', {})),
    );
    await fresh.close();
    writeFileSync(join(fresh.dir, 'audit-head'), empty);
    const again = openTestStore({ dir: fresh.dir });
    expect(await verify(again)).toMatchObject({ isIntact: true, rows: 1, headSeq: 0 });
    await again.dispose();
  });
});

describe('the head file', () => {
  const key = new Uint8Array(32).fill(3);
  const head = (seq: number) => ({ seq, hash: new Uint8Array(32).fill(seq % 256) });
  let dir: string;
  let file: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'qd-head-'));
    file = join(dir, 'audit-head');
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  const write = (...seqs: number[]): void => {
    const opened = new HeadFile(file, key);
    for (const seq of seqs) opened.write(head(seq));
    opened.close();
  };
  const seqOf = (): number | undefined => readHeadFile(file, key)?.seq;

  it('gives back the newest head, whichever slot it is in, and is private', () => {
    expect(seqOf()).toBeUndefined();
    for (const seq of [1, 2, 3, 7, 8]) {
      write(seq);
      expect(seqOf()).toBe(seq);
    }
    expect(Buffer.from(readHeadFile(file, key)?.hash ?? [])).toEqual(Buffer.alloc(32, 8));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(file).size).toBe(2 * 147);
  });

  it('survives a write torn at any byte: the head before it is still there', () => {
    for (const first of [[1], [1, 2], [1, 2, 3]]) {
      rmSync(file, { force: true });
      write(...first);
      const before = readFileSync(file);
      const last = first.at(-1) ?? 0;
      write(last + 1);
      const after = readFileSync(file);
      for (let bytes = 0; bytes <= 147; bytes += 1) {
        // The slot that changed holds the first bytes of the new head and the rest of what was there.
        const slot = after.subarray(0, 147).equals(before.subarray(0, 147)) ? 147 : 0;
        const torn = Buffer.concat([after.subarray(0, slot + bytes), before.subarray(slot + bytes)]);
        writeFileSync(file, torn);
        expect([last, last + 1]).toContain(seqOf());
      }
    }
  });

  it('writes over the slot that is older or damaged, never the only good one', () => {
    write(1, 2);
    const damaged = readFileSync(file);
    damaged[10] = 0x78;
    writeFileSync(file, damaged);
    expect(seqOf()).toBe(2);
    const opened = new HeadFile(file, key);
    opened.write(head(3));
    expect(readFileSync(file, 'latin1').slice(147, 163)).toBe('0000000000000002');
    opened.close();
    expect(seqOf()).toBe(3);
  });

  it('is nothing without its key, and any changed digit counts', () => {
    write(5);
    expect(readHeadFile(file, new Uint8Array(32))).toBeUndefined();
    const text = readFileSync(file);
    for (let i = 0; i < 147; i += 1) {
      const changed = Buffer.from(text);
      changed[i] = changed[i] === 0x30 ? 0x31 : 0x30;
      writeFileSync(file, changed);
      expect(seqOf()).toBeUndefined();
    }
    writeFileSync(file, '');
    expect(seqOf()).toBeUndefined();
  });

  it('is set back as a whole only when told so', () => {
    write(8, 9);
    write(4);
    expect(seqOf()).toBe(9);
    const opened = new HeadFile(file, key);
    opened.reset(head(5));
    opened.close();
    expect(seqOf()).toBe(5);
  });
});
