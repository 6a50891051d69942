/** What is read back outside of a box of bubblewrap: what the kernel says of its first process, and the limits it is held to. */
import { readFile } from 'node:fs/promises';
import type { ResourceLimits } from '#shared/agents/model.ts';
import type { LimitMechanism, ProofCheck } from '#shared/boundary/model.ts';
import { findCgroup, readLimits } from '../docker/cgroup-files.ts';
import { limitsOutcome } from '../docker/container-checks.ts';
import { judge, kernelChecks, outsideCheck, unknown } from '../kernel-checks.ts';

/** A box that was made. */
export interface MadeBox {
  /** Of the box guest on this machine; 0 where it was not found. */
  readonly pid: number;
  /** Of bubblewrap. */
  readonly version: string;
  readonly uid: number;
  readonly limits: ResourceLimits;
  readonly mechanism: LimitMechanism;
}

const NOT_FOUND = 'the process of the box cannot be read from here';

/** Everything that can be read back of a box that waits at its desk. */
export async function bubblewrapChecks(box: MadeBox): Promise<ProofCheck[]> {
  const made = outsideCheck('bubblewrap-version', 'Made by bubblewrap', 'ask bubblewrap for its version', {
    found: `bubblewrap ${box.version}`,
    outcome: 'held',
  });
  const [kernel, limits] = await Promise.all([kernelChecks(box.pid, box.uid, NOT_FOUND), limitChecks(box)]);
  return [made, ...kernel, ...limits];
}

async function limitChecks(box: MadeBox): Promise<ProofCheck[]> {
  if (box.mechanism === 'none') return [];
  return Promise.all([openFilesCheck(box), kernelLimitsCheck(box)]);
}

async function openFilesCheck({ pid, limits }: MadeBox): Promise<ProofCheck> {
  const text = await readFile(`/proc/${pid}/limits`, 'utf8').catch(() => undefined);
  const most = text === undefined ? undefined : /^Max open files\s+\S+\s+(\S+)/m.exec(text)?.[1];
  return outsideCheck(
    'process-limits',
    'The kernel limits its open files',
    `read /proc/${pid}/limits on the host`,
    most === undefined ? unknown(NOT_FOUND) : judge(Number(most) <= limits.openFiles, `at most ${most} of ${limits.openFiles}`),
  );
}

async function kernelLimitsCheck({ pid, limits, mechanism }: MadeBox): Promise<ProofCheck> {
  const [id, title] = ['cgroup-limits', 'The kernel holds its memory, CPU and processes'] as const;
  if (mechanism === 'watchdog')
    return outsideCheck(
      id,
      title,
      'look what holds its limits',
      unknown('no cgroup here: memory and processes are watched, CPU is not limited'),
    );
  const folders = await findCgroup(pid);
  const found = folders === undefined ? undefined : await readLimits(folders).catch(() => undefined);
  return outsideCheck(
    id,
    title,
    folders === undefined ? 'look for its cgroup on the host' : `read ${folders.memory} and its fellows`,
    found === undefined ? unknown('its cgroup cannot be read from here') : limitsOutcome(found, limits),
  );
}
