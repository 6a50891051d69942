/** How one run on this machine is held to its limits: by a cgroup, by systemd, or by ulimit and the watchdog. */
import type { ResourceLimits } from '#shared/agents/model.ts';
import { parseSize } from '#shared/kernel/units.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import * as z from 'zod';
import type { LimitsHeld, RunEnd } from '../runtime.ts';
import { UNLIMITED } from '../unlimited.ts';
import type { CgroupCaps } from './cgroups.ts';
import type { Command } from './enter-command.ts';
import type { WatchedRun } from './watchdog.ts';

/** What is stored with a session, so that the next core knows how its run is held. */
export const SavedLimits = z.object({
  by: z.enum(['cgroup', 'systemd', 'watchdog']),
  limits: z.object({ memory: z.string(), cpu: z.string(), processes: z.number(), openFiles: z.number() }),
  cgroup: z.object({ version: z.literal([1, 2]), memory: z.string(), cpu: z.string(), pids: z.string() }).optional(),
  unit: z.string().optional(),
});
/** What is stored with a session. */
export type SavedLimits = z.infer<typeof SavedLimits>;

/** The limits that are held on a host: the others are the container's, or watched elsewhere. */
export type HostCaps = SavedLimits['limits'];

/** How one run is held. */
export interface RunLimits {
  readonly held: LimitsHeld;
  /** To be stored outside the core; undefined when there is nothing to find again. Another one after a change. */
  readonly saved: string | undefined;
  /** The command by which the program is started so that it is held from its first moment. */
  command(program: Command): Command;
  /** The run has started. */
  watch(run: WatchedRun): void;
  /** Fails with UNAVAILABLE naming what only a restart changes. */
  change(limits: ResourceLimits): Promise<LimitsHeld>;
  /** The end with what the limits had to do with it. Never rejects. `isOrdered`: somebody had it stopped. */
  conclude(end: RunEnd, isOrdered: boolean): Promise<RunEnd>;
  /** Ends what is left in it, and removes it. Never rejects. */
  discard(): Promise<void>;
  /** Lets go; what holds it stays. */
  release(): void;
}

/** Held by nothing: runs of cores that knew no limits, and runtimes set up without. */
export const NO_LIMITS: RunLimits = {
  held: UNLIMITED,
  saved: undefined,
  command: (program) => program,
  watch: () => undefined,
  change: () =>
    Promise.reject(new AppError('UNAVAILABLE', 'Nothing holds this agent to limits; the new ones are for its next start.')),
  conclude: (end) => Promise.resolve(end),
  discard: () => Promise.resolve(),
  release: () => undefined,
};

/** The limits that a host holds, of those of a configuration. */
export function hostCaps(limits: ResourceLimits): HostCaps {
  const { memory, cpu, processes, openFiles } = limits;
  return { memory, cpu, processes, openFiles };
}

/** As numbers for the kernel. */
export function numbersOf(caps: HostCaps): CgroupCaps {
  return { memoryBytes: parseSize(caps.memory) ?? 0, cpus: Number(caps.cpu), processes: caps.processes };
}

/** Fails when a change has a part that only the next start brings. */
export function refuseLater(agentId: AgentId, before: HostCaps, now: HostCaps, what: string): void {
  if (before.openFiles === now.openFiles) return;
  throw new AppError(
    'UNAVAILABLE',
    `${what} of agent ${agentId} are limited as asked from now on; the number of open files only from its next start.`,
    { retryable: false, data: { cause: 'restart', restart: ['the number of open files'] } },
  );
}

/** An end that was seen. */
export type ExitedEnd = Extract<RunEnd, { kind: 'exited' }>;

/** Whether an end is a failure that a limit may explain. */
export function isFailure(end: RunEnd): end is ExitedEnd {
  return end.kind === 'exited' && end.cause === undefined && (end.exit.signal !== undefined || end.exit.code !== 0);
}
