/**
 * What a container uses and may use, from the kernel's own files (cgroup v1 and v2): a hundred containers take 16 ms, where
 * the engine takes more than a second for its statistics. There are none where the engine is on another machine.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Where the files of one container are. */
export interface CgroupFolders {
  readonly version: 1 | 2;
  readonly cpu: string;
  readonly cpuUsage: string;
  readonly memory: string;
  readonly pids: string;
}

/** What a cgroup uses at one moment. */
export interface CgroupUsage {
  readonly cpuMs: number;
  /** Without what the kernel can drop at once (inactive file pages), as `docker stats` counts. */
  readonly memoryBytes: number;
  readonly processes: number;
}

/** What a cgroup may use; null is without a limit. */
export interface CgroupLimits {
  readonly memoryBytes: number | null;
  /** Memory and swap together; undefined where the kernel does not count it. */
  readonly memoryAndSwapBytes: number | null | undefined;
  readonly cpus: number | null;
  readonly processes: number | null;
}

/** Roots of the file systems, for tests. */
export interface KernelRoots {
  readonly proc: string;
  readonly cgroup: string;
}

const ROOTS: KernelRoots = { proc: '/proc', cgroup: '/sys/fs/cgroup' };
/** v1 writes "no limit" as the largest page-aligned number it has. */
const V1_UNLIMITED = 2 ** 62;

async function text(...path: readonly string[]): Promise<string> {
  return (await readFile(join(...path), 'utf8')).trim();
}

function valueOf(stat: string, name: string): number {
  const line = stat.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}

/** The folders of the cgroup that a process is in; undefined where they cannot be seen from here. */
export async function findCgroup(pid: number, roots: KernelRoots = ROOTS): Promise<CgroupFolders | undefined> {
  try {
    const folders = foldersOf(await text(roots.proc, String(pid), 'cgroup'), roots.cgroup);
    // Seen from inside another container the paths name something else, or nothing; the root's is no container's.
    if (folders === undefined || folders.isRoot) return undefined;
    return (await cgroupProcesses(folders)).includes(pid) ? folders : undefined;
  } catch {
    return undefined;
  }
}

/** Reads /proc/<pid>/cgroup: lines `id:controllers:path`, for v2 `0::path`. Where both are mounted, v1 holds the limits. */
function foldersOf(listing: string, root: string): (CgroupFolders & { isRoot: boolean }) | undefined {
  const paths = new Map<string, string>();
  for (const line of listing.split('\n')) {
    const [, names = '', path = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    for (const name of names.split(',')) paths.set(name, path);
  }
  const memory = paths.get('memory');
  const unified = paths.get('');
  if (memory !== undefined) {
    const folder = (name: string): string => join(root, name, paths.get(name) ?? '/nowhere');
    const isRoot = memory === '/';
    return {
      version: 1,
      isRoot,
      memory: folder('memory'),
      cpu: folder('cpu'),
      cpuUsage: folder('cpuacct'),
      pids: folder('pids'),
    };
  }
  if (unified === undefined) return undefined;
  const folder = join(root, unified);
  return { version: 2, isRoot: unified === '/', memory: folder, cpu: folder, cpuUsage: folder, pids: folder };
}

/** The processes in a cgroup, by their ids on this machine. Rejects when it is gone. */
export async function cgroupProcesses(folders: CgroupFolders): Promise<number[]> {
  const listed = await text(folders.pids, 'cgroup.procs');
  return listed === '' ? [] : listed.split('\n').map(Number);
}

/** What it uses now. Rejects when it is gone. */
export async function readUsage(folders: CgroupFolders): Promise<CgroupUsage> {
  const processes = (await cgroupProcesses(folders)).length;
  if (folders.version === 1) {
    const [cpu, used, stat] = await Promise.all([
      text(folders.cpuUsage, 'cpuacct.usage'),
      text(folders.memory, 'memory.usage_in_bytes'),
      text(folders.memory, 'memory.stat'),
    ]);
    const memoryBytes = Math.max(0, Number(used) - valueOf(stat, 'total_inactive_file'));
    return { cpuMs: Number(cpu) / 1e6, memoryBytes, processes };
  }
  const [cpu, used, stat] = await Promise.all([
    text(folders.cpu, 'cpu.stat'),
    text(folders.memory, 'memory.current'),
    text(folders.memory, 'memory.stat'),
  ]);
  const memoryBytes = Math.max(0, Number(used) - valueOf(stat, 'inactive_file'));
  return { cpuMs: valueOf(cpu, 'usage_usec') / 1e3, memoryBytes, processes };
}

/** The most that a cgroup ever used, and what that cost. */
export interface CgroupPeaks {
  readonly memoryBytes: number;
  /** Null where the kernel does not keep it. */
  readonly processes: number | null;
  /** How often the kernel ended something of it because its memory was used up. */
  readonly oomKills: number;
}

/** The peaks since it was made. Rejects when it is gone, or where the kernel keeps none. */
export async function readPeaks(folders: CgroupFolders): Promise<CgroupPeaks> {
  const isFirst = folders.version === 1;
  const [memory, events, processes] = await Promise.all([
    text(folders.memory, isFirst ? 'memory.max_usage_in_bytes' : 'memory.peak'),
    text(folders.memory, isFirst ? 'memory.oom_control' : 'memory.events'),
    text(folders.pids, 'pids.peak').catch(() => undefined),
  ]);
  return {
    memoryBytes: Number(memory),
    processes: processes === undefined ? null : Number(processes),
    oomKills: valueOf(events, 'oom_kill'),
  };
}

/** How often, and how long altogether, it was kept from computing because its share of a period was used up. */
export interface CgroupThrottling {
  readonly periods: number;
  readonly ms: number;
}

/** How it was held to its share of CPU time. Rejects when it is gone, or where the kernel does not count it. */
export async function readThrottling(folders: CgroupFolders): Promise<CgroupThrottling> {
  const stat = await text(folders.cpu, 'cpu.stat');
  if (!/^nr_throttled \d+$/m.test(stat)) throw new Error('this kernel does not count it');
  // Nanoseconds in version 1, microseconds in version 2.
  const ms = folders.version === 1 ? valueOf(stat, 'throttled_time') / 1e6 : valueOf(stat, 'throttled_usec') / 1e3;
  return { periods: valueOf(stat, 'nr_throttled'), ms };
}

/** What it may use. Rejects when it is gone. */
export async function readLimits(folders: CgroupFolders): Promise<CgroupLimits> {
  const number = (value: string): number | null => (value === 'max' || Number(value) >= V1_UNLIMITED ? null : Number(value));
  const optional = (file: string): Promise<string | undefined> => text(folders.memory, file).catch(() => undefined);
  const processes = number(await text(folders.pids, 'pids.max'));
  if (folders.version === 1) {
    const [memory, both, quota, period] = await Promise.all([
      text(folders.memory, 'memory.limit_in_bytes'),
      optional('memory.memsw.limit_in_bytes'),
      text(folders.cpu, 'cpu.cfs_quota_us'),
      text(folders.cpu, 'cpu.cfs_period_us'),
    ]);
    return {
      memoryBytes: number(memory),
      memoryAndSwapBytes: both === undefined ? undefined : number(both),
      cpus: Number(quota) < 0 ? null : Number(quota) / Number(period),
      processes,
    };
  }
  const [memory, swap, cpu] = await Promise.all([
    text(folders.memory, 'memory.max'),
    optional('memory.swap.max'),
    text(folders.cpu, 'cpu.max'),
  ]);
  const memoryBytes = number(memory);
  const swapBytes = swap === undefined ? undefined : number(swap);
  const [quota = 'max', period = '100000'] = cpu.split(' ');
  return {
    memoryBytes,
    memoryAndSwapBytes:
      swapBytes === undefined ? undefined : memoryBytes === null || swapBytes === null ? null : memoryBytes + swapBytes,
    cpus: quota === 'max' ? null : Number(quota) / Number(period),
    processes,
  };
}
