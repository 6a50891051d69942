import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import { refuseLimits, UNLIMITED } from '#core/runtimes/unlimited.ts';
import type { Run, RunEnd } from '#core/runtimes/runtime.ts';
import type { TestAgents } from './testing/open-agents.ts';
import { caller, openTestAgents, shortDir } from './testing/open-agents.ts';

const ID = AgentId.parse('one');
const PATIENCE = { timeout: 20_000, interval: 20 };

let t: TestAgents;
beforeEach(() => {
  t = openTestAgents({ dir: shortDir() });
});
afterEach(async () => {
  vi.useRealTimers();
  await t.dispose();
});

/** A run whose end the test decides. */
function runOf(runId: string, startedAt = Date.now()): { run: Run; end: (end: RunEnd) => void; calls: string[] } {
  const { promise, resolve } = Promise.withResolvers<RunEnd>();
  const calls: string[] = [];
  const note = (what: string): Promise<void> => {
    calls.push(what);
    return Promise.resolve();
  };
  const run: Run = {
    agentId: ID,
    runId,
    kind: 'pty',
    pid: 4_000_000,
    startedAt,
    ended: promise,
    isPaused: () => false,
    pause: () => note('pause'),
    resume: () => note('resume'),
    stop: async (graceMs) => {
      await note(`stop ${graceMs}`);
      resolve({ kind: 'exited', exit: { signal: 'SIGTERM' } });
      return promise;
    },
    stats: () => Promise.resolve(undefined),
    attach: () => Promise.reject(new Error('no terminal')),
    capture: () => Promise.resolve({ lines: [], size: { cols: 1, rows: 1 }, cursor: { x: 0, y: 0 } }),
    windows: () => Promise.resolve(['main']),
    attachCommand: undefined,
    limits: UNLIMITED,
    changeLimits: refuseLimits,
    discard: () => note('discard'),
    release: () => void calls.push('release'),
  };
  return { run, end: resolve, calls };
}

async function runningAgent(timeout = 0) {
  await t.agents.spawn(
    { id: ID, type: 'command', command: ['true'], runtime: 'pty', resourceLimits: { timeout }, start: false },
    caller,
  );
  await t.registry.apply(ID, { type: 'start-ordered', by: 'test' });
  return t.registry.apply(ID, { type: 'process-started', pid: 1, status: 'working' });
}

it('writes the end of the present run down, and revokes the token', async () => {
  const agent = await runningAgent();
  const { run, end } = runOf('run_1');
  t.runs.track(agent, run);
  end({ kind: 'exited', exit: { code: 3 } });
  await t.runs.settled(ID);
  expect(t.registry.get(ID).state).toMatchObject({ status: 'failed', exit: { code: 3 } });
  expect(t.revoked).toEqual(['one']);
});

it('heeds nothing that is reported of an earlier run', async () => {
  const agent = await runningAgent();
  const [earlier, present] = [runOf('run_1'), runOf('run_2')];
  t.runs.track(agent, earlier.run);
  t.runs.track(agent, present.run);
  earlier.end({ kind: 'exited', exit: { code: 1 } });
  await earlier.run.ended;
  await t.store.write(() => undefined);
  expect(t.registry.get(ID).state.status).toBe('working');
  expect(t.revoked).toEqual([]);
  expect(t.runs.find(ID)).toBe(present.run);
  present.end({ kind: 'lost', reason: 'gone' });
  await t.runs.settled(ID);
  expect(t.registry.get(ID).state).toMatchObject({ status: 'lost', reason: 'gone' });
});

it('counts a time limit from the start of the process, also when that was before the core', async () => {
  const agent = await runningAgent(60_000);
  const { run, calls } = runOf('run_1', Date.now() - 3_600_000);
  t.runs.track(agent, run);
  await vi.waitFor(() => expect(calls).toContain('stop 5000'), PATIENCE);
  await t.runs.settled(ID);
  expect(t.registry.get(ID).state).toMatchObject({
    status: 'failed',
    evidence: { source: 'clock' },
    exit: { signal: 'SIGTERM' },
  });
});

it('holds a limit that is longer than a timer can be', async () => {
  const month = 30 * 24 * 3_600_000;
  const agent = await runningAgent(month);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { run, calls } = runOf('run_1');
  t.runs.track(agent, run);
  await vi.advanceTimersByTimeAsync(2 ** 31);
  expect(vi.getTimerCount()).toBe(1);
  expect(calls).toEqual([]);
});

it('awaits a run over its limit before its agent starts again', async () => {
  const deaf = ['sh', '-c', 'trap "" TERM; echo $$ >> pids; while :; do sleep 0.05; done'];
  await t.agents.spawn({ id: ID, type: 'command', command: deaf, resourceLimits: { timeout: 500 } }, caller);
  const first = t.registry.get(ID).run;
  await vi.waitFor(() => expect(t.registry.get(ID).state.status).toBe('failed'), PATIENCE);
  await t.agents.update(ID, { resourceLimits: { timeout: 0 } }, caller);
  const second = await t.agents.start(ID, caller);
  expect(second).toMatchObject({ state: { status: 'working' }, starts: 2 });
  expect(() => process.kill(first?.pid ?? 0, 0)).toThrow('ESRCH');
  expect((await t.agents.stop(ID, 0, caller)).state.status).toBe('stopped');
}, 40_000);

it('lets go of a run that comes when all were let go', async () => {
  const agent = await runningAgent(1);
  const [before, late] = [runOf('run_1', Date.now() + 60_000), runOf('run_2')];
  t.runs.track(agent, before.run);
  t.runs.dispose();
  t.runs.track(agent, late.run);
  expect([before.calls, late.calls]).toEqual([['release'], ['release']]);
  expect(t.runs.find(ID)).toBeUndefined();
});

it('discards what is over, and knows it no more', async () => {
  const agent = await runningAgent();
  const { run, calls, end } = runOf('run_1');
  t.runs.track(agent, run);
  end({ kind: 'exited', exit: { code: 0 } });
  await t.runs.discard(ID);
  await t.runs.discard(ID);
  expect(calls.at(-1)).toBe('discard');
  expect(calls.filter((what) => what === 'discard')).toHaveLength(1);
  expect(t.runs.find(ID)).toBeUndefined();
});
