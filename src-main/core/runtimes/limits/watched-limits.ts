/** A run that no cgroup holds: open files and, but for root, processes by ulimit; memory and processes by the watchdog. */
import type { ResourceLimits } from '#shared/agents/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { LimitsHeld, RunEnd } from '../runtime.ts';
import type { Command, EnterTool } from './enter-command.ts';
import { enterCommand } from './enter-command.ts';
import type { HostCaps, RunLimits } from './run-limits.ts';
import { hostCaps, numbersOf, refuseLater } from './run-limits.ts';
import type { WatchedRun, Watchdog } from './watchdog.ts';

/** What the badge says. The kernel holds root to no number of processes. */
export function heldByWatchdog(isRoot: boolean): LimitsHeld {
  const ulimit = isRoot ? 'open files are' : 'processes and open files are';
  const watched = isRoot ? 'memory and processes are' : 'memory is';
  return {
    mechanism: 'watchdog',
    note: `${ulimit} limited by ulimit; ${watched} watched, and the agent is ended when it uses more; CPU is not limited; disk is watched`,
  };
}

/** A run that is watched. */
export class WatchedLimits implements RunLimits {
  readonly held: LimitsHeld;
  readonly #agentId: AgentId;
  readonly #tool: EnterTool;
  readonly #watchdog: Watchdog;
  readonly #userProcesses: number | undefined;
  #caps: HostCaps;
  #watch: Disposable | undefined;
  /** Why the watchdog ended it. */
  #cause: string | undefined;

  constructor(parts: {
    agentId: AgentId;
    tool: EnterTool;
    caps: HostCaps;
    watchdog: Watchdog;
    /** Most processes of the user with this agent's; undefined for root. */
    userProcesses: number | undefined;
    isRoot: boolean;
  }) {
    this.#agentId = parts.agentId;
    this.#tool = parts.tool;
    this.#caps = parts.caps;
    this.#watchdog = parts.watchdog;
    this.#userProcesses = parts.userProcesses;
    this.held = heldByWatchdog(parts.isRoot);
  }

  get saved(): string {
    return JSON.stringify({ by: 'watchdog', limits: this.#caps });
  }

  command(program: Command): Command {
    const plan = { entryFiles: [], openFiles: this.#caps.openFiles, userProcesses: this.#userProcesses };
    return enterCommand(this.#tool, plan, program);
  }

  watch(run: WatchedRun): void {
    this.#watch?.dispose();
    this.#watch = this.#watchdog.watch(
      run,
      () => numbersOf(this.#caps),
      (cause) => {
        this.#cause = cause;
      },
    );
  }

  change(limits: ResourceLimits): Promise<LimitsHeld> {
    const before = this.#caps;
    const next = hostCaps(limits);
    this.#caps = { ...next, openFiles: before.openFiles };
    return new Promise((resolve) => {
      refuseLater(this.#agentId, before, next, 'Memory and processes');
      resolve(this.held);
    });
  }

  conclude(end: RunEnd): Promise<RunEnd> {
    this.release();
    const cause = this.#cause;
    return Promise.resolve(cause === undefined || end.kind !== 'exited' ? end : { ...end, cause });
  }

  discard(): Promise<void> {
    this.release();
    return Promise.resolve();
  }

  release(): void {
    this.#watch?.dispose();
    this.#watch = undefined;
  }
}
