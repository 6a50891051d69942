/** A run held by a cgroup of its own: memory without swap, CPU, processes. */
import type { ResourceLimits } from '#shared/agents/model.ts';
import { messageOf } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { LimitsHeld, RunEnd } from '../runtime.ts';
import type { RuntimeLog } from '../stop-sequence.ts';
import type { CgroupSet } from './cgroups.ts';
import { changeCgroup, denialsOf, emptyCgroup, entryFiles, removeCgroup } from './cgroups.ts';
import type { Command, EnterTool } from './enter-command.ts';
import { enterCommand } from './enter-command.ts';
import type { ExitedEnd, HostCaps, RunLimits } from './run-limits.ts';
import { hostCaps, isFailure, numbersOf, refuseLater } from './run-limits.ts';

/** What the badge says. */
export const HELD_BY_CGROUP: LimitsHeld = {
  mechanism: 'cgroup',
  note: 'memory without swap, CPU and processes are limited by a cgroup, open files by ulimit; disk is watched',
};

/** A run in a cgroup. */
export class CgroupLimits implements RunLimits {
  readonly held = HELD_BY_CGROUP;
  readonly #agentId: AgentId;
  readonly #tool: EnterTool;
  readonly #set: CgroupSet;
  readonly #log: RuntimeLog;
  readonly #onGone: () => void;
  #caps: HostCaps;
  #isRemoved = false;

  constructor(parts: { agentId: AgentId; tool: EnterTool; set: CgroupSet; caps: HostCaps; log: RuntimeLog; onGone: () => void }) {
    this.#agentId = parts.agentId;
    this.#tool = parts.tool;
    this.#set = parts.set;
    this.#caps = parts.caps;
    this.#log = parts.log;
    this.#onGone = parts.onGone;
  }

  get saved(): string {
    return JSON.stringify({ by: 'cgroup', limits: this.#caps, cgroup: this.#set });
  }

  command(program: Command): Command {
    const plan = { entryFiles: entryFiles(this.#set), openFiles: this.#caps.openFiles, userProcesses: undefined };
    return enterCommand(this.#tool, plan, program);
  }

  watch(): void {
    // The kernel does.
  }

  async change(limits: ResourceLimits): Promise<LimitsHeld> {
    const before = this.#caps;
    const next = hostCaps(limits);
    await changeCgroup(this.#set, numbersOf(next), { agentId: this.#agentId, memory: next.memory });
    this.#caps = { ...next, openFiles: before.openFiles };
    refuseLater(this.#agentId, before, next, 'Memory, CPU and processes');
    return this.held;
  }

  async conclude(end: RunEnd, isOrdered: boolean): Promise<RunEnd> {
    const told = isOrdered || !isFailure(end) ? end : this.#explain(end);
    // Something that the agent left behind may still be in it: then it goes with the run's screen.
    await this.#remove();
    return told;
  }

  #explain(end: ExitedEnd): RunEnd {
    const cause = this.#causeOf(end.exit);
    return cause === undefined ? end : { ...end, cause };
  }

  #causeOf(exit: { code?: number | undefined; signal?: string | undefined }): string | undefined {
    const { oomKills, refusedForks } = denialsOf(this.#set);
    const { memory, processes } = this.#caps;
    if (oomKills > 0 && (exit.signal === 'SIGKILL' || exit.code === 137)) return `out of memory: its limit is ${memory}`;
    if (oomKills > 0)
      return `memory ran out in it (its limit is ${memory}), and ${many(oomKills, 'process was', 'processes were')} ended`;
    return refusedForks === 0
      ? undefined
      : `it was refused ${many(refusedForks, 'new process', 'new processes')}: its limit is ${processes}`;
  }

  async discard(): Promise<void> {
    if (this.#isRemoved) return;
    try {
      if (!(await emptyCgroup(this.#set)))
        this.#log('Processes in the cgroup of an ended agent could not be killed', { agentId: this.#agentId });
    } catch (error) {
      this.#log('The cgroup of an ended agent could not be emptied', { agentId: this.#agentId, error: messageOf(error) });
    }
    await this.#remove();
  }

  release(): void {
    // It stays with its run, for the next core.
  }

  async #remove(): Promise<void> {
    if (this.#isRemoved) return;
    this.#isRemoved = await removeCgroup(this.#set);
    if (this.#isRemoved) this.#onGone();
  }
}

function many(count: number, one: string, several: string): string {
  return `${count} ${count === 1 ? one : several}`;
}
