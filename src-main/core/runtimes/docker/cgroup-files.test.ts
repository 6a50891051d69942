import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS, removeFolder, scratchFolder } from '../testing/support.ts';
import { findCgroup, readLimits, readThrottling, readUsage } from './cgroup-files.ts';
import { limitsOutcome } from './container-checks.ts';
import { statsOf } from './container-stats.ts';

describe('cgroup files', () => {
  let folder: string;
  beforeEach(() => {
    folder = scratchFolder();
  });
  afterEach(() => removeFolder(folder));

  function write(files: Readonly<Record<string, string>>): { proc: string; cgroup: string } {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${text}\n`);
    }
    return { proc: join(folder, 'proc'), cgroup: join(folder, 'cgroup') };
  }

  it('reads version 2', async () => {
    const scope = 'cgroup/system.slice/docker-abc.scope';
    const roots = write({
      'proc/42/cgroup': '0::/system.slice/docker-abc.scope',
      [`${scope}/cgroup.procs`]: '42\n43',
      [`${scope}/cpu.stat`]: 'usage_usec 1234000\nuser_usec 1000000\nnr_periods 20\nnr_throttled 7\nthrottled_usec 350000',
      [`${scope}/cpu.max`]: '50000 100000',
      [`${scope}/memory.current`]: '5000000',
      [`${scope}/memory.stat`]: 'anon 1\ninactive_file 1000000\nactive_file 2',
      [`${scope}/memory.max`]: '104857600',
      [`${scope}/memory.swap.max`]: '0',
      [`${scope}/pids.max`]: '64',
    });
    const folders = await findCgroup(42, roots);
    if (folders === undefined) throw new Error('not found');
    expect(await readUsage(folders)).toEqual({ cpuMs: 1234, memoryBytes: 4_000_000, processes: 2 });
    expect(await readThrottling(folders)).toEqual({ periods: 7, ms: 350 });
    const limits = { memoryBytes: 104_857_600, memoryAndSwapBytes: 104_857_600, cpus: 0.5, processes: 64 };
    expect(await readLimits(folders)).toEqual(limits);
    const asked = { ...LIMITS, memory: '100MB', cpu: '0.5', processes: 64 };
    expect(limitsOutcome(limits, asked).outcome).toBe('held');
    expect(limitsOutcome({ ...limits, memoryAndSwapBytes: null }, asked).outcome).toBe('broken');
    expect(limitsOutcome({ ...limits, memoryBytes: null }, asked).outcome).toBe('broken');
    expect(limitsOutcome({ ...limits, cpus: 0.6 }, asked).outcome).toBe('broken');
    expect(limitsOutcome({ ...limits, processes: null }, asked).outcome).toBe('broken');
  });

  it('reads version 1, also where version 2 is mounted beside it', async () => {
    const at = (controller: string): string => `cgroup/${controller}/docker/abc`;
    const roots = write({
      'proc/42/cgroup': '9:cpuacct:/docker/abc\n8:cpu:/docker/abc\n7:pids:/docker/abc\n4:memory:/docker/abc\n0::/docker/abc',
      [`${at('pids')}/cgroup.procs`]: '42',
      [`${at('pids')}/pids.max`]: 'max',
      [`${at('cpuacct')}/cpuacct.usage`]: '2500000000',
      [`${at('cpu')}/cpu.cfs_quota_us`]: '-1',
      [`${at('cpu')}/cpu.cfs_period_us`]: '100000',
      [`${at('cpu')}/cpu.stat`]: 'nr_periods 20\nnr_throttled 3\nthrottled_time 150000000',
      [`${at('memory')}/memory.usage_in_bytes`]: '900',
      [`${at('memory')}/memory.stat`]: 'cache 5\ntotal_inactive_file 1000',
      [`${at('memory')}/memory.limit_in_bytes`]: '9223372036854771712',
    });
    const folders = await findCgroup(42, roots);
    if (folders === undefined) throw new Error('not found');
    expect(await readUsage(folders)).toEqual({ cpuMs: 2500, memoryBytes: 0, processes: 1 });
    expect(await readThrottling(folders)).toEqual({ periods: 3, ms: 150 });
    expect(await readLimits(folders)).toEqual({
      memoryBytes: null,
      memoryAndSwapBytes: undefined,
      cpus: null,
      processes: null,
    });
  });

  it('takes no other cgroup for it', async () => {
    const roots = write({
      'proc/42/cgroup': '0::/',
      'proc/43/cgroup': '0::/other',
      'cgroup/cgroup.procs': '42',
      'cgroup/other/cgroup.procs': '44',
    });
    expect(await findCgroup(42, roots)).toBeUndefined();
    expect(await findCgroup(43, roots)).toBeUndefined();
    expect(await findCgroup(99, roots)).toBeUndefined();
  });

  it('understands what an engine says instead', () => {
    const answer = {
      cpu_stats: { cpu_usage: { total_usage: 3e6 } },
      memory_stats: { usage: 100, stats: { inactive_file: 40 } },
      pids_stats: { current: 3 },
    };
    expect(statsOf(answer, 7)).toEqual({ at: 7, cpuMs: 3, memoryBytes: 60, processes: 3 });
    expect(statsOf({ ...answer, memory_stats: {} }, 7)).toBeUndefined();
    expect(statsOf(undefined, 7)).toBeUndefined();
  });
});
