/** Where cgroups are made, on machines made of folders. That the kernel holds to them is shown by hogs.test.ts. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeFolder, scratchFolder } from '../testing/support.ts';
import { denialsOf, entryFiles, findBase, makeCgroup } from './cgroups.ts';

let folder: string;
beforeEach(() => {
  folder = scratchFolder();
});
afterEach(() => removeFolder(folder));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

const roots = (): { proc: string; systemd: string } => ({ proc: join(folder, 'proc'), systemd: join(folder, 'systemd') });
const mount = (root: string, point: string, type: string, options: string): string =>
  `31 23 0:28 ${root} ${join(folder, point)} rw,relatime shared:9 - ${type} ${type} ${options}\n`;
const CAPS = { memoryBytes: 64 * 2 ** 20, cpus: 0.5, processes: 30 };

describe('cgroups of version 1', () => {
  it('are made below the core’s own, also where only a part of the tree is mounted', async () => {
    put('proc/self/cgroup', '4:memory:/job/7\n3:cpu,cpuacct:/\n2:pids:/box/abc/core\n0::/\n');
    put(
      'proc/self/mountinfo',
      mount('/', 'memory', 'cgroup', 'rw,memory') +
        mount('/', 'cpu', 'cgroup', 'rw,cpu,cpuacct') +
        mount('/box/abc', 'pids', 'cgroup', 'rw,pids') +
        mount('/', 'unified', 'cgroup2', 'rw'),
    );
    expect(await findBase(roots())).toEqual({
      version: 1,
      memory: join(folder, 'memory/job/7'),
      cpu: join(folder, 'cpu'),
      pids: join(folder, 'pids/core'),
    });
  });

  it('are none where one of the three is missing', async () => {
    put('proc/self/cgroup', '4:memory:/\n3:cpu:/\n');
    put('proc/self/mountinfo', mount('/', 'memory', 'cgroup', 'rw,memory') + mount('/', 'cpu', 'cgroup', 'rw,cpu'));
    expect(await findBase(roots())).toBeUndefined();
  });

  it('are told of by the kernel when memory or processes ran out', () => {
    const set = { version: 1, memory: join(folder, 'm'), cpu: join(folder, 'c'), pids: join(folder, 'p') } as const;
    expect(denialsOf(set)).toEqual({ oomKills: 0, refusedForks: 0 });
    put('m/memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n');
    put('p/pids.events', 'max 17\n');
    expect(denialsOf(set)).toEqual({ oomKills: 2, refusedForks: 17 });
  });
});

describe('cgroups of version 2', () => {
  const ALL = 'cpu io memory pids\n';
  beforeEach(() => {
    put('proc/self/cgroup', '0::/slice/core\n');
    put('proc/self/mountinfo', mount('/', 'cg', 'cgroup2', 'rw,nsdelegate'));
    put('cg/cgroup.subtree_control', ALL);
    put('cg/slice/core/cgroup.subtree_control', '');
  });

  it('are made beside the core, since it has processes itself, and have all limits in one folder', async () => {
    put('cg/slice/cgroup.subtree_control', ALL);
    const slice = join(folder, 'cg/slice');
    const base = await findBase(roots());
    expect(base).toEqual({ version: 2, memory: slice, cpu: slice, pids: slice });
    put('cg/slice/quarterdeck/i/one/memory.swap.max', 'max');
    const set = await makeCgroup({ version: 2, memory: slice, cpu: slice, pids: slice }, 'i', 'one', CAPS);
    const read = (name: string): string => readFileSync(join(set.memory, name), 'utf8');
    expect(['cpu.max', 'memory.max', 'memory.swap.max', 'pids.max'].map(read)).toEqual(['50000 100000', '67108864', '0', '30']);
    expect(entryFiles(set)).toEqual([join(slice, 'quarterdeck/i/one/cgroup.procs')]);
  });

  it('are left to systemd where that manages them', async () => {
    put('cg/slice/cgroup.subtree_control', ALL);
    mkdirSync(join(folder, 'systemd'));
    expect(await findBase(roots())).toBeUndefined();
  });
});
