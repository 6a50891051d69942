import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { readHeadFile } from '#core/journal/head-file.ts';
import { verifyJournal } from '#core/journal/verify.ts';
import { openTestStore } from '#core/testing/open-store.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-crash-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Writes in another process until it has acknowledged so many, kills it, and returns what it had acknowledged by then. */
async function writeAndKill(round: number, least: number): Promise<string[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'fixture-write-forever.ts'), dir, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (text.split('\n').length > least) child.kill('SIGKILL');
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  // A last line without its end was cut by the kill.
  return text.split('\n').slice(0, -1);
}

describe('a store whose process is killed', () => {
  it(
    'has everything it acknowledged, each change with its journal row, and a journal that verifies',
    { timeout: effort.roundsTimeoutMs },
    async () => {
      const acknowledged: string[] = [];
      const deadline = performance.now() + effort.roundsBudgetMs;
      let rounds = 0;
      while (rounds < effort.childKillRounds && performance.now() < deadline) {
        // Different moments: in the first commits, and well into the write-ahead log.
        acknowledged.push(...(await writeAndKill(rounds, 1 + (rounds % 4) * 70)));
        rounds += 1;

        const { store, journal, auditKey, warnings, ...test } = openTestStore({ dir });
        const facts = store.peek((db) =>
          (db.prepare('SELECT name FROM facts').all() as { name: string }[]).map((row) => row.name),
        );
        const subjects = store.peek((db) =>
          (db.prepare('SELECT subject FROM journal ORDER BY seq').all() as { subject: string }[]).map((row) => row.subject),
        );
        const there = new Set(facts);
        expect(acknowledged.filter((name) => !there.has(name))).toEqual([]);
        expect([...subjects].sort()).toEqual([...facts].sort());
        expect(journal.seq).toBe(subjects.length);
        expect(warnings).toEqual([]);
        const head = readHeadFile(join(dir, 'audit-head'), auditKey);
        expect(
          (await verifyJournal(auditKey, head, (after, limit) => store.read('journal.raw', { after, limit }))).faults,
        ).toEqual([]);
        expect(store.peek((db) => db.prepare('PRAGMA quick_check').get())).toEqual({ quick_check: 'ok' });
        await test.close();
      }
      expect(rounds).toBeGreaterThanOrEqual(effort.leastRounds);
    },
  );
});
