/**
 * What processes there are: pid, parent, session, state, CPU time, memory. From /proc on Linux, from `ps` elsewhere.
 * A process is identified by its pid *and* its start (`startKey`), because pids are used again.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { uptime } from 'node:os';

/** One process at one moment. */
export interface ProcessInfo {
  readonly pid: number;
  readonly ppid: number;
  /** Session id: the pid of the session's leader. Where `ps` does not tell it (macOS), the process group's id. */
  readonly sid: number;
  /** First letter of the kernel's state: R, S, D, T (stopped), Z (dead, not yet collected by its parent). */
  readonly state: string;
  /** Tells two processes with the same pid apart; comparable for equality only. */
  readonly startKey: string;
  /** User and system time used so far, in milliseconds. */
  readonly cpuMs: number;
  /** The same of its children that ended and that it collected, and of theirs; 0 where `ps` does not tell it. */
  readonly childCpuMs: number;
  /** Resident memory in bytes. */
  readonly memoryBytes: number;
}

interface Units {
  readonly ticksPerSecond: number;
  readonly pageBytes: number;
}

let units: Units | undefined;

/** Clock ticks and page size from the auxiliary vector (getauxval(3): AT_CLKTCK = 17, AT_PAGESZ = 6). */
function readUnits(): Units {
  let ticksPerSecond = 100;
  let pageBytes = 4096;
  try {
    const auxv = readFileSync('/proc/self/auxv');
    for (let at = 0; at + 16 <= auxv.length; at += 16) {
      const type = Number(auxv.readBigUInt64LE(at));
      const value = Number(auxv.readBigUInt64LE(at + 8));
      if (type === 17) ticksPerSecond = value;
      if (type === 6) pageBytes = value;
    }
  } catch {
    // Not readable (hidepid, another system): the values of nearly every Linux stay.
  }
  return { ticksPerSecond, pageBytes };
}

/** Parses one line of /proc/<pid>/stat (proc_pid_stat(5)). The command may contain spaces and brackets. */
export function parseProcStat(text: string): ProcessInfo | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 0 || close < 0) return undefined;
  const fields = text.slice(close + 2).split(' ');
  const field = (index: number): number => Number(fields[index] ?? Number.NaN);
  units ??= readUnits();
  const pid = Number(text.slice(0, open));
  if (!Number.isInteger(pid)) return undefined;
  return {
    pid,
    state: fields[0] ?? '?',
    ppid: field(1),
    sid: field(3),
    cpuMs: ((field(11) + field(12)) * 1000) / units.ticksPerSecond,
    childCpuMs: ((field(13) + field(14)) * 1000) / units.ticksPerSecond,
    startKey: fields[19] ?? '',
    memoryBytes: field(21) * units.pageBytes,
  };
}

/** `[[dd-]hh:]mm:ss[.cc]`, as `ps -o time` prints it, in milliseconds. */
function parsePsTime(text: string): number {
  const [days, clock] = text.includes('-') ? text.split('-', 2) : ['0', text];
  let seconds = 0;
  for (const part of (clock ?? '0').split(':')) seconds = seconds * 60 + Number(part);
  return (Number(days) * 86_400 + seconds) * 1000;
}

const PS_COLUMNS = 'pid=,ppid=,pgid=,stat=,rss=,time=,lstart=';

/** Parses the output of `ps -o pid=,ppid=,pgid=,stat=,rss=,time=,lstart=`. */
export function parsePs(output: string): ProcessInfo[] {
  const found: ProcessInfo[] = [];
  for (const line of output.split('\n')) {
    const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\d+)\s+(\S+)\s+(.+?)\s*$/.exec(line);
    if (match === null) continue;
    const [, pid, ppid, pgid, stat, rss, time, lstart] = match;
    found.push({
      pid: Number(pid),
      ppid: Number(ppid),
      sid: Number(pgid),
      state: (stat ?? '?').charAt(0),
      startKey: lstart ?? '',
      cpuMs: parsePsTime(time ?? '0'),
      childCpuMs: 0,
      memoryBytes: Number(rss) * 1024,
    });
  }
  return found;
}

/** Processes by `ps`: all, or the one asked for. Used where there is no /proc. */
export function listByPs(pid?: number): ProcessInfo[] {
  const which = pid === undefined ? ['-A'] : ['-p', String(pid)];
  try {
    const output = execFileSync('ps', [...which, '-o', PS_COLUMNS], {
      encoding: 'utf8',
      env: { PATH: '/bin:/usr/bin', LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 64 << 20,
    });
    return parsePs(output);
  } catch {
    return []; // `ps -p` ends with 1 when there is no such process.
  }
}

const hasProc = process.platform === 'linux';

/** A stat line has some 350 bytes; the command in it at most 64. */
const statBuffer = Buffer.alloc(4096);

/** Reads a small file of /proc with as few system calls as can be: a listing does it for every process. */
function readStat(pid: number): string {
  const fd = openSync(`/proc/${pid}/stat`, 'r');
  try {
    return statBuffer.toString('latin1', 0, readSync(fd, statBuffer, 0, statBuffer.length, 0));
  } finally {
    closeSync(fd);
  }
}

/** One process, or undefined when there is none with this pid. */
export function readProcess(pid: number): ProcessInfo | undefined {
  if (!hasProc) return listByPs(pid)[0];
  try {
    return parseProcStat(readStat(pid));
  } catch {
    return undefined;
  }
}

/** All processes, read in one go: about 10 µs each. */
export function listProcesses(): ProcessInfo[] {
  if (!hasProc) return listByPs();
  const found: ProcessInfo[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const info = Number.isInteger(pid) ? readProcess(pid) : undefined;
    if (info !== undefined) found.push(info);
  }
  return found;
}

/** How many processes are read before others have their turn: about 2 ms. */
const READ_AT_ONCE = 100;

/** All processes, with pauses between: it holds nobody up, and is no picture of one moment. */
async function listInTurns(): Promise<ProcessInfo[]> {
  if (!hasProc) return listByPs();
  const found: ProcessInfo[] = [];
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  for (let at = 0; at < pids.length; at += READ_AT_ONCE) {
    if (at > 0) await new Promise((resolve) => setImmediate(resolve));
    for (const pid of pids.slice(at, at + READ_AT_ONCE)) {
      const info = readProcess(pid);
      if (info !== undefined) found.push(info);
    }
  }
  return found;
}

/** The variable by which every process of a run can be told, also one that has cut all its ties: it inherits the environment. */
export const RUN_VARIABLE = 'QUARTERDECK_RUN_ID';

/** The run that a process was started in, by its environment; undefined where that cannot be read, or says nothing. */
function runIdOf(pid: number): string | undefined {
  try {
    const text = `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`;
    const at = text.indexOf(`\0${RUN_VARIABLE}=`);
    if (at < 0) return undefined;
    const from = at + RUN_VARIABLE.length + 2;
    const to = text.indexOf('\0', from);
    return text.slice(from, to < 0 ? undefined : to);
  } catch {
    return undefined; // Another user's, or gone.
  }
}

/** All processes at one moment, with the ways to look them up. */
export class ProcessSnapshot {
  readonly byPid = new Map<number, ProcessInfo>();
  readonly byParent: Map<number, ProcessInfo[]>;
  readonly bySession: Map<number, ProcessInfo[]>;
  /** When it was complete, on the clock of `performance.now()`. */
  readonly takenAt = performance.now();
  #byRun: Map<string | undefined, ProcessInfo[]> | undefined;

  constructor(processes: readonly ProcessInfo[] = listProcesses()) {
    for (const info of processes) this.byPid.set(info.pid, info);
    this.byParent = Map.groupBy(processes, (info) => info.ppid);
    this.bySession = Map.groupBy(processes, (info) => info.sid);
  }

  /** Processes whose environment names the run. Read once, for all who ask: it opens a file of every process. */
  ofRun(runId: string): readonly ProcessInfo[] {
    if (!hasProc) return [];
    this.#byRun ??= Map.groupBy(this.byPid.values(), (info) => runIdOf(info.pid));
    return this.#byRun.get(runId) ?? [];
  }
}

let next: Promise<ProcessSnapshot> | undefined;

/** A snapshot taken after this call. All who ask in the same turn of the event loop share it: agents are often stopped together. */
export function nextSnapshot(): Promise<ProcessSnapshot> {
  next ??= new Promise((resolve) => {
    setImmediate(() => {
      next = undefined;
      resolve(new ProcessSnapshot());
    });
  });
  return next;
}

/** How long one snapshot answers all who ask for statistics, in milliseconds. */
const SHARED_FOR_MS = 500;

let shared: { readonly at: number; readonly snapshot: Promise<ProcessSnapshot> } | undefined;

/** A snapshot that is at most half a second old: one serves every agent's statistics. For figures, not for signals. */
export function recentSnapshot(nowMs: number = performance.now()): Promise<ProcessSnapshot> {
  if (shared === undefined || nowMs - shared.at > SHARED_FOR_MS)
    shared = { at: nowMs, snapshot: listInTurns().then((processes) => new ProcessSnapshot(processes)) };
  return shared.snapshot;
}

/** Pids of the live children of a process, oldest first. */
export function childrenOf(pid: number): number[] {
  if (hasProc) {
    try {
      // What the main thread started; needs CONFIG_PROC_CHILDREN, which the usual kernels have.
      const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
      return pids === '' ? [] : pids.split(' ').map(Number);
    } catch {
      // No such file, or no such process: the long way tells.
    }
  }
  return listProcesses()
    .filter((info) => info.ppid === pid && info.state !== 'Z')
    .map((info) => info.pid);
}

/** The command line of a process, word by word; empty when it cannot be read. `ps` does not tell where words end: there, at spaces. */
export function argumentsOf(pid: number): string[] {
  try {
    if (hasProc) return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').split('\0');
    const env = { PATH: '/bin:/usr/bin', LC_ALL: 'C' };
    return execFileSync('ps', ['-p', String(pid), '-o', 'args='], { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'ignore'] })
      .trim()
      .split(/\s+/);
  } catch {
    return []; // Gone, or another user's.
  }
}

/** The folder that a process works in; undefined when it cannot be read, or is gone. */
export function folderOf(pid: number): string | undefined {
  try {
    const folder = readlinkSync(`/proc/${pid}/cwd`);
    return folder.endsWith(' (deleted)') ? undefined : folder;
  } catch {
    return undefined;
  }
}

/** When a process was started, in milliseconds since 1970, to about a second; undefined when that cannot be told. */
export function startedAtOf(info: ProcessInfo): number | undefined {
  if (!hasProc) return Date.parse(info.startKey) || undefined;
  units ??= readUnits();
  const sinceBootMs = (Number(info.startKey) * 1000) / units.ticksPerSecond;
  return Number.isFinite(sinceBootMs) ? Math.round(Date.now() - uptime() * 1000 + sinceBootMs) : undefined;
}

/** Whether there is a process with this pid, dead and not yet collected ones included. One system call. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Whether a process with this pid runs: there is one, and it is not a dead one waiting to be collected. */
export function isRunning(pid: number): boolean {
  if (!exists(pid)) return false;
  const info = readProcess(pid);
  return info !== undefined && info.state !== 'Z' && info.state !== 'X';
}
