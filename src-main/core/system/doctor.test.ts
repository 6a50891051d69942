import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SystemCheck } from '#shared/system/model.ts';
import { SystemCheck as SystemCheckSchema } from '#shared/system/model.ts';
import { runDoctor } from './doctor.ts';

/** Matchers are `any` by their types. */
const containing = (text: string): string => expect.stringContaining(text) as string;
const ANY_TEXT = expect.any(String) as string;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-doctor-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function program(name: string, script: string): void {
  writeFileSync(join(dir, name), `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`, { mode: 0o755 });
}

/** What the doctor says when PATH holds only what the test put there, by id. */
async function examine(options: { timeoutMs?: number; dataDir?: string } = {}): Promise<Record<string, SystemCheck>> {
  const checks = await runDoctor({ path: dir, env: { HOME: dir }, dataDir: dir, timeoutMs: 20_000, ...options });
  for (const check of checks) expect(SystemCheckSchema.parse(check)).toEqual(check);
  return Object.fromEntries(checks.map((check) => [check.id, check]));
}

describe('the doctor', () => {
  it('finds programs by running them, and reads their version', async () => {
    program('tmux', 'echo "tmux 3.4"');
    program(
      'git',
      'case "$1" in config) echo "$4" | grep -q name && echo Ada || echo ada@example.com;; *) echo "git version 2.43.0";; esac',
    );
    const found = await examine();
    expect(found['tmux']).toMatchObject({ state: 'ok', version: '3.4', path: join(dir, 'tmux'), remedy: null });
    expect(found['git']).toMatchObject({ state: 'ok', version: '2.43.0' });
    expect(found['git-identity']).toMatchObject({ state: 'ok' });
    expect(found['node']).toMatchObject({ state: 'ok', version: process.versions.node });
    expect(found['disk']).toMatchObject({ title: 'Disk', detail: containing('GB free') });
  });

  it('tells what is needed from what is optional, each with the command that closes the gap', async () => {
    const found = await examine();
    expect(found['tmux']).toMatchObject({ state: 'missing', path: null, remedy: containing('tmux') });
    expect(found['git']).toMatchObject({ state: 'missing', remedy: ANY_TEXT });
    expect(found['claude-code']).toMatchObject({ state: 'optional', remedy: containing('npm install') });
    expect(found['docker']).toMatchObject({ state: 'optional' });
    expect(found['git-identity']).toMatchObject({ state: 'missing', remedy: containing('user.name') });
  });

  it('goes on when a program hangs, also one that does not listen', async () => {
    program('tmux', 'trap "" TERM INT HUP; while :; do :; done');
    program('claude', 'exec sleep 1000');
    const found = await examine({ timeoutMs: 500 });
    expect(found['tmux']).toMatchObject({ state: 'failed', detail: containing('no answer in time') });
    expect(found['claude-code']).toMatchObject({ state: 'optional', detail: containing('no answer in time') });
  });

  it('says what a program that fails complains about', async () => {
    program('docker', 'echo "Cannot connect to the Docker daemon" >&2; exit 1');
    program('tmux', 'exit 3');
    const found = await examine();
    expect(found['docker']).toMatchObject({
      state: 'optional',
      detail: containing('Cannot connect to the Docker daemon'),
    });
    expect(found['tmux']).toMatchObject({ state: 'failed', detail: containing('does not answer: ') });
    expect(found['tmux']?.detail).not.toMatch(/: $/);
  });

  it('takes no folder and no text for a program', async () => {
    mkdirSync(join(dir, 'tmux'));
    writeFileSync(join(dir, 'git'), 'not executable', { mode: 0o644 });
    const found = await examine();
    expect(found['tmux']?.state).toBe('missing');
    expect(found['git']?.state).toBe('missing');
  });

  it('keeps what a program says to one short line', async () => {
    program('tmux', 'yes "a very long version" | head -c 100000; echo');
    const { tmux } = await examine();
    expect(tmux?.version?.length).toBeLessThanOrEqual(60);
    program('tmux', 'yes error | head -c 100000 | tr -d "\\n" >&2; exit 1');
    expect((await examine())['tmux']?.detail.length).toBeLessThan(400);
  });

  it('looks at the disk even where the data folder is not there yet', async () => {
    expect((await examine({ dataDir: join(dir, 'not', 'yet') }))['disk']?.state).not.toBe('missing');
  });
});
