/**
 * The probe: tries from inside what must not be possible, and reads back what holds the box, before anything of the agent runs.
 * Invariant: it leaves nothing behind, and it ends in time; what could not be tried is said to be unknown, never to hold.
 */
import type { BoxProbe } from '#shared/box/model.ts';
import type { ProofCheck } from '#shared/boundary/model.ts';
import { checkFiles } from './check-files.ts';
import { checkLimits } from './check-limits.ts';
import { checkNetwork } from './check-network.ts';
import { checkNamespaces, checkPrivileges } from './check-privileges.ts';
import { checkProcesses } from './check-processes.ts';

/** What must fail at once fails at once; on a machine that has no time for it, it still counts when it comes late. In milliseconds. */
const ANSWER_MS = 2000;
/** Starting a program of the image is the slowest of all, and needed least. */
const TOOL_MS = 100;

/** Tries everything. `sockets` is the folder of the box's own. */
export async function runProbe(probe: BoxProbe, sockets: string): Promise<{ checks: ProofCheck[]; tookMs: number }> {
  const startedAt = performance.now();
  // First, before anything is started that others could see; and a clock that runs while this thread is busy measures nothing.
  const read = [...checkProcesses(probe), ...checkPrivileges(probe), ...checkFiles(probe, sockets), ...checkLimits(probe)];
  const answers = await Promise.all([checkNetwork(probe, ANSWER_MS), checkNamespaces(TOOL_MS)]);
  return { checks: [...read, ...answers.flat()], tookMs: Math.round((performance.now() - startedAt) * 10) / 10 };
}
