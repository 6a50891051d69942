import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { MetricSeries } from '#shared/agents/observation.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import { ProcessTree } from '#core/runtimes/process-tree.ts';
import type { RunStats } from '#core/runtimes/runtime.ts';
import type { MeasuredRun, MetricsSamplerOptions } from './metrics-sampler.ts';
import { MetricsSampler, SAMPLES_KEPT } from './metrics-sampler.ts';

const pids: number[] = [];
const samplers: MetricsSampler[] = [];
let living: MeasuredRun[];
let isWatched: boolean;

beforeEach(() => {
  living = [];
  isWatched = true;
});
afterEach(() => {
  for (const sampler of samplers.splice(0)) sampler.dispose();
  for (const pid of pids.splice(0)) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
});

function sampler(options: Partial<MetricsSamplerOptions> = {}): MetricsSampler {
  const made = new MetricsSampler({
    living: () => living,
    isWatched: () => isWatched,
    now: Date.now,
    watchedMs: 5,
    unwatchedMs: 60_000,
    ...options,
  });
  samplers.push(made);
  made.start();
  return made;
}

/** A run whose processes are really there. */
function run(id: string, script: string): MeasuredRun {
  const { pid } = spawn('/bin/sh', ['-c', script], { stdio: 'ignore', detached: true });
  if (pid === undefined) throw new Error('not started');
  pids.push(pid);
  const tree = new ProcessTree({ pid });
  return { agentId: AgentId.parse(id), runId: `run of ${id}`, stats: () => tree.stats() };
}

/** A run with figures as the test says, each time it is looked at. */
function figures(id: string, next: () => RunStats | undefined, runId = 'run'): MeasuredRun {
  return { agentId: AgentId.parse(id), runId, stats: () => Promise.resolve(next()) };
}

async function seriesOf(from: MetricsSampler, id: string, least = 1): Promise<MetricSeries> {
  return vi.waitFor(
    async () => {
      const series = (await from.read({})).agents[id];
      if (series === undefined || series.at.length < least) throw new Error(`no ${least} samples of ${id}`);
      return series;
    },
    { timeout: 20_000, interval: 5 },
  );
}

describe('the samples', () => {
  it('tell one that computes from one that sleeps, with everything it started', { timeout: 30_000 }, async () => {
    living = [run('busy', '(while :; do :; done) & wait'), run('asleep', 'sleep 1000 & wait')];
    const metrics = sampler({ watchedMs: 300 });
    const busy = await seriesOf(metrics, 'busy', 3);
    const asleep = await seriesOf(metrics, 'asleep', 3);
    expect(Math.max(...busy.cpu)).toBeGreaterThan(5);
    expect(Math.max(...asleep.cpu)).toBeLessThan(5);
    expect(Math.min(...busy.memoryBytes)).toBeGreaterThan(100_000);
    for (const series of [busy, asleep]) {
      expect(series.cpu).toHaveLength(series.at.length);
      expect(series.memoryBytes).toHaveLength(series.at.length);
      expect(series.at).toEqual([...series.at].sort((a, b) => a - b));
    }
  });

  it('count what many short programs used, after they ended', { timeout: 30_000 }, async () => {
    living = [run('short', 'while :; do head -c 20000000 /dev/zero | cksum >/dev/null; done')];
    const { cpu } = await seriesOf(sampler({ watchedMs: 400 }), 'short', 4);
    expect(Math.max(...cpu)).toBeGreaterThan(5);
  });

  it('are percent of one core since the sample before, never below nothing', async () => {
    const looks: [at: number, cpuMs: number][] = [
      [0, 500],
      [1_000, 750],
      [2_000, 3_750],
      [3_000, 100],
      [3_000, 100],
      [4_000, 200],
    ];
    living = [
      figures('a', () => {
        const [at, cpuMs] = (looks.length > 1 ? looks.shift() : looks[0]) ?? [0, 0];
        return { at, cpuMs, memoryBytes: at, processes: 1 };
      }),
    ];
    const series = await seriesOf(sampler(), 'a', 4);
    expect(series.cpu).toEqual([25, 300, 0, 10]);
    expect(series.memoryBytes).toEqual([1_000, 2_000, 3_000, 4_000]);
  });

  it('are as many as are kept, and no more', { timeout: 20_000 }, async () => {
    let looks = 0;
    living = [figures('a', () => ({ at: (looks += 1) * 1_000, cpuMs: looks * 10, memoryBytes: looks, processes: 1 }))];
    const metrics = sampler({ watchedMs: 1 });
    await vi.waitFor(() => expect(looks).toBeGreaterThan(SAMPLES_KEPT + 20), { timeout: 15_000, interval: 5 });
    const { at, cpu, memoryBytes } = await seriesOf(metrics, 'a', SAMPLES_KEPT);
    expect([at.length, cpu.length, memoryBytes.length]).toEqual([SAMPLES_KEPT, SAMPLES_KEPT, SAMPLES_KEPT]);
    expect(memoryBytes.at(-1)).toBeGreaterThan(SAMPLES_KEPT);
  });

  it('begin anew with another run, whose CPU time began anew', async () => {
    let at = 0;
    const counted = (cpuMs: () => number) => () => ({ at: (at += 1_000), cpuMs: cpuMs(), memoryBytes: 1, processes: 1 });
    living = [
      figures(
        'a',
        counted(() => at * 2),
        'first',
      ),
    ];
    const metrics = sampler();
    const before = (await seriesOf(metrics, 'a', 2)).at.length;
    living = [
      figures(
        'a',
        counted(() => 0),
        'second',
      ),
    ];
    const { cpu } = await seriesOf(metrics, 'a', before + 3);
    // As many as were taken, each of one run or the other: none that compares the two.
    expect(new Set(cpu)).toEqual(new Set([200, 0]));
    expect(cpu.lastIndexOf(200)).toBeLessThan(cpu.indexOf(0));
  });
});

describe('reading', () => {
  it('gives what was asked for: some agents, and only what is new', async () => {
    let at = 0;
    const steady = (): RunStats => ({ at: (at += 100), cpuMs: at / 2, memoryBytes: 7, processes: 1 });
    living = [figures('a', steady), figures('b', steady)];
    const metrics = sampler();
    await seriesOf(metrics, 'b', 2);
    const first = await metrics.read({ ids: [AgentId.parse('a'), AgentId.parse('nobody')] });
    expect(Object.keys(first.agents)).toEqual(['a']);
    expect(first.at).toBe(first.agents['a']?.at.at(-1));
    const later = await vi.waitFor(async () => {
      const answer = await metrics.read({ after: first.at });
      expect(answer.agents['a']?.at.length).toBeGreaterThan(0);
      return answer;
    });
    expect(Math.min(...(later.agents['a']?.at ?? []))).toBeGreaterThan(first.at);
  });

  it('forgets an agent that ended, and one that cannot be measured harms no other', async () => {
    let at = 0;
    const steady = (): RunStats => ({ at: (at += 100), cpuMs: 0, memoryBytes: 7, processes: 1 });
    const [a, b] = [figures('a', steady), figures('b', steady)];
    living = [a, b, { agentId: AgentId.parse('c'), runId: 'r', stats: () => Promise.reject(new Error('no /proc')) }];
    const metrics = sampler();
    await seriesOf(metrics, 'b');
    living = [a];
    await vi.waitFor(async () => expect(Object.keys((await metrics.read({})).agents)).toEqual(['a']));
  });

  it('makes it look often for a while, where it looks seldom when nobody does', async () => {
    isWatched = false;
    let looks = 0;
    living = [figures('a', () => ({ at: (looks += 1), cpuMs: 0, memoryBytes: 1, processes: 1 }))];
    const metrics = sampler();
    await vi.waitFor(() => expect(looks).toBe(1));
    expect(await metrics.read({})).toMatchObject({ everyMs: 5 });
    await vi.waitFor(() => expect(looks).toBeGreaterThan(5));
  });

  it('has nothing after its end', async () => {
    let at = 0;
    living = [figures('a', () => ({ at: (at += 100), cpuMs: 0, memoryBytes: 7, processes: 1 }))];
    const metrics = sampler();
    await seriesOf(metrics, 'a');
    metrics.dispose();
    expect((await metrics.read({})).agents).toEqual({});
  });
});
