/**
 * How this machine holds agents that run on it to their limits: looked up once per core, by trying it. In this order: a cgroup
 * below the core's own, a scope of systemd, else ulimit and the watchdog. What is chosen stands on the agent's badge.
 */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { messageOf } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { findProgram } from '../launch-check.ts';
import type { LaunchSpec, LimitsHeld } from '../runtime.ts';
import type { RuntimeLog } from '../stop-sequence.ts';
import { CgroupLimits, HELD_BY_CGROUP } from './cgroup-limits.ts';
import type { CgroupSet } from './cgroups.ts';
import { below, emptyCgroup, findBase, listCgroups, makeCgroup, processesIn, removeCgroup, removeForgotten } from './cgroups.ts';
import type { EnterTool } from './enter-command.ts';
import { isPerlEnough } from './enter-command.ts';
import type { HostCaps, RunLimits } from './run-limits.ts';
import { hostCaps, NO_LIMITS, numbersOf, SavedLimits } from './run-limits.ts';
import type { Systemd } from './systemd-limits.ts';
import { canScope, HELD_BY_SYSTEMD, managerVariables, SystemdLimits } from './systemd-limits.ts';
import { heldByWatchdog, WatchedLimits } from './watched-limits.ts';
import { Watchdog } from './watchdog.ts';

/** How it is set up. */
export interface HostLimitsOptions {
  /** Names the data folder that the agents belong to. */
  readonly instanceId: string;
  readonly log: RuntimeLog;
  /** The core's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Takes this instead of looking: for tests. */
  readonly mechanism?: 'watchdog';
}

/** What was found. */
type Found =
  | { readonly by: 'cgroup'; readonly base: CgroupSet }
  | { readonly by: 'systemd'; readonly systemd: Systemd }
  | { readonly by: 'watchdog' };

/** Small limits for trying whether limits can be set at all. */
const PROBE: HostCaps = { memory: '64MB', cpu: '1', processes: 16, openFiles: 64 };
/** Ends the name of a cgroup whose agent cannot outlive its core. */
const SHORT_LIVED = '.pty';
/** How many more processes of the user than the agent's are let be, since others of the same user start some, too. */
const OTHERS = 256;

let probes = 0;

/** The limits of agents on this machine. */
export class HostLimits {
  readonly #o: HostLimitsOptions;
  readonly #instance: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #watchdog: Watchdog;
  /** Cgroups that runs of this core are in, by name. */
  readonly #used = new Set<string>();
  #found: Promise<Found> | undefined;
  #tool: Promise<EnterTool> | undefined;

  constructor(options: HostLimitsOptions) {
    this.#o = options;
    // A folder's name: ids of real instances are UUIDs already.
    this.#instance = options.instanceId.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(-64);
    this.#env = options.env ?? process.env;
    this.#watchdog = new Watchdog(options.log);
  }

  /** How agents are held here. */
  async describe(): Promise<LimitsHeld> {
    const { by } = await this.#find();
    return by === 'cgroup' ? HELD_BY_CGROUP : by === 'systemd' ? HELD_BY_SYSTEMD : heldByWatchdog(isRoot());
  }

  /** Makes what holds a run that is about to start. It is always held by something; what, its badge says. */
  async open(spec: Pick<LaunchSpec, 'agentId' | 'runId' | 'limits'>, options: { isShortLived: boolean }): Promise<RunLimits> {
    const caps = hostCaps(spec.limits);
    const found = await this.#find();
    const tool = await this.#findTool();
    const { agentId } = spec;
    if (found.by === 'systemd') {
      const unit = `quarterdeck-${this.#instance}-${agentId}-${spec.runId}.scope`;
      return new SystemdLimits({ agentId, systemd: found.systemd, unit, tool, caps });
    }
    if (found.by === 'cgroup') {
      const name = `${agentId}.${spec.runId}${options.isShortLived ? SHORT_LIVED : ''}`;
      try {
        this.#used.add(name);
        const set = await makeCgroup(found.base, this.#instance, name, numbersOf(caps));
        return this.#inCgroup(agentId, set, name, caps, tool);
      } catch (error) {
        this.#used.delete(name);
        this.#o.log('A cgroup could not be made: the agent is watched instead', { agentId, error: messageOf(error) });
      }
    }
    const userProcesses = isRoot() ? undefined : (await countOwn()) + caps.processes + OTHERS;
    return this.#watched(agentId, caps, tool, userProcesses);
  }

  /** How a run of an earlier core is held, from what was stored with it. */
  async adopt(agentId: AgentId, saved: string): Promise<RunLimits> {
    const parsed = readSaved(saved);
    if (parsed === undefined) return NO_LIMITS;
    const tool = await this.#findTool();
    const { limits: caps, cgroup, unit } = parsed;
    if (parsed.by === 'cgroup' && cgroup !== undefined) {
      const name = cgroup.memory.split('/').at(-1) ?? '';
      this.#used.add(name);
      return this.#inCgroup(agentId, cgroup, name, caps, tool);
    }
    if (parsed.by === 'systemd' && unit !== undefined) {
      const systemd = await this.#findSystemd();
      return systemd === undefined ? NO_LIMITS : new SystemdLimits({ agentId, systemd, unit, tool, caps });
    }
    return this.#watched(agentId, caps, tool, undefined);
  }

  /**
   * Removes what runs of earlier cores left, once those that go on are adopted: empty cgroups, and with their processes those
   * whose agent should have ended with its core. Others in which something runs are left alone, and logged. Never rejects.
   */
  async sweep(): Promise<void> {
    try {
      const found = await this.#find();
      if (found.by !== 'cgroup') return;
      for (const name of await listCgroups(found.base, this.#instance)) {
        if (this.#used.has(name)) continue;
        const set = below(found.base, 'quarterdeck', this.#instance, name);
        const pids = await processesIn(set);
        if (pids.length > 0 && !name.endsWith(SHORT_LIVED)) {
          this.#o.log('A cgroup of no known run is in use and is left alone', { name, pids });
          continue;
        }
        await emptyCgroup(set);
        await removeCgroup(set);
      }
      await removeForgotten(found.base);
    } catch (error) {
      this.#o.log('Cgroups of earlier runs could not be removed', { error: messageOf(error) });
    }
  }

  /** Watches nobody any more; what the system holds, it goes on holding. */
  dispose(): void {
    this.#watchdog.dispose();
  }

  #inCgroup(agentId: AgentId, set: CgroupSet, name: string, caps: HostCaps, tool: EnterTool): RunLimits {
    const { log } = this.#o;
    return new CgroupLimits({ agentId, tool, set, caps, log, onGone: () => this.#used.delete(name) });
  }

  #watched(agentId: AgentId, caps: HostCaps, tool: EnterTool, userProcesses: number | undefined): RunLimits {
    return new WatchedLimits({ agentId, tool, caps, watchdog: this.#watchdog, userProcesses, isRoot: isRoot() });
  }

  #findTool(): Promise<EnterTool> {
    this.#tool ??= (async (): Promise<EnterTool> => {
      const perl = isPerlEnough() ? await findProgram('perl', this.#env['PATH'] ?? '/usr/bin:/bin', '/') : undefined;
      return perl === undefined ? { kind: 'sh', path: '/bin/sh' } : { kind: 'perl', path: perl };
    })();
    return this.#tool;
  }

  #find(): Promise<Found> {
    this.#found ??= this.#look();
    return this.#found;
  }

  async #look(): Promise<Found> {
    if (this.#o.mechanism === 'watchdog') return { by: 'watchdog' };
    const base = await findBase();
    if (base !== undefined && (await this.#canUse(base))) return { by: 'cgroup', base };
    const systemd = await this.#findSystemd();
    return systemd !== undefined && (await canScope(systemd)) ? { by: 'systemd', systemd } : { by: 'watchdog' };
  }

  async #canUse(base: CgroupSet): Promise<boolean> {
    try {
      probes += 1;
      const set = await makeCgroup(base, this.#instance, `probe-${process.pid}-${probes}${SHORT_LIVED}`, numbersOf(PROBE));
      return await removeCgroup(set);
    } catch (error) {
      // Read-only, another user's, or without these controllers.
      this.#o.log('No cgroups can be made for agents on this machine', { error: messageOf(error) });
      return false;
    }
  }

  async #findSystemd(): Promise<Systemd | undefined> {
    if (process.platform !== 'linux' || !existsSync('/run/systemd/system')) return undefined;
    const path = this.#env['PATH'] ?? '/usr/bin:/bin';
    const [runPath, controlPath] = await Promise.all([
      findProgram('systemd-run', path, '/'),
      findProgram('systemctl', path, '/'),
    ]);
    if (runPath === undefined || controlPath === undefined) return undefined;
    return { runPath, controlPath, isUser: !isRoot(), env: isRoot() ? {} : managerVariables(this.#env) };
  }
}

function readSaved(text: string): SavedLimits | undefined {
  try {
    const saved = SavedLimits.parse(JSON.parse(text));
    // It is removed some time: nothing that is not ours ever is.
    const folders = saved.cgroup === undefined ? [] : [saved.cgroup.memory, saved.cgroup.cpu, saved.cgroup.pids];
    return folders.every((folder) => folder.includes('/quarterdeck/') && !folder.includes('..')) ? saved : undefined;
  } catch {
    return undefined;
  }
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Processes and threads of the core's user, as RLIMIT_NPROC counts them. */
async function countOwn(): Promise<number> {
  const own = process.getuid?.();
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const counts = pids.map(async (pid) => {
    const tasks = await stat(`/proc/${pid}/task`).catch(() => undefined);
    return tasks !== undefined && tasks.uid === own ? tasks.nlink - 2 : 0;
  });
  const count = (await Promise.all(counts)).reduce((sum, tasks) => sum + tasks, 0);
  // No /proc: as many as a desktop has.
  return count === 0 ? 1024 : count;
}
