import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import type { AgentStatus } from '#shared/agents/model.ts';
import { caller, openTestAgents, shortDir } from './testing/open-agents.ts';
import type { TestAgents } from './testing/open-agents.ts';

let test: TestAgents | undefined;
afterEach(async () => {
  await test?.dispose();
  test = undefined;
});

function open(dir?: string): TestAgents {
  test = openTestAgents(dir === undefined ? {} : { dir });
  return test;
}

/** A text that contains another; typed, which vitest's own matcher is not. */
const containing = (text: string): string => expect.stringContaining(text) as string;
const id = (text: string): AgentId => AgentId.parse(text);
const command = (name: string, ...argv: string[]) => ({ id: id(name), type: 'command' as const, command: argv });

async function until(agents: TestAgents, name: string, status: AgentStatus): Promise<void> {
  await vi.waitFor(() => expect(agents.registry.get(id(name)).state.status).toBe(status), { timeout: 10_000, interval: 20 });
}

describe('spawning', () => {
  it('starts a command in the project folder, with the agent interface in its environment', async () => {
    const t = open();
    const agent = await t.agents.spawn(
      {
        ...command('one', 'sh', '-c', 'pwd > where; env > environment; exec sleep 1000'),
        environment: { GREETING: "it's $HOME; #{pane_pid}" },
      },
      caller,
    );
    expect(agent.state).toMatchObject({ status: 'working', evidence: { source: 'process' } });
    expect(agent.boundaryNote).toContain('not contained');
    await vi.waitFor(() => expect(readFileSync(join(t.folder, 'environment'), 'utf8')).toContain('QUARTERDECK_AGENT_ID=one'), {
      timeout: 5_000,
    });
    expect(readFileSync(join(t.folder, 'where'), 'utf8').trim()).toBe(t.folder);
    expect(readFileSync(join(t.folder, 'environment'), 'utf8')).toContain("GREETING=it's $HOME; #{pane_pid}");
    expect(readFileSync(join(t.folder, 'environment'), 'utf8')).toContain('QUARTERDECK_AGENT_TOKEN=token-of-one');
  });

  it('returns the agent that is there for the same configuration, and refuses another one', async () => {
    const t = open();
    const first = await t.agents.spawn(command('one', 'sleep', '1000'), caller);
    const again = await t.agents.spawn(command('one', 'sleep', '1000'), caller);
    expect(again.run).toEqual(first.run);
    await expect(t.agents.spawn(command('one', 'sleep', '2000'), caller)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('makes ids that are free, also when several are asked for at once', async () => {
    const t = open();
    const agents = await Promise.all(
      Array.from({ length: 5 }, () => t.agents.spawn({ type: 'command', command: ['sleep', '1000'], start: false }, caller)),
    );
    expect(new Set(agents.map((agent) => agent.id)).size).toBe(5);
  });

  it('names the field and what is allowed when a configuration is not valid', async () => {
    const t = open();
    await expect(t.agents.spawn({ id: id('one'), type: 'command' }, caller)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: containing('"command" is required for type "command"'),
    });
    await expect(t.agents.spawn({ id: id('one'), command: ['true'] }, caller)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: containing('type'),
    });
  });

  it('lays what is stated over a template', async () => {
    const t = open();
    const agent = await t.agents.spawn({ template: 'batch-worker', resourceLimits: { cpu: '1' }, start: false }, caller);
    expect(agent.id).toBe('batch-worker-1');
    expect(agent.config).toMatchObject({
      type: 'worker',
      maxConcurrentTasks: 10,
      resourceLimits: { memory: '2GB', cpu: '1', timeout: 600_000 },
      environment: { BATCH_SIZE: '100' },
    });
    await expect(t.agents.spawn({ template: 'none' }, caller)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: containing('batch-worker'),
    });
  });

  it('says why a program did not start, and keeps that as the reason of the failure', async () => {
    const t = open();
    await expect(t.agents.spawn(command('one', 'no-such-program-here'), caller)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: containing('no-such-program-here'),
    });
    expect(t.registry.get(id('one')).state).toMatchObject({ status: 'failed', reason: containing('no-such-program-here') });
  });

  it('never uses an id again', async () => {
    const t = open();
    await t.agents.spawn({ ...command('one', 'true'), start: false }, caller);
    await t.agents.remove(id('one'), caller);
    await expect(t.agents.spawn(command('one', 'true'), caller)).rejects.toMatchObject({ code: 'CONFLICT' });
  });
});

describe('the lifecycle', () => {
  it('tells an end by itself from a crash, with the exit code, and revokes the token', async () => {
    const t = open();
    await t.agents.spawn(command('good', 'true'), caller);
    await t.agents.spawn(command('bad', 'sh', '-c', 'exit 7'), caller);
    await until(t, 'good', 'stopped');
    await until(t, 'bad', 'failed');
    expect(t.registry.get(id('bad')).state).toMatchObject({ exit: { code: 7 }, evidence: { source: 'process' } });
    await vi.waitFor(() => expect(t.revoked.sort()).toEqual(['bad', 'good']));
  });

  it("stops gracefully with the program's own exit code, and by force when it does not listen", async () => {
    const t = open();
    await t.agents.spawn(command('kind', 'sh', '-c', 'trap "exit 9" TERM; while :; do sleep 0.05; done'), caller);
    await t.agents.spawn(command('deaf', 'sh', '-c', 'trap "" TERM; while :; do sleep 0.05; done'), caller);
    expect((await t.agents.stop(id('kind'), 10_000, caller)).state).toMatchObject({ status: 'stopped', exit: { code: 9 } });
    expect((await t.agents.stop(id('deaf'), 0, caller)).state).toMatchObject({ status: 'stopped' });
  });

  it('pauses, resumes, and stops while paused', async () => {
    const t = open();
    await t.agents.spawn(command('one', 'sh', '-c', 'while :; do sleep 0.05; done'), caller);
    expect((await t.agents.pause(id('one'), caller)).state).toMatchObject({ status: 'paused', from: 'working' });
    expect((await t.agents.resume(id('one'), caller)).state.status).toBe('working');
    await t.agents.pause(id('one'), caller);
    expect((await t.agents.stop(id('one'), 5_000, caller)).state.status).toBe('stopped');
    await expect(t.agents.pause(id('one'), caller)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('restarts with the present configuration', async () => {
    const t = open();
    const first = await t.agents.spawn(command('one', 'sleep', '1000'), caller);
    await t.agents.update(id('one'), { environment: { A: 'b' } }, caller);
    const second = await t.agents.restart(id('one'), 5_000, caller);
    expect(second.starts).toBe(2);
    expect(second.run?.id).not.toBe(first.run?.id);
    expect(second.config.environment).toEqual({ A: 'b' });
  });

  it('goes back to the agent image when it is told so, and keeps another one else', async () => {
    const t = open();
    await t.agents.spawn({ ...command('one', 'true'), runtime: 'docker', image: 'alpine:3.20', start: false }, caller);
    const kept = await t.agents.update(id('one'), { description: 'a' }, caller);
    expect(kept.config).toMatchObject({ image: 'alpine:3.20', description: 'a' });
    const back = await t.agents.update(id('one'), { image: null }, caller);
    expect(back.config.image).toBeUndefined();
    await t.agents.update(id('one'), { image: 'alpine:3.20' }, caller);
    expect((await t.agents.update(id('one'), { runtime: 'tmux', image: null }, caller)).config.image).toBeUndefined();
  });

  it('ends a command that runs over its time limit, and says so', async () => {
    const t = open();
    await t.agents.spawn({ ...command('one', 'sleep', '1000'), resourceLimits: { timeout: 300 } }, caller);
    await until(t, 'one', 'failed');
    await vi.waitFor(
      () => expect(t.registry.get(id('one')).state).toMatchObject({ evidence: { source: 'clock' }, exit: { signal: 'SIGTERM' } }),
      { timeout: 10_000 },
    );
  });

  it('refuses to remove an agent that runs', async () => {
    const t = open();
    await t.agents.spawn(command('one', 'sleep', '1000'), caller);
    await expect(t.agents.remove(id('one'), caller)).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('takes calls on the agent interface as evidence for a worker, and not for a command', async () => {
    const t = open();
    await t.agents.spawn({ id: id('w'), type: 'worker' }, caller);
    await t.agents.spawn(command('c', 'sleep', '1000'), caller);
    expect(t.registry.get(id('w')).state.status).toBe('starting');
    t.agents.noteActivity('w', 0);
    t.agents.noteActivity('c', 0);
    await until(t, 'w', 'idle');
    t.agents.noteActivity('w', 2);
    await until(t, 'w', 'working');
    expect(t.registry.get(id('c')).state.status).toBe('working');
  });
});

describe('a store that takes nothing', () => {
  /** As a full disk: every write fails until it is told otherwise. */
  function setWritable(t: TestAgents, isWritable: boolean): void {
    t.store.peek((db) => db.prepare(`PRAGMA query_only = ${isWritable ? 0 : 1}`).run());
  }

  it.each(['tmux', 'pty'] as const)('does not keep the end of an agent from being told later (%s)', async (runtime) => {
    const t = open();
    const { run } = await t.agents.spawn({ ...command('one', 'sleep', '1000'), runtime }, caller);
    setWritable(t, false);
    process.kill(run?.pid ?? 0, 'SIGKILL');
    await vi.waitFor(() => expect(t.log.join()).toContain('could not be stored'), { timeout: 10_000 });
    await expect(t.agents.stop(id('one'), 0, caller)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    setWritable(t, true);
    await until(t, 'one', 'failed');
    expect(t.registry.get(id('one')).state).toMatchObject({ exit: { signal: 'SIGKILL' } });
    await vi.waitFor(() => expect(t.revoked).toEqual(['one']));
    expect((await t.agents.start(id('one'), caller)).state.status).toBe('working');
  });

  it('tells of a start that failed as soon as it can', async () => {
    const t = open();
    t.registry.onStateChange(({ after }) => setWritable(t, after.state.status !== 'starting'));
    await expect(t.agents.spawn(command('one', 'no-such-program-here'), caller)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: containing('no-such-program-here'),
    });
    expect(t.registry.get(id('one')).state.status).toBe('starting');
    setWritable(t, true);
    await until(t, 'one', 'failed');
  });

  it('leaves no agent frozen that is not known to be', async () => {
    const t = open();
    await t.agents.spawn(command('one', 'sleep', '1000'), caller);
    setWritable(t, false);
    await expect(t.agents.pause(id('one'), caller)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(t.runs.find(id('one'))?.isPaused()).toBe(false);
    setWritable(t, true);
    expect((await t.agents.pause(id('one'), caller)).state.status).toBe('paused');
  });
});

describe('an agent that lost its terminal', () => {
  /** Starts an agent that goes on without a terminal, and takes its tmux server away. */
  async function loseOne(t: TestAgents): Promise<number> {
    const { run } = await t.agents.spawn(
      command('one', 'sh', '-c', 'trap "" HUP; echo ready; while :; do sleep 0.05; done'),
      caller,
    );
    await vi.waitFor(
      async () =>
        expect((await t.runs.find(id('one'))?.capture({ historyLines: 0, ansi: false }))?.lines.join('')).toContain('ready'),
      { timeout: 5_000 },
    );
    execFileSync('tmux', ['-S', join(t.dir, 's', 'tmux.sock'), 'kill-server']);
    await until(t, 'one', 'lost');
    expect(t.registry.get(id('one')).state).toMatchObject({ reason: containing('stop the agent to end it') });
    return run?.pid ?? 0;
  }

  it('is ended by a stop, as its state promises', async () => {
    const t = open();
    const pid = await loseOne(t);
    expect((await t.agents.stop(id('one'), 5_000, caller)).state).toMatchObject({ status: 'stopped', exit: {} });
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect((await t.agents.stop(id('one'), 5_000, caller)).state.status).toBe('stopped');
  });

  it('ends with the core, when that is asked for', async () => {
    const t = open();
    const pid = await loseOne(t);
    await t.agents.close({ stopAgents: true });
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(t.registry.get(id('one')).state.status).toBe('stopped');
  });
});

describe('adoption', () => {
  it('finds running agents, paused ones, and those that ended unseen', async () => {
    const dir = shortDir();
    const before = openTestAgents({ dir });
    await before.agents.spawn(command('runs', 'sh', '-c', 'echo hello; exec sleep 1000'), caller);
    await before.agents.spawn(command('frozen', 'sleep', '1000'), caller);
    await before.agents.pause(id('frozen'), caller);
    await before.agents.spawn(command('ends', 'sh', '-c', `while [ ! -e ${dir}/go ]; do sleep 0.05; done; exit 5`), caller);
    await before.agents.spawn({ ...command('plain', 'sleep', '1000'), runtime: 'pty' }, caller);
    const pid = before.registry.get(id('runs')).run?.pid;
    await before.abandon();
    writeFileSync(join(dir, 'go'), '');

    const t = open(dir);
    await t.agents.adopt();
    expect(t.registry.get(id('runs'))).toMatchObject({
      state: { status: 'working', evidence: { detail: containing('found running') } },
      run: { pid },
    });
    expect(t.registry.get(id('frozen')).state.status).toBe('paused');
    await until(t, 'ends', 'failed');
    expect(t.registry.get(id('ends')).state).toMatchObject({ exit: { code: 5 } });
    expect(t.registry.get(id('plain')).state).toMatchObject({ status: 'lost' });
    await vi.waitFor(
      async () =>
        expect((await t.runs.find(id('runs'))?.capture({ historyLines: 100, ansi: false }))?.lines.join('\n')).toContain('hello'),
      { timeout: 5_000 },
    );
    expect((await t.agents.resume(id('frozen'), caller)).state.status).toBe('working');
    expect((await t.agents.stop(id('runs'), 5_000, caller)).state.status).toBe('stopped');
  });
});
