import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { takeLock } from './lock.ts';

let dir: string;
let file: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-lock-'));
  file = join(dir, 'lock.db');
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(dir, { recursive: true });
});

/** Starts another process that tries to take the lock; resolves with what became of it. */
async function other(): Promise<{ child: ChildProcess; said: string }> {
  const child = spawn(process.execPath, ['--expose-gc', join(import.meta.dirname, 'fixture-hold-lock.ts'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, said: said.toString().trim() };
}

describe('takeLock', () => {
  it('refuses a second holder, in another process and in this one, until it is released', async () => {
    const lock = takeLock(file, dir);
    expect((await other()).said).toBe('refused CONFLICT');
    expect(() => takeLock(file, dir)).toThrow(expect.objectContaining({ code: 'CONFLICT', data: { dataDir: dir } }));
    expect((await other()).said).toBe('refused CONFLICT');
    lock.dispose();
    lock.dispose();
    expect((await other()).said).toBe('held');
  });

  it('is free again the moment its holder is killed', async () => {
    for (let round = 0; round < Math.min(effort.childKillRounds, 20); round += 1) {
      const { child, said } = await other();
      expect(said).toBe('held');
      expect(() => takeLock(file, dir)).toThrow(/--data-dir/);
      child.kill('SIGKILL');
      await once(child, 'exit');
      takeLock(file, dir).dispose();
    }
  });

  it('tells a lock that cannot be used from one that is held', () => {
    mkdirSync(file);
    expect(() => takeLock(file, dir)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE', retryable: false }));
    rmSync(file, { recursive: true });
    writeFileSync(file, 'junk that is not a database '.repeat(100));
    expect(() => takeLock(file, dir)).toThrow(expect.objectContaining({ code: 'UNAVAILABLE' }));
  });
});
