/** kill -9 in the middle of mirroring: after the next start no line is missing, and none is there twice. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { openMessages } from '#core/messages/testing/open-messages.ts';
import { Mirror } from './mirror.ts';
import { onlySession, readMirror } from './testing/read-mirror.ts';

const CHILD = fileURLToPath(new URL('./testing/mirror-child.ts', import.meta.url));
/** Longest time a child works before it is killed, in ms. */
const MAX_WORK_MS = 250;
/** How long a child may take to start on a busy machine, in ms. */
const START_DEADLINE_MS = 30_000;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-mirror-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Runs the child and kills it so long after it has started. */
async function runAndKill(workMs: number): Promise<void> {
  const child = spawn(process.execPath, [CHILD, dir], { stdio: ['ignore', 'pipe', 'pipe'] });
  let errors = '';
  let killTimer: NodeJS.Timeout | undefined;
  const deadline = setTimeout(() => child.kill('SIGKILL'), START_DEADLINE_MS);
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  child.stdout.on('data', () => {
    // The moment of the kill is what is random here, so it goes by the clock.
    killTimer ??= setTimeout(() => child.kill('SIGKILL'), workMs);
  });
  const signal = await new Promise((resolve) => child.on('close', (_code, by) => resolve(by)));
  clearTimeout(deadline);
  clearTimeout(killTimer);
  expect([signal, errors]).toEqual(['SIGKILL', '']);
}

it(
  'misses no line and repeats none, wherever it is killed',
  async () => {
    const endAt = performance.now() + effort.roundsBudgetMs;
    let rounds = 0;
    let mirrored = 0;
    while (rounds < effort.childKillRounds && performance.now() < endAt) {
      await runAndKill(Math.random() * MAX_WORK_MS);
      rounds += 1;
    }
    const t = await openMessages({ dir });
    try {
      const said: string[] = [];
      const mirror = new Mirror({
        store: t.test.store,
        sessionsDir: join(dir, 'sessions'),
        projectFolder: () => undefined,
        warn: (message) => said.push(message),
      });
      await mirror.flush();
      mirror.dispose();
      const content = readMirror(onlySession(join(dir, 'sessions')));
      const stored = t.test.store.peek((db) => ({
        messages: db.prepare('SELECT id FROM messages ORDER BY seq').all(),
        read: db
          .prepare(
            'SELECT m.id FROM messages m JOIN deliveries d ON d.message_seq = m.seq WHERE d.read_at IS NOT NULL ORDER BY m.id',
          )
          .all(),
      }));
      expect(content.messages.map(({ id }) => ({ id }))).toEqual(stored.messages);
      expect(content.ends.map(({ messageId }) => messageId).sort()).toEqual(
        stored.read.map((row) => (row as { id: string }).id).sort(),
      );
      expect(content.headers.map(({ file }) => file)).toEqual(content.files.map((_name, index) => index + 1));
      expect(said).toEqual([]);
      mirrored = content.messages.length;
    } finally {
      await t.dispose();
    }
    expect(rounds).toBeGreaterThanOrEqual(effort.leastRounds);
    expect(mirrored).toBeGreaterThan(0);
  },
  effort.roundsTimeoutMs,
);
