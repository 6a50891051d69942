/** `npm start`, as a person or a supervisor runs it: one line on stdout when it is ready, and a clean end by a signal to npm. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { RunInfo } from '#shared/system/model.ts';
import { makeDataDir, removeDataDir } from '#e2e/support/core.ts';
import { REPOSITORY } from '#e2e/support/this-repository.ts';

/** From the start of the command to the ready line, in milliseconds. */
const READY_MS = 10_000;

beforeAll(() => {
  if (process.env['QUARTERDECK_SKIP_BUILD'] === '1') return;
  const { status, stderr } = spawnSync(process.execPath, ['bin/build.mjs', '--if-stale'], { cwd: REPOSITORY, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}, 120_000);

it('says on stdout that it is ready, and nothing else, and ends cleanly when npm is told to', { timeout: 60_000 }, async () => {
  const dataDir = makeDataDir();
  const args = ['--headless', '--json', '--no-open', '--port', '0', '--agent-mcp-port', '0', '--data-dir', dataDir];
  const startedAt = performance.now();
  const npm = spawn('npm', ['start', '--silent', '--', ...args], {
    cwd: REPOSITORY,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, QUARTERDECK_SKIP_BUILD: '1' },
  });
  const ended = once(npm, 'close');
  let stdout = '';
  let stderr = '';
  npm.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  npm.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  try {
    await expect.poll(() => stdout, { timeout: 30_000, message: stderr }).toContain('\n');
    expect(performance.now() - startedAt).toBeLessThan(READY_MS);
    const run = RunInfo.extend({ event: z.literal('ready') }).parse(JSON.parse(stdout));
    expect(run).toMatchObject(RunInfo.parse(JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8'))));
    expect(run.apiUrl).toMatch(/\/api$/);
    npm.kill('SIGTERM');
    await ended;
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    await expect.poll(() => existsSync(join(dataDir, 'run.json')), { timeout: 10_000 }).toBe(false);
    await expect.poll(() => isAlive(run.pid), { timeout: 10_000 }).toBe(false);
  } finally {
    npm.kill('SIGTERM');
    await ended;
    removeDataDir(dataDir);
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
