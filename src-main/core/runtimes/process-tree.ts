/**
 * The process tree of one run, and the signals to all of it.
 * Members: the root, its descendants, everything in a session that one of them belongs to, whatever was once seen as a
 * member (a child that outlived its parent has another parent then), and, when all are to be ended, whatever carries the run's
 * id in its environment: that finds one that cut every other tie. No process is signalled whose start is not the one seen.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessInfo } from './process-table.ts';
import { nextSnapshot, ProcessSnapshot, readProcess, recentSnapshot } from './process-table.ts';
import type { RunStats } from './runtime.ts';

/** Which processes belong to a run. */
export interface ProcessTreeRoot {
  /** The agent's first process. */
  readonly pid: number;
  /** The session it was started in; by default its own (it is the leader). */
  readonly sessionId?: number;
  /** Processes of the session that belong to the runtime and are never signalled. */
  readonly spared?: readonly number[];
  /** The run's id, as it stands in the environment of its processes (RUN_VARIABLE). */
  readonly runId?: string;
  /** The root ended before the tree was made: whoever has its pid now is somebody else. */
  readonly hasEnded?: boolean;
}

const isDead = (info: ProcessInfo): boolean => info.state === 'Z' || info.state === 'X';

/** How long killed processes may take to be gone, in milliseconds; one that waits for a device may take longer. */
const KILL_DEADLINE_MS = 5000;

/** Whether the process is still there and alive. */
function isSame(info: ProcessInfo): boolean {
  const now = readProcess(info.pid);
  return now !== undefined && now.startKey === info.startKey && !isDead(now);
}

/** Sends a signal; false when there is no such process (any more). */
function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** The process tree of one run. */
export class ProcessTree {
  readonly #pid: number;
  readonly #rootKey: string | undefined = undefined;
  readonly #sessionId: number;
  readonly #leaderKey: string | undefined = undefined;
  readonly #spared: ReadonlySet<number>;
  readonly #runId: string | undefined;
  /** Every member ever seen that was still alive at the last look, with its start. */
  #known = new Map<number, string>();

  /** Reads the root's identity: create it while the root is known to be the agent's. */
  constructor(root: ProcessTreeRoot) {
    this.#pid = root.pid;
    this.#sessionId = root.sessionId ?? root.pid;
    this.#spared = new Set([0, 1, process.pid, ...(root.spared ?? [])]);
    this.#runId = root.runId;
    if (root.hasEnded === true) return;
    this.#rootKey = readProcess(root.pid)?.startKey;
    this.#leaderKey = readProcess(this.#sessionId)?.startKey;
  }

  /** The members that are alive, by default as of now. `isThorough` looks into environments too. */
  members(snapshot: ProcessSnapshot = new ProcessSnapshot(), isThorough = false): ProcessInfo[] {
    const { byPid, byParent, bySession } = snapshot;
    const ownSession = byPid.get(process.pid)?.sid;
    const found = new Map<number, ProcessInfo>();
    const queue: ProcessInfo[] = [];
    const add = (info: ProcessInfo | undefined): void => {
      if (info === undefined || found.has(info.pid) || this.#spared.has(info.pid)) return;
      found.set(info.pid, info);
      queue.push(info);
    };
    const root = byPid.get(this.#pid);
    if (root !== undefined && root.startKey === this.#rootKey) add(root);
    for (const [pid, startKey] of this.#known) {
      const info = byPid.get(pid);
      if (info?.startKey === startKey) add(info);
    }
    if (isThorough && this.#runId !== undefined) for (const info of snapshot.ofRun(this.#runId)) add(info);
    // A session id stays taken while a member of the session lives. Another leader's start means another session.
    const leader = byPid.get(this.#sessionId);
    if (leader === undefined || leader.startKey === this.#leaderKey) {
      for (const info of bySession.get(this.#sessionId) ?? []) add(info);
    }
    for (let info = queue.pop(); info !== undefined; info = queue.pop()) {
      for (const child of byParent.get(info.pid) ?? []) add(child);
      if (info.sid > 1 && info.sid !== ownSession) for (const peer of bySession.get(info.sid) ?? []) add(peer);
    }
    const alive = [...found.values()].filter((info) => !isDead(info));
    this.#known = new Map(alive.map((info) => [info.pid, info.startKey]));
    return alive;
  }

  /** Whether the root is alive. */
  isRootRunning(): boolean {
    const info = readProcess(this.#pid);
    return info !== undefined && info.startKey === this.#rootKey && !isDead(info);
  }

  /** Whether the root is stopped (state T). */
  isStopped(): boolean {
    const info = readProcess(this.#pid);
    return info !== undefined && info.startKey === this.#rootKey && info.state === 'T';
  }

  /** Looks who is a member now; see `members`. */
  async look(isThorough = false): Promise<readonly ProcessInfo[]> {
    return this.members(await nextSnapshot(), isThorough);
  }

  /** Signals every member alive now and returns how many there were. */
  async signal(signal: NodeJS.Signals): Promise<number> {
    const members = await this.look();
    for (const info of members) send(info.pid, signal);
    return members.length;
  }

  /** Lets the members seen at the last look run, in case they are stopped. */
  wake(): void {
    for (const pid of this.#known.keys()) send(pid, 'SIGCONT');
  }

  /** Asks the root to end. The others keep running: a program may need its children to end in good order. */
  ask(signal: NodeJS.Signals): void {
    const info = readProcess(this.#pid);
    if (info !== undefined && info.startKey === this.#rootKey) send(info.pid, signal);
  }

  /** Stops every member from running, those started meanwhile too. Gives up waiting for stragglers after two seconds. */
  async pause(): Promise<void> {
    const signalled = new Map<number, string>();
    const deadline = performance.now() + 2000;
    for (;;) {
      const members = await this.look();
      const fresh = members.filter((info) => signalled.get(info.pid) !== info.startKey);
      for (const info of fresh) {
        send(info.pid, 'SIGSTOP');
        signalled.set(info.pid, info.startKey);
      }
      if (fresh.length === 0 && members.every((info) => info.state === 'T')) return;
      // A parent that has lent its memory to a child (vfork) cannot be stopped before the child has become another program: where
      // the child was stopped on the way there, it goes on for a moment, and is stopped again.
      for (const { pid, ppid, state } of members) {
        const parent = members.find((info) => info.pid === ppid);
        if (state !== 'T' || parent?.state !== 'D') continue;
        send(pid, 'SIGCONT');
        signalled.delete(pid);
      }
      if (performance.now() > deadline) return;
      await sleep(2);
    }
  }

  /** Lets every member run again. */
  async resume(): Promise<void> {
    // Twice: a process that was being started while the others were stopped shows up in the second look.
    await this.signal('SIGCONT');
    await this.signal('SIGCONT');
  }

  /** Whether a member seen earlier is still alive. Cheap: reads only those. */
  hasSurvivors(): boolean {
    for (const [pid, startKey] of this.#known) {
      const info = readProcess(pid);
      if (info !== undefined && info.startKey === startKey && !isDead(info)) return true;
    }
    return false;
  }

  /** Kills every member until none is left; returns the pids that could not be killed within five seconds. */
  async kill(): Promise<readonly number[]> {
    const deadline = performance.now() + KILL_DEADLINE_MS;
    for (;;) {
      let members = await this.look(true);
      // All are stopped first, so that none can start another between being listed and being killed.
      for (let round = 0; round < 5; round += 1) {
        const running = members.filter((info) => info.state !== 'T');
        if (running.length === 0) break;
        for (const info of running) send(info.pid, 'SIGSTOP');
        members = await this.look();
      }
      if (members.length === 0) return [];
      if (performance.now() > deadline) return members.map((info) => info.pid);
      for (const info of members) send(info.pid, 'SIGKILL');
      while (this.hasSurvivors()) {
        if (performance.now() > deadline) return members.filter((info) => isSame(info)).map((info) => info.pid);
        await sleep(2);
      }
    }
  }

  /** CPU time, memory and number of the members, or undefined when none is alive. */
  async stats(): Promise<RunStats | undefined> {
    const snapshot = await recentSnapshot();
    const members = this.members(snapshot);
    if (members.length === 0) return undefined;
    let cpuMs = 0;
    let memoryBytes = 0;
    for (const info of members) {
      cpuMs += info.cpuMs + info.childCpuMs;
      memoryBytes += info.memoryBytes;
    }
    return { at: snapshot.takenAt, cpuMs, memoryBytes, processes: members.length };
  }
}
