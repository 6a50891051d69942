/**
 * Cgroups of our own for agents on this machine (version 1 and 2): made below the core's own, so that whatever holds the core
 * holds its agents, too. Names: `quarterdeck/<instance>/<agent>.<run>`.
 * Rules of the kernel: Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';

/** Folders of one cgroup, by what they limit. In version 2 it is one and the same. */
export interface CgroupSet {
  readonly version: 1 | 2;
  readonly memory: string;
  readonly cpu: string;
  readonly pids: string;
}

/** Numbers to hold a cgroup to. */
export interface CgroupCaps {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly processes: number;
}

/** What the kernel counted against the limits of a cgroup. */
export interface CgroupDenials {
  /** Processes that were killed because memory ran out. */
  readonly oomKills: number;
  /** Processes that were not started because there were too many. */
  readonly refusedForks: number;
}

/** Where the kernel's files are; other folders in tests. */
export interface CgroupRoots {
  readonly proc: string;
  /** Exists where systemd manages the cgroups: what it has not delegated is not touched. */
  readonly systemd: string;
}

const ROOTS: CgroupRoots = { proc: '/proc', systemd: '/run/systemd/system' };
const CONTROLLERS = ['memory', 'cpu', 'pids'] as const;
/** Length of a round in which the quota of CPU time is counted, in microseconds: the kernel's default. */
const PERIOD_US = 100_000;
/** The smallest quota that the kernel takes, in microseconds. */
const MIN_QUOTA_US = 1000;
/** How long killed processes may take to leave their cgroup, in milliseconds. */
const EMPTY_DEADLINE_MS = 5000;
/** How old a cgroup is before it counts as forgotten, in milliseconds: one just made is empty, too. */
const FORGOTTEN_MS = 600_000;
/** How often a folder is tried to be made whose parent another core just removes. */
const MAKE_ATTEMPTS = 50;

interface Mount {
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Lines of /proc/self/mountinfo: `id parent dev root point options [tags] - type source options` (proc_pid_mountinfo(5)). */
function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line): Mount[] => {
    const [left = '', right = ''] = line.split(' - ', 2);
    const [, , , root, point] = left.split(' ');
    const [type = '', , options = ''] = right.split(' ');
    return root === undefined || point === undefined || !type.startsWith('cgroup')
      ? []
      : [{ root, point, type, options: options.split(',') }];
  });
}

/** Where a cgroup's path is in a mount that shows only what is below `root`. */
function folderIn(mount: Mount, path: string): string {
  const isWithin = path === mount.root || path.startsWith(`${mount.root}/`);
  const relative = mount.root === '/' ? path : isWithin ? path.slice(mount.root.length) : '';
  return join(mount.point, relative === '/' ? '' : relative);
}

/** The cgroups below which ours can be made; undefined where there are none. Nothing is tried yet. */
export async function findBase(roots: CgroupRoots = ROOTS): Promise<CgroupSet | undefined> {
  try {
    const mounts = parseMounts(await readFile(join(roots.proc, 'self/mountinfo'), 'utf8'));
    const own = new Map<string, string>();
    for (const line of (await readFile(join(roots.proc, 'self/cgroup'), 'utf8')).trim().split('\n')) {
      const [, names = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      for (const name of names.split(',')) own.set(name, path);
    }
    const [memory, cpu, pids] = CONTROLLERS.map((name) => {
      const mount = mounts.find((one) => one.type === 'cgroup' && one.options.includes(name));
      const path = own.get(name);
      return mount === undefined || path === undefined ? undefined : folderIn(mount, path);
    });
    if (memory !== undefined && cpu !== undefined && pids !== undefined) return { version: 1, memory, cpu, pids };
    return await findUnified(mounts, own.get(''), roots);
  } catch {
    return undefined;
  }
}

/** Version 2: no cgroup with processes of its own may hand controllers on, so the core's parent, or one above it, is taken. */
async function findUnified(
  mounts: readonly Mount[],
  path: string | undefined,
  roots: CgroupRoots,
): Promise<CgroupSet | undefined> {
  const mount = mounts.find((one) => one.type === 'cgroup2');
  if (mount === undefined || path === undefined || existsSync(roots.systemd)) return undefined;
  const own = folderIn(mount, path);
  for (let folder = own === mount.point ? own : dirname(own); folder.startsWith(mount.point); folder = dirname(folder)) {
    if (await handsOn(folder)) return { version: 2, memory: folder, cpu: folder, pids: folder };
  }
  return undefined;
}

/** Makes a cgroup of version 2 hand the controllers on to those below it; false when it cannot. */
async function handsOn(folder: string): Promise<boolean> {
  const file = join(folder, 'cgroup.subtree_control');
  try {
    const isOn = async (): Promise<boolean> => {
      const on = (await readFile(file, 'utf8')).trim().split(' ');
      return CONTROLLERS.every((name) => on.includes(name));
    };
    if (await isOn()) return true;
    await writeFile(file, CONTROLLERS.map((name) => `+${name}`).join(' '));
    return await isOn();
  } catch {
    return false;
  }
}

/** The distinct folders of a set. */
function foldersOf(set: CgroupSet): string[] {
  return [...new Set([set.memory, set.cpu, set.pids])];
}

/** The set of this name below another. */
export function below(base: CgroupSet, ...names: readonly string[]): CgroupSet {
  return {
    version: base.version,
    memory: join(base.memory, ...names),
    cpu: join(base.cpu, ...names),
    pids: join(base.pids, ...names),
  };
}

/**
 * Files into which a process of one thread writes 0 to be held. Version 1 takes a thread by itself, and the kernel does not
 * wait for anybody then; with `cgroup.procs` it waits until every processor has passed a quiet moment, some 10 ms in all.
 */
export function entryFiles(set: CgroupSet): string[] {
  return foldersOf(set).map((folder) => join(folder, set.version === 1 ? 'tasks' : 'cgroup.procs'));
}

/** Makes `quarterdeck/<instance>/<name>` below the base and holds it to the caps. Rejects when that cannot be. */
export async function makeCgroup(base: CgroupSet, instance: string, name: string, caps: CgroupCaps): Promise<CgroupSet> {
  const set = below(base, 'quarterdeck', instance, name);
  for (let attempt = 1; ; attempt += 1) {
    try {
      // At once: all of it takes a third of a millisecond, and an agent's start waits for it.
      for (const folder of foldersOf(set)) mkdirSync(folder, { recursive: true });
      if (base.version === 2) {
        for (const parent of ['quarterdeck', join('quarterdeck', instance)]) await handsOn(join(base.memory, parent));
      }
      break;
    } catch (error) {
      // Another core of the same machine removes the folder between, when its last agent has ended.
      if (codeOf(error) !== 'ENOENT' || attempt === MAKE_ATTEMPTS) throw error;
      await sleep(1);
    }
  }
  try {
    writeCaps(set, caps);
  } catch (error) {
    await removeCgroup(set);
    throw error;
  }
  return set;
}

function writeCaps(set: CgroupSet, caps: CgroupCaps): void {
  const quotaUs = Math.max(MIN_QUOTA_US, Math.round(caps.cpus * PERIOD_US));
  writeFileSync(join(set.pids, 'pids.max'), String(caps.processes));
  if (set.version === 2) {
    writeFileSync(join(set.cpu, 'cpu.max'), `${quotaUs} ${PERIOD_US}`);
    writeFileSync(join(set.memory, 'memory.max'), String(caps.memoryBytes));
    // Missing where the kernel counts no swap.
    if (existsSync(join(set.memory, 'memory.swap.max'))) writeFileSync(join(set.memory, 'memory.swap.max'), '0');
    return;
  }
  writeFileSync(join(set.cpu, 'cpu.cfs_period_us'), String(PERIOD_US));
  try {
    writeFileSync(join(set.cpu, 'cpu.cfs_quota_us'), String(quotaUs));
  } catch (error) {
    // More than a cgroup above may use: that one holds.
    if (codeOf(error) !== 'EINVAL') throw error;
    writeFileSync(join(set.cpu, 'cpu.cfs_quota_us'), '-1');
  }
  const both = join(set.memory, 'memory.memsw.limit_in_bytes');
  const memory = join(set.memory, 'memory.limit_in_bytes');
  // Memory with swap is never less than memory: which is written first depends on whether it grows.
  const hasBoth = existsSync(both);
  const isGrowing = hasBoth && Number(readFileSync(both, 'utf8')) < caps.memoryBytes;
  if (isGrowing) writeFileSync(both, String(caps.memoryBytes));
  writeFileSync(memory, String(caps.memoryBytes));
  if (hasBoth && !isGrowing) writeFileSync(both, String(caps.memoryBytes));
}

/** Changes the caps of a cgroup in use. Fails with UNAVAILABLE when more memory is used already. */
export async function changeCgroup(set: CgroupSet, caps: CgroupCaps, facts: { agentId: AgentId; memory: string }): Promise<void> {
  const tooMuch = (cause: unknown): AppError =>
    new AppError(
      'UNAVAILABLE',
      `Agent ${facts.agentId} uses more memory than ${facts.memory} now, so that limit cannot be set. Restart it, or choose more.`,
      { cause },
    );
  if (set.version === 2) {
    // Version 2 would take the limit and kill.
    const used = Number(await readFile(join(set.memory, 'memory.current'), 'utf8'));
    if (used > caps.memoryBytes) throw tooMuch(undefined);
  }
  try {
    writeCaps(set, caps);
  } catch (error) {
    if (codeOf(error) === 'EBUSY') throw tooMuch(error);
    throw error;
  }
}

function counted(file: string, name: string): number {
  try {
    const match = new RegExp(`^${name} (\\d+)$`, 'm').exec(readFileSync(file, 'utf8'));
    return Number(match?.[1] ?? 0);
  } catch {
    return 0; // Gone, or a kernel that does not count it.
  }
}

/** What the limits of a cgroup have kept from happening so far. Reads two small files, at once. */
export function denialsOf(set: CgroupSet): CgroupDenials {
  return {
    oomKills: counted(join(set.memory, set.version === 1 ? 'memory.oom_control' : 'memory.events'), 'oom_kill'),
    refusedForks: counted(join(set.pids, 'pids.events'), 'max'),
  };
}

/** The processes in a cgroup; none when it is gone. */
export async function processesIn(set: CgroupSet): Promise<number[]> {
  const found = new Set<number>();
  for (const folder of foldersOf(set)) {
    const listed = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
    for (const line of listed.split('\n')) if (line !== '') found.add(Number(line));
  }
  return [...found];
}

/** Kills what is in a cgroup, again and again until it is empty; tells whether it is. */
export async function emptyCgroup(set: CgroupSet): Promise<boolean> {
  const deadline = performance.now() + EMPTY_DEADLINE_MS;
  for (;;) {
    const pids = await processesIn(set);
    if (pids.length === 0) return true;
    if (performance.now() > deadline) return false;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone meanwhile.
      }
    }
    await sleep(5);
  }
}

/** Removes a cgroup, and those above it that are ours and empty; false when something is still in it. */
export async function removeCgroup(set: CgroupSet): Promise<boolean> {
  let isGone = true;
  for (const folder of foldersOf(set)) {
    try {
      await rmdir(folder);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') isGone = false;
      continue;
    }
    // The instance's, then `quarterdeck`: both stay while there is another in them.
    for (const parent of [dirname(folder), dirname(dirname(folder))]) await rmdir(parent).catch(() => undefined);
  }
  return isGone;
}

/**
 * Removes cgroups of any instance in which nothing has run for long: of a data folder that was deleted, nobody else would.
 * The kernel removes none with processes in it.
 */
export async function removeForgotten(base: CgroupSet): Promise<void> {
  for (const root of foldersOf(below(base, 'quarterdeck'))) {
    for (const instance of await readdir(root, { withFileTypes: true }).catch(() => [])) {
      if (!instance.isDirectory()) continue;
      const parent = join(root, instance.name);
      for (const run of await readdir(parent, { withFileTypes: true }).catch(() => [])) {
        if (!run.isDirectory()) continue;
        const made = await stat(join(parent, run.name)).catch(() => undefined);
        if (made !== undefined && Date.now() - made.mtimeMs > FORGOTTEN_MS)
          await rmdir(join(parent, run.name)).catch(() => undefined);
      }
      await rmdir(parent).catch(() => undefined);
    }
  }
}

/** Names of an instance's cgroups. */
export async function listCgroups(base: CgroupSet, instance: string): Promise<string[]> {
  const names = new Set<string>();
  for (const folder of foldersOf(below(base, 'quarterdeck', instance))) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) if (entry.isDirectory()) names.add(entry.name);
  }
  return [...names];
}
