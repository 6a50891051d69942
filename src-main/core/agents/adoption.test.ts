/** What the next core makes of every state in which an earlier one may have left an agent. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import type { AgentState, AgentStatus } from '#shared/agents/model.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import { TmuxRun } from '#core/runtimes/tmux/tmux-run.ts';
import { TmuxRuntime } from '#core/runtimes/tmux/tmux-runtime.ts';
import { findAgent, updateAgent } from './agents-repository.ts';
import type { TestAgents } from './testing/open-agents.ts';
import { caller, openTestAgents, shortDir } from './testing/open-agents.ts';

let test: TestAgents | undefined;
afterEach(async () => {
  await test?.dispose();
  test = undefined;
});

const id = (text: string): AgentId => AgentId.parse(text);
const sleeper = (name: string) => ({ id: id(name), type: 'command' as const, command: ['sleep', '1000'] });
const PATIENCE = { timeout: 20_000, interval: 20 };

/** Agents that run; then their core is killed, and `alter` is what it had written last. */
async function afterCrash(names: readonly string[], alter: (t: TestAgents) => Promise<void> | void): Promise<TestAgents> {
  const dir = shortDir();
  const before = openTestAgents({ dir });
  for (const name of names) await before.agents.spawn(sleeper(name), caller);
  await alter(before);
  await before.abandon();
  test = openTestAgents({ dir });
  return test;
}

/** Writes a state as the earlier core would have. */
async function leave(t: TestAgents, name: string, state: Partial<AgentState> & { status: AgentStatus }): Promise<void> {
  await t.store.write((tx) => {
    const agent = findAgent(tx, name);
    if (agent) updateAgent(tx, { ...agent, state: { ...agent.state, ...state } as AgentState });
  });
}

const ordered = { status: 'starting', evidence: { source: 'command', detail: 'start ordered', at: 0 } } as const;
const started = { status: 'starting', evidence: { source: 'process', detail: 'process 1 runs', at: 0 } } as const;
const tmux = (t: TestAgents, ...args: string[]): string =>
  execFileSync('tmux', ['-S', join(t.dir, 's', 'tmux.sock'), ...args], { encoding: 'utf8' });

function isRunning(pid: number | undefined): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

it('takes over a process that was started and not yet written down', async () => {
  let pid: number | undefined;
  const t = await afterCrash(['one'], async (before) => {
    pid = before.registry.get(id('one')).run?.pid;
    await before.store.write((tx) => {
      const agent = findAgent(tx, 'one');
      if (agent) updateAgent(tx, { ...agent, run: null, starts: 0, state: { ...agent.state, ...ordered } });
    });
  });
  await t.agents.adopt();
  expect(t.registry.get(id('one'))).toMatchObject({ state: { status: 'working' }, run: { pid }, starts: 1 });
  expect((await t.agents.stop(id('one'), 5_000, caller)).state.status).toBe('stopped');
});

it('starts anew what was ordered to start and has no process', async () => {
  const t = await afterCrash(['one'], async (before) => {
    await before.agents.stop(id('one'), 0, caller);
    await before.runs.discard(id('one'));
    await leave(before, 'one', ordered);
  });
  await t.agents.adopt();
  expect(t.registry.get(id('one'))).toMatchObject({ state: { status: 'working' }, starts: 2 });
});

it('takes the end of the run before for no end of the start that was ordered', async () => {
  const t = await afterCrash(['one'], async (before) => {
    await before.agents.stop(id('one'), 0, caller);
    await leave(before, 'one', ordered);
  });
  await t.agents.adopt();
  expect(t.registry.get(id('one'))).toMatchObject({ state: { status: 'working' }, starts: 2 });
});

it('finishes the stop that was under way', async () => {
  const t = await afterCrash(['one', 'two'], async (before) => {
    await leave(before, 'one', { status: 'stopping' });
    await leave(before, 'two', { status: 'stopping' });
    tmux(before, 'kill-session', '-t', '=two:');
  });
  await t.agents.adopt();
  expect(t.registry.get(id('one')).state).toMatchObject({ status: 'stopped', exit: { signal: 'SIGTERM' } });
  expect(t.registry.get(id('two')).state.status).toBe('lost');
});

it('says lost, and does not guess, when the tmux server is gone; such an agent can be started again', async () => {
  const t = await afterCrash(['one', 'two'], async (before) => {
    await leave(before, 'two', started);
    tmux(before, 'kill-server');
  });
  await t.agents.adopt();
  for (const name of ['one', 'two'])
    expect(t.registry.get(id(name)).state).toMatchObject({ status: 'lost', evidence: { source: 'runtime' } });
  expect((await t.agents.start(id('one'), caller)).state.status).toBe('working');
});

it('finds what runs where nobody answered at first, and says until then that it may go on', async () => {
  let pid: number | undefined;
  const t = await afterCrash(['one'], (before) => {
    pid = before.registry.get(id('one')).run?.pid;
  });
  const away = { kind: 'tmux', isAvailable: false, problem: 'it does not answer' } as const;
  const probe = vi.spyOn(TmuxRuntime.prototype, 'probe').mockResolvedValue(away);
  try {
    await t.agents.adopt();
    expect(t.registry.get(id('one')).state).toMatchObject({
      status: 'lost',
      evidence: { detail: expect.stringContaining('may go on') as string },
    });
  } finally {
    probe.mockRestore();
  }
  await vi.waitFor(
    () => expect(t.registry.get(id('one'))).toMatchObject({ state: { status: 'working' }, run: { pid } }),
    PATIENCE,
  );
  expect((await t.agents.stop(id('one'), 5_000, caller)).state.status).toBe('stopped');
  expect(isRunning(pid)).toBe(false);
});

it('ends what runs where nobody answered, when the agent was started in vain meanwhile', async () => {
  let pid: number | undefined;
  const t = await afterCrash(['one'], (before) => {
    pid = before.registry.get(id('one')).run?.pid;
  });
  const away = { kind: 'tmux', isAvailable: false, problem: 'it does not answer' } as const;
  const probe = vi.spyOn(TmuxRuntime.prototype, 'probe').mockResolvedValue(away);
  try {
    await t.agents.adopt();
    await expect(t.agents.start(id('one'), caller)).rejects.toThrow('still runs');
    expect(t.registry.get(id('one')).state.status).toBe('failed');
  } finally {
    probe.mockRestore();
  }
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false), PATIENCE);
  expect((await t.agents.start(id('one'), caller)).state.status).toBe('working');
});

it('ends what is found in a box that does not hold any more, and says why', async () => {
  const t = await afterCrash(['one'], () => undefined);
  // What only runs in containers have; the rest is the same for all.
  Object.defineProperty(TmuxRun.prototype, 'doubt', { configurable: true, value: 'No network: network mode bridge.' });
  await t.agents.adopt().finally(() => Reflect.deleteProperty(TmuxRun.prototype, 'doubt'));
  const agent = t.registry.get(id('one'));
  expect(agent.state).toMatchObject({ status: 'failed', exit: { signal: 'SIGKILL' }, evidence: { source: 'boundary' } });
  expect(agent.state.evidence.detail).toMatch(/does not hold any more.*network mode bridge.*Start it again/);
  expect(isRunning(agent.run?.pid)).toBe(false);
});

it('takes a lost agent that is found again as it is, running or ended', async () => {
  const pids: (number | undefined)[] = [];
  const t = await afterCrash(['runs', 'ended'], async (before) => {
    for (const name of ['runs', 'ended']) pids.push(before.registry.get(id(name)).run?.pid);
    await leave(before, 'runs', { status: 'lost', reason: 'tmux did not answer' });
    await leave(before, 'ended', { status: 'lost', reason: 'tmux did not answer' });
  });
  process.kill(pids[1] ?? 0, 'SIGKILL');
  await vi.waitFor(() => expect(isRunning(pids[1])).toBe(false), PATIENCE);
  await t.agents.adopt();
  expect(t.registry.get(id('runs'))).toMatchObject({ state: { status: 'working' }, run: { pid: pids[0] } });
  expect(isRunning(pids[0])).toBe(true);
  await vi.waitFor(
    () => expect(t.registry.get(id('ended')).state).toMatchObject({ status: 'failed', exit: { signal: 'SIGKILL' } }),
    PATIENCE,
  );
});

it('ends a process whose agent had ended for good, and keeps its last screen', async () => {
  let pid: number | undefined;
  const t = await afterCrash(['one'], async (before) => {
    pid = before.registry.get(id('one')).run?.pid;
    await leave(before, 'one', {
      status: 'failed',
      reason: 'ran too long',
      evidence: { source: 'clock', detail: 'limit', at: 0 },
    });
  });
  await t.agents.adopt();
  expect(isRunning(pid)).toBe(false);
  await vi.waitFor(
    () =>
      expect(t.registry.get(id('one')).state).toMatchObject({
        status: 'failed',
        reason: 'ran too long',
        exit: { signal: 'SIGTERM' },
      }),
    PATIENCE,
  );
  expect(await t.runs.find(id('one'))?.capture({ historyLines: 10, ansi: false })).toBeDefined();
  expect((await t.agents.start(id('one'), caller)).state.status).toBe('working');
});

it('knows ids with dots and hyphens apart', async () => {
  const names = ['a.b', 'a_b', 'a-b', 'a', '0.1'];
  const pids = new Map<string, number | undefined>();
  const t = await afterCrash(names, (before) => {
    for (const name of names) pids.set(name, before.registry.get(id(name)).run?.pid);
  });
  await t.agents.adopt();
  for (const name of names)
    expect(t.registry.get(id(name)), name).toMatchObject({ state: { status: 'working' }, run: { pid: pids.get(name) } });
  await t.agents.stop(id('a.b'), 5_000, caller);
  expect(names.filter((name) => isRunning(pids.get(name)))).toEqual(['a_b', 'a-b', 'a', '0.1']);
});

it('lets a command that comes in during the adoption wait for it', async () => {
  const t = await afterCrash(['one'], () => undefined);
  const adopting = t.agents.adopt();
  const stopped = await t.agents.stop(id('one'), 5_000, caller);
  await adopting;
  expect(stopped.state).toMatchObject({ status: 'stopped', exit: { signal: 'SIGTERM' } });
});

it('goes on with the others when one cannot be taken over', async () => {
  const t = await afterCrash(['one', 'two'], () => undefined);
  const track = t.runs.track.bind(t.runs);
  vi.spyOn(t.runs, 'track').mockImplementation((agent, run) => {
    if (agent.id === 'one') throw new Error('no');
    track(agent, run);
  });
  await t.agents.adopt();
  expect(t.log).toContain('agent one could not be taken over');
  expect(t.registry.get(id('two')).state.evidence.detail).toContain('found running');
  vi.restoreAllMocks();
  tmux(t, 'kill-session', '-t', '=one:');
});

it('keeps to the time limit that began before the core did', async () => {
  const dir = shortDir();
  const before = openTestAgents({ dir });
  await before.agents.spawn({ ...sleeper('one'), resourceLimits: { timeout: 60_000 } }, caller);
  await before.store.write((tx) => {
    const agent = findAgent(tx, 'one');
    if (agent)
      updateAgent(tx, { ...agent, config: { ...agent.config, resourceLimits: { ...agent.config.resourceLimits, timeout: 1 } } });
  });
  await before.abandon();
  test = openTestAgents({ dir });
  await test.agents.adopt();
  await vi.waitFor(
    () =>
      expect(test?.registry.get(id('one')).state).toMatchObject({
        status: 'failed',
        evidence: { source: 'clock' },
        exit: { signal: 'SIGTERM' },
      }),
    PATIENCE,
  );
});

it('takes over nothing that runs where its agent does not belong any more, and ends it', async () => {
  let pid: number | undefined;
  const t = await afterCrash(['one'], async (before) => {
    pid = before.registry.get(id('one')).run?.pid;
    await before.store.write((tx) => {
      const agent = findAgent(tx, 'one');
      // As if it had been put into a container while its process could not be reached.
      if (agent) updateAgent(tx, { ...agent, boundary: 'container', config: { ...agent.config, runtime: 'docker' } });
    });
  });
  expect(isRunning(pid)).toBe(true);
  await t.agents.adopt();
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false), PATIENCE);
  expect(t.registry.get(id('one')).state).toMatchObject({
    status: 'lost',
    evidence: { detail: expect.stringContaining('container is gone') as string },
  });
});
