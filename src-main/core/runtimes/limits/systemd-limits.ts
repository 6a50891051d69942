/**
 * A run held by a scope of systemd: its user manager's, or the system's for root. systemd-run joins the scope and becomes the
 * program (systemd-run(1), --scope), so the process stays the one that was started.
 */
import { execFile } from 'node:child_process';
import type { ResourceLimits } from '#shared/agents/model.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { LimitsHeld, RunEnd } from '../runtime.ts';
import type { Command, EnterTool } from './enter-command.ts';
import { enterCommand } from './enter-command.ts';
import type { HostCaps, RunLimits } from './run-limits.ts';
import { hostCaps, isFailure, numbersOf, refuseLater } from './run-limits.ts';

/** How long systemd may take to answer, in milliseconds. */
const ANSWER_MS = 3000;
/** What tells a program where its user manager is. */
const MANAGER_VARIABLES = ['XDG_RUNTIME_DIR', 'DBUS_SESSION_BUS_ADDRESS'] as const;

/** What the badge says. */
export const HELD_BY_SYSTEMD: LimitsHeld = {
  mechanism: 'systemd',
  note: 'memory without swap, CPU and processes are limited by systemd, open files by ulimit; disk is watched',
};

/** The programs of systemd, and how its manager is reached. */
export interface Systemd {
  readonly runPath: string;
  readonly controlPath: string;
  readonly isUser: boolean;
  /** Variables of the core by which the user manager is found. */
  readonly env: Readonly<Record<string, string>>;
}

/** The variables of an environment that lead to the user manager. */
export function managerVariables(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    MANAGER_VARIABLES.flatMap((name) => {
      const value = env[name];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
}

/** Runs a program of systemd's; rejects when it fails. */
export function askSystemd(path: string, args: readonly string[], systemd: Pick<Systemd, 'env'>): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C', ...systemd.env };
    execFile(path, [...args], { env, timeout: ANSWER_MS }, (error, stdout) => {
      if (error === null) resolve(stdout.trim());
      else reject(new Error(error.message, { cause: error }));
    });
  });
}

/** Properties of a scope (systemd.resource-control(5)). */
function properties(caps: HostCaps): string[] {
  const { memoryBytes, cpus, processes } = numbersOf(caps);
  const percent = Math.max(1, Math.round(cpus * 100));
  return [`MemoryMax=${memoryBytes}`, 'MemorySwapMax=0', `CPUQuota=${percent}%`, `TasksMax=${processes}`];
}

/** Words that start `program` in a scope of that name. */
export function scopeCommand(systemd: Systemd, unit: string, caps: HostCaps, program: Command): Command {
  const manager = systemd.isUser ? ['--user'] : [];
  const held = properties(caps).flatMap((property) => ['-p', property]);
  const variables = Object.entries(systemd.env).map(([name, value]) => `${name}=${value}`);
  // systemd-run needs them, the agent does not get them.
  const without = Object.keys(systemd.env).flatMap((name) => ['-u', name]);
  const inside = ['/usr/bin/env', ...without, program.path, ...program.args];
  const run = [systemd.runPath, ...manager, '--scope', '--quiet', `--unit=${unit}`, ...held, '--', ...inside];
  return { path: '/usr/bin/env', args: [...variables, ...run] };
}

/** Whether a scope can really be made. */
export async function canScope(systemd: Systemd): Promise<boolean> {
  const caps = { memory: '64MB', cpu: '1', processes: 16, openFiles: 64 };
  const { path, args } = scopeCommand(systemd, `quarterdeck-probe-${process.pid}`, caps, { path: '/bin/true', args: [] });
  return askSystemd(path, args, systemd).then(
    () => true,
    () => false,
  );
}

/** A run in a scope. */
export class SystemdLimits implements RunLimits {
  readonly held = HELD_BY_SYSTEMD;
  readonly #agentId: AgentId;
  readonly #systemd: Systemd;
  readonly #unit: string;
  readonly #tool: EnterTool;
  #caps: HostCaps;

  constructor(parts: { agentId: AgentId; systemd: Systemd; unit: string; tool: EnterTool; caps: HostCaps }) {
    this.#agentId = parts.agentId;
    this.#systemd = parts.systemd;
    this.#unit = parts.unit;
    this.#tool = parts.tool;
    this.#caps = parts.caps;
  }

  get saved(): string {
    return JSON.stringify({ by: 'systemd', limits: this.#caps, unit: this.#unit });
  }

  command(program: Command): Command {
    const plan = { entryFiles: [], openFiles: this.#caps.openFiles, userProcesses: undefined };
    return scopeCommand(this.#systemd, this.#unit, this.#caps, enterCommand(this.#tool, plan, program));
  }

  watch(): void {
    // systemd does.
  }

  async change(limits: ResourceLimits): Promise<LimitsHeld> {
    const before = this.#caps;
    const next = hostCaps(limits);
    try {
      await this.#control('set-property', '--runtime', this.#unit, ...properties(next));
    } catch (error) {
      throw new AppError('UNAVAILABLE', `systemd did not change the limits of agent ${this.#agentId}: ${messageOf(error)}`, {
        cause: error,
      });
    }
    this.#caps = { ...next, openFiles: before.openFiles };
    refuseLater(this.#agentId, before, next, 'Memory, CPU and processes');
    return this.held;
  }

  async conclude(end: RunEnd, isOrdered: boolean): Promise<RunEnd> {
    if (isOrdered || !isFailure(end)) return end;
    const result = await this.#control('show', '-p', 'Result', '--value', this.#unit).catch(() => '');
    return result === 'oom-kill' ? { ...end, cause: `out of memory: its limit is ${this.#caps.memory}` } : end;
  }

  /** What the agent left behind ends with its scope; one that failed would stay in systemd's list. */
  async discard(): Promise<void> {
    await this.#control('kill', '--signal=SIGKILL', this.#unit).catch(() => undefined);
    await this.#control('reset-failed', this.#unit).catch(() => undefined);
  }

  release(): void {
    // The scope stays with its run.
  }

  #control(...words: readonly string[]): Promise<string> {
    return askSystemd(this.#systemd.controlPath, [...(this.#systemd.isUser ? ['--user'] : []), ...words], this.#systemd);
  }
}
