import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AdoptableSession } from '#shared/agents/observation.ts';
import { isRunning } from '#core/runtimes/process-table.ts';
import { ForeignSessions } from './foreign-sessions.ts';
import type { TestAgents } from './testing/open-agents.ts';
import { caller, openTestAgents, shortDir } from './testing/open-agents.ts';

const WAIT = { timeout: 10_000, interval: 20 };
/** Matchers are `any` by their types. */
const containing = (text: string): string => expect.stringContaining(text) as string;

let t: TestAgents;
let dir: string;
let folder: string;
let socket: string;
let foreign: ForeignSessions;

beforeEach(() => {
  t = openTestAgents({ dir: shortDir() });
  dir = realpathSync(t.dir);
  folder = join(dir, 'their work');
  mkdirSync(folder);
  // A program that is called claude and goes on until it is ended; what is typed into it comes back.
  writeFileSync(join(dir, 'claude'), '#!/bin/sh\necho "Welcome to Claude"\ncat\nexit 0\n', { mode: 0o755 });
  writeFileSync(join(dir, 'claude.mjs'), 'console.log("from node"); setInterval(() => {}, 1000);\n');
  socket = join(dir, `tmux-${process.getuid?.() ?? 0}`, 'theirs');
  foreign = open({});
});
afterEach(async () => {
  try {
    tmux('kill-server');
  } catch {
    // It was never started, or has ended.
  }
  await t.dispose();
});

function open(env: NodeJS.ProcessEnv): ForeignSessions {
  return new ForeignSessions({
    env: { PATH: process.env['PATH'], TMUX_TMPDIR: dir, ...env },
    ownSocket: join(t.dir, 's', 'tmux.sock'),
    agents: () => t.registry.all(),
    isTaken: (id) => t.registry.isTaken(id),
    spawn: (input, by) => t.agents.spawn(input, by),
    start: (id, by) => t.agents.start(id, by),
  });
}

/** The operator's own tmux, with a socket where tmux itself puts it. */
function tmux(...args: string[]): string {
  const env = { ...process.env, TMUX_TMPDIR: dir, TMUX: '' };
  return execFileSync('tmux', ['-u', '-f', '/dev/null', '-L', 'theirs', ...args], {
    env,
    encoding: 'utf8',
    stdio: 'pipe',
  }).trim();
}

function session(name: string, ...command: string[]): void {
  tmux('new-session', '-d', '-s', name, '-c', folder, '-x', '90', '-y', '20', ...command);
}

/** What is found on the foreign server of the test; the machine may have others. */
async function found(least: number): Promise<AdoptableSession[]> {
  return vi.waitFor(async () => {
    const sessions = (await foreign.list()).sessions.filter((one) => one.socket === socket);
    expect(sessions).toHaveLength(least);
    return sessions;
  }, WAIT);
}

function screen(name: string): string {
  return tmux('capture-pane', '-p', '-t', `=${name}:`);
}

describe('looking for agents that run already', { timeout: 60_000 }, () => {
  it('finds those it knows, however they were started, with where they are and since when', async () => {
    const before = Date.now();
    session('claude-a', join(dir, 'claude'));
    session('7', 'sh', '-c', `true; ${join(dir, 'claude')}; true`);
    session('by node', process.execPath, '--no-warnings', join(dir, 'claude.mjs'));
    session('editor', 'sh', '-c', 'echo claude; sleep 1000');
    tmux('new-window', '-d', '-t', '=editor:', '-c', folder, 'exec sleep 1000');
    const sessions = await found(3);
    expect(sessions.map((one) => one.session)).toEqual(['7', 'by node', 'claude-a']);
    const claude = sessions[2];
    expect(claude).toMatchObject({ program: 'claude', window: 0, cwd: folder, isAdopted: false, pane: containing('%') });
    expect(isRunning(claude?.pid ?? 0)).toBe(true);
    expect(Math.abs((claude?.startedAt ?? 0) - before)).toBeLessThan(10_000);
  });

  it('looks at nothing that is not the operator’s: our own servers, open folders, dead sockets', async () => {
    session('claude-a', join(dir, 'claude'));
    await found(1);
    // A server of a core: it has that session.
    tmux('new-session', '-d', '-s', 'Quarterdeck', 'cat');
    await found(0);
    tmux('kill-session', '-t', '=Quarterdeck');
    await found(1);
    const own = new ForeignSessions({ ...optionsOf(), ownSocket: socket });
    expect((await own.list()).sessions.filter((one) => one.socket === socket)).toEqual([]);
    chmodSync(join(dir, `tmux-${process.getuid?.() ?? 0}`), 0o755);
    await found(0);
    chmodSync(join(dir, `tmux-${process.getuid?.() ?? 0}`), 0o700);
    tmux('kill-server');
    await found(0);
    expect((await foreign.list()).problems.filter((one) => one.socket === socket)).toEqual([]);
  });

  it('says which server does not answer, and waits for none too long', async () => {
    session('claude-a', join(dir, 'claude'));
    await found(1);
    const pid = Number(tmux('display-message', '-p', '#{pid}'));
    process.kill(pid, 'SIGSTOP');
    try {
      const { problems } = await foreign.list();
      expect(problems).toContainEqual({ socket, problem: 'no answer in time' });
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });

  it('finds nothing where there is no tmux, or no folder of sockets', async () => {
    expect(await open({ PATH: dir }).list()).toEqual({ sessions: [], problems: [] });
    const elsewhere = (await open({ TMUX_TMPDIR: join(tmpdir(), 'not-there') }).list()).sessions;
    expect(elsewhere.filter((one) => one.socket === socket)).toEqual([]);
  });

  function optionsOf() {
    return {
      env: { PATH: process.env['PATH'], TMUX_TMPDIR: dir },
      agents: () => [],
      isTaken: () => false,
      spawn: () => Promise.reject(new Error('not here')),
      start: () => Promise.reject(new Error('not here')),
    };
  }
});

describe('bringing one in', { timeout: 60_000 }, () => {
  it('attaches an agent to it, in a project for its folder; to stop that detaches, and it runs on', async () => {
    session('Claude A', join(dir, 'claude'));
    const [one] = await found(1);
    const agent = await foreign.adopt({ socket, session: 'Claude A' }, caller);
    expect(agent).toMatchObject({ id: 'claude-a', config: { type: 'command', description: containing('only detaches') } });
    expect(t.projects.get(agent.projectId).folder).toBe(folder);
    const run = t.runs.find(agent.id);
    const lines = async (): Promise<string> => (await run?.capture({ historyLines: 0, ansi: false }))?.lines.join('\n') ?? '';
    await vi.waitFor(async () => expect(await lines()).toContain('Welcome to Claude'), WAIT);
    expect(tmux('list-clients', '-t', '=Claude A', '-F', '#{client_flags}')).toContain('ignore-size');

    const view = await run?.attach({ cols: 120, rows: 30 });
    view?.write(Buffer.from('hello from the window\r'));
    await vi.waitFor(() => expect(screen('Claude A')).toContain('hello from the window'), WAIT);
    view?.dispose();

    expect((await found(1))[0]?.isAdopted).toBe(true);
    expect((await foreign.adopt({ socket, session: 'Claude A' }, caller)).id).toBe(agent.id);
    expect(t.registry.all()).toHaveLength(1);

    const stopped = await t.agents.stop(agent.id, 10_000, caller);
    expect(stopped.state).toMatchObject({ status: 'stopped' });
    await vi.waitFor(() => expect(tmux('list-clients', '-t', '=Claude A')).toBe(''), WAIT);
    expect(isRunning(one?.pid ?? 0)).toBe(true);
    expect(screen('Claude A')).toContain('hello from the window');

    // Again: the same agent, attached anew.
    const again = await foreign.adopt({ socket, session: 'Claude A' }, caller);
    expect(again).toMatchObject({ id: 'claude-a', starts: 2, state: { status: 'working' } });
    await vi.waitFor(() => expect(tmux('list-clients', '-t', '=Claude A')).not.toBe(''), WAIT);
  });

  it('changes nothing in the session: neither its variables nor its settings', async () => {
    session('claude-a', join(dir, 'claude'));
    tmux('set-environment', '-t', '=claude-a', 'SSH_AUTH_SOCK', '/tmp/agent.sock');
    const facts = (): string[] => [
      tmux('show-environment', '-t', '=claude-a'),
      tmux('show-options', '-t', '=claude-a:'),
      tmux('list-windows', '-t', '=claude-a', '-F', '#{window_id} #{window_active}'),
    ];
    const before = facts();
    await found(1);
    const agent = await foreign.adopt({ socket, session: 'claude-a' }, caller);
    await vi.waitFor(() => expect(tmux('list-clients', '-t', '=claude-a')).not.toBe(''), WAIT);
    expect(facts()).toEqual(before);
    await t.agents.stop(agent.id, 10_000, caller);
  });

  it('ends the agent when the session ends, and starts no server of theirs to attach to', async () => {
    session('claude-a', join(dir, 'claude'));
    await found(1);
    const { id } = await foreign.adopt({ socket, session: 'claude-a' }, caller);
    await vi.waitFor(() => expect(tmux('list-clients')).not.toBe(''), WAIT);
    tmux('kill-server');
    await vi.waitFor(() => expect(['stopped', 'failed']).toContain(t.registry.get(id).state.status), WAIT);
    await t.agents.start(id, caller);
    await vi.waitFor(() => expect(t.registry.get(id).state.status).toBe('failed'), WAIT);
    expect(() => tmux('list-sessions')).toThrow(/no server running|error connecting/);
  });

  it('makes one agent of one session however often it is asked at once, and another of another', async () => {
    session('0', join(dir, 'claude'));
    session('claude-0', join(dir, 'claude'));
    await found(2);
    const agents = await Promise.all(['0', '0', 'claude-0', '0'].map((name) => foreign.adopt({ socket, session: name }, caller)));
    expect(agents.map((agent) => agent.id)).toEqual(['claude-0', 'claude-0', 'claude-0-1', 'claude-0']);
  });

  it('refuses what is not there, and names that only look alike', async () => {
    session('claude-a', join(dir, 'claude'));
    session('editor', 'sleep', '1000');
    await found(1);
    symlinkSync(socket, join(dir, 'link'));
    for (const name of ['claude', 'editor', 'claude-', '*'])
      await expect(foreign.adopt({ socket, session: name }, caller), name).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(foreign.adopt({ socket: join(dir, 'link'), session: 'claude-a' }, caller)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: containing('quarterdeck adopt'),
    });
    expect(t.registry.all()).toEqual([]);
  });
});
