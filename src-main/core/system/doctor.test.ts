import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SystemCheck } from '#shared/system/model.ts';
import { SystemCheck as SystemCheckSchema } from '#shared/system/model.ts';
import { isRunning } from '#core/runtimes/process-table.ts';
import type { DoctorOptions } from './doctor.ts';
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
async function examine(options: Partial<DoctorOptions> = {}): Promise<Record<string, SystemCheck>> {
  const login = { path: dir, shell: '/bin/zsh', problem: null };
  const env = { HOME: dir, DOCKER_HOST: `unix://${join(dir, 'docker.sock')}` };
  const checks = await runDoctor({ login, env, agentEnv: { HOME: dir }, dataDir: dir, timeoutMs: 20_000, ...options });
  for (const check of checks) expect(SystemCheckSchema.parse(check)).toEqual(check);
  expect(new Set(checks.map(({ id }) => id)).size).toBe(checks.length);
  return Object.fromEntries(checks.map((check) => [check.id, check]));
}

/** A git that knows these settings. */
function git(settings: Record<string, string> = { 'user.name': 'Ada', 'user.email': 'ada@example.com' }): void {
  const cases = Object.entries(settings).map(([key, value]) => `*${key}) echo "${value}";;`);
  program('git', `case "$*" in --version) echo "git version 2.43.0";; ${cases.join(' ')} *) exit 1;; esac`);
}

/** A Claude Code that says this of its login. */
function claude(status: string, code = 0): void {
  program(
    'claude',
    `case "$*" in
      --version) echo "2.1.34 (Claude Code)";;
      "auth --help") printf 'Usage: claude auth [options] [command]\n\nCommands:\n  status [options]  Show authentication status\n';;
      "auth status --json") echo '${status}'; exit ${code};;
      *) touch "${dir}/asked-a-model";;
    esac`,
  );
}

describe('the doctor', () => {
  it('finds programs by running them, and reads their version', async () => {
    program('tmux', 'echo "tmux 3.4"');
    git();
    const found = await examine();
    expect(found['tmux']).toMatchObject({
      group: 'runtimes',
      state: 'ok',
      version: '3.4',
      path: join(dir, 'tmux'),
      remedy: null,
      loginState: null,
      detail: `3.4 · ${dir}/tmux`,
    });
    expect(found['git']).toMatchObject({
      group: 'work',
      state: 'ok',
      version: '2.43.0',
      detail: containing('name and email are set'),
    });
    expect(found['node']).toMatchObject({ state: 'ok', version: process.versions.node });
    expect(found['disk']).toMatchObject({ title: 'Disk', detail: containing('GB free') });
    expect(found['path']).toMatchObject({ state: 'ok', path: '/bin/zsh', detail: '1 folder, of the login shell /bin/zsh' });
  });

  it('tells what is needed from what is optional, each with the command that closes the gap', async () => {
    const found = await examine();
    expect(found['tmux']).toMatchObject({ state: 'missing', path: null, remedy: containing('tmux') });
    expect(found['git']).toMatchObject({ state: 'missing', remedy: ANY_TEXT });
    for (const [id, name] of [
      ['claude-code', '@anthropic-ai/claude-code'],
      ['codex', '@openai/codex'],
      ['gemini', '@google/gemini-cli'],
    ] as const)
      expect(found[id]).toMatchObject({ group: 'agents', state: 'optional', remedy: `npm install -g ${name}`, loginState: null });
    expect(found['docker']).toMatchObject({ state: 'optional', remedy: containing('docker') });
    git({ 'user.name': 'Ada' });
    expect((await examine())['git']).toMatchObject({
      state: 'needs',
      detail: containing('email is not set'),
      remedy: 'git config --global user.email you@example.com',
    });
    git({});
    expect((await examine())['git']?.remedy).toContain('user.name "Your Name" && git config');
  });

  it('names the package manager that is there', async () => {
    program('pacman', 'exit 0');
    const { tmux } = await examine();
    expect(tmux?.remedy).toMatch(process.platform === 'darwin' ? /^brew install tmux$/ : /pacman -S --noconfirm tmux$/);
  });

  it('goes on when a program hangs, also one that does not listen, and ends what hangs in it', async () => {
    program('tmux', 'trap "" TERM INT HUP; while :; do :; done');
    program('claude', `sleep 1000 & echo $! > ${dir}/pid.new; mv ${dir}/pid.new ${dir}/pid; wait`);
    const found = await examine({ timeoutMs: 500 });
    expect(found['tmux']).toMatchObject({ state: 'failed', detail: containing('no answer in time') });
    expect(found['claude-code']).toMatchObject({ state: 'failed', detail: containing('no answer in time') });
    const pid = Number(readFileSync(join(dir, 'pid'), 'utf8'));
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 10_000, interval: 20 });
  });

  it('waits for all at once', async () => {
    for (const name of ['tmux', 'git', 'claude', 'codex', 'gemini', 'docker']) program(name, 'sleep 1000');
    const startedAt = performance.now();
    await examine({ timeoutMs: 1_000 });
    expect(performance.now() - startedAt).toBeLessThan(4_000);
  });

  it('says what a program that fails complains about', async () => {
    program('docker', 'echo "Cannot connect to the Docker daemon" >&2; exit 1');
    program('tmux', 'exit 3');
    const found = await examine();
    expect(found['docker']).toMatchObject({ state: 'optional', detail: containing('Cannot connect to the Docker daemon') });
    expect(found['tmux']).toMatchObject({ state: 'failed', detail: containing('it ends with code 3') });
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

  it('does not call a tmux fit that is too old', async () => {
    program('tmux', 'echo "tmux 2.9a"');
    expect((await examine())['tmux']).toMatchObject({ state: 'failed', version: '2.9a', remedy: containing('tmux') });
  });

  it('looks at the disk even where the data folder is not there yet', async () => {
    expect((await examine({ dataDir: join(dir, 'not', 'yet') }))['disk']?.detail).toContain('GB free');
  });

  it('says when the login shell did not answer', async () => {
    const login = { path: `${dir}:/bin`, shell: '/bin/fish', problem: '/bin/fish did not tell its PATH within 3 s' };
    expect((await examine({ login }))['path']).toMatchObject({
      state: 'failed',
      detail: containing('2 folders of this process'),
      remedy: 'time /bin/fish -lc true',
    });
  });
});

describe('logins', () => {
  it('of Claude Code are what it says itself', async () => {
    claude('{"loggedIn": true, "authMethod": "claude.ai", "email": "ada@example.com", "loginExpiresAt": null}');
    expect((await examine())['claude-code']).toMatchObject({
      state: 'ok',
      loginState: 'in',
      version: '2.1.34',
      remedy: null,
      detail: `2.1.34 · logged in (ada@example.com, claude.ai) · ${dir}/claude`,
    });
    claude('{"loggedIn": false, "authMethod": "none"}', 1);
    expect((await examine())['claude-code']).toMatchObject({
      state: 'needs',
      loginState: 'out',
      remedy: 'claude auth login',
      detail: containing('2.1.34 is installed, but nobody is logged in'),
    });
    claude('{"loggedIn": true, "loginExpiresAt": "2020-11-09T10:00:00Z"}');
    expect((await examine())['claude-code']).toMatchObject({
      state: 'needs',
      loginState: 'out',
      detail: containing('9 November 2020'),
    });
    claude('not JSON');
    expect((await examine())['claude-code']).toMatchObject({ state: 'ok', loginState: 'unknown', remedy: null });
    expect(existsSync(join(dir, 'asked-a-model'))).toBe(false);
  });

  it('are not asked of a Claude Code that would take the question for a prompt', async () => {
    program(
      'claude',
      `case "$*" in
        --version) echo "1.0.3 (Claude Code)";;
        *--help) printf 'Usage: claude [options] [command] [prompt]\n\nCommands:\n  doctor  Check\n';;
        *) touch "${dir}/asked-a-model";;
      esac`,
    );
    expect((await examine())['claude-code']).toMatchObject({
      state: 'ok',
      loginState: 'unknown',
      detail: containing('no command that tells whether it is logged in'),
    });
    expect(existsSync(join(dir, 'asked-a-model'))).toBe(false);
  });

  it('of Codex are what it says itself, without any piece of a key', async () => {
    const codex = (text: string, code: number): void =>
      program(
        'codex',
        `case "$1" in --version) echo "codex-cli 0.169.0";; *) echo "WARNING: x" >&2; echo "${text}" >&2; exit ${code};; esac`,
      );
    codex('Logged in using ChatGPT', 0);
    expect((await examine())['codex']).toMatchObject({ state: 'ok', loginState: 'in', version: '0.169.0' });
    codex('API key configured - sk-test-***00000', 0);
    const { codex: withKey } = await examine();
    expect(withKey).toMatchObject({ state: 'ok', loginState: 'in', detail: containing('API key') });
    expect(withKey?.detail).not.toContain('00000');
    codex('Not logged in', 1);
    expect((await examine())['codex']).toMatchObject({ state: 'needs', loginState: 'out', remedy: 'codex login' });
    codex("error: unexpected argument 'status'", 2);
    expect((await examine())['codex']).toMatchObject({
      state: 'ok',
      loginState: 'unknown',
      detail: containing('unexpected argument'),
    });
  });

  it('of Gemini CLI are unknown, and it says so', async () => {
    program('gemini', 'echo 0.61.0');
    expect((await examine())['gemini']).toMatchObject({
      state: 'ok',
      version: '0.61.0',
      loginState: 'unknown',
      detail: containing('no command that tells'),
    });
  });

  it('wait for nobody where another is logged in', async () => {
    claude('{"loggedIn": false}', 1);
    program('codex', 'echo "codex-cli 0.169.0"');
    const found = await examine();
    expect(found['codex']).toMatchObject({ loginState: 'in' });
    expect(found['claude-code']).toMatchObject({ state: 'optional', loginState: 'out', remedy: 'claude auth login' });
  });

  it('are asked for in the environment of agents, not in that of the core', async () => {
    program(
      'claude',
      `case "$*" in
        --version) echo 2.1.34;;
        "auth --help") printf 'Usage: claude auth\n  status\n';;
        *) [ -n "$ANTHROPIC_API_KEY" ] && echo '{"loggedIn": true}' || echo '{"loggedIn": false}';;
      esac`,
    );
    const env = { HOME: dir, ANTHROPIC_API_KEY: 'x' };
    expect((await examine({ env }))['claude-code']?.loginState).toBe('out');
    expect((await examine({ agentEnv: env }))['claude-code']?.loginState).toBe('in');
  });
});

describe('Docker', () => {
  it('is an engine that answers on a socket, however the CLI is', async () => {
    const socket = join(dir, 'docker.sock');
    let answer = JSON.stringify({ Version: '28.3.2' });
    const engine = createServer((request, response) => response.end(request.url === '/version' ? answer : '')).listen(socket);
    try {
      await once(engine, 'listening');
      expect((await examine())['docker']).toMatchObject({ state: 'ok', version: '28.3.2', path: socket });
      program('docker', 'exit 1');
      expect((await examine())['docker']).toMatchObject({
        state: 'ok',
        path: join(dir, 'docker'),
        detail: containing('answers in '),
      });
      answer = 'no JSON';
      expect((await examine())['docker']).toMatchObject({ state: 'optional' });
      answer = JSON.stringify({ Version: '19.03.15', ApiVersion: '1.40' });
      expect((await examine())['docker']).toMatchObject({
        state: 'failed',
        detail: containing('19.03.15 is too old: Docker 20.10 or newer'),
        remedy: containing('docker'),
      });
    } finally {
      engine.close();
    }
  });

  it('is one that the CLI reaches by ways of its own', async () => {
    program('docker', 'echo 27.0.1');
    expect((await examine())['docker']).toMatchObject({ state: 'ok', version: '27.0.1' });
  });

  it('says when it may not be used, and how that is changed', async () => {
    program('docker', 'echo "permission denied while trying to connect to the Docker daemon socket" >&2; exit 1');
    expect((await examine())['docker']).toMatchObject({ state: 'optional', remedy: containing('usermod') });
  });
});
