/**
 * What holds a container, read back from outside: the engine's configuration, and what the kernel says of its first process.
 * What was asked for is not enough: an engine may leave out what it does not know.
 */
import type { ResourceLimits } from '#shared/agents/model.ts';
import type { ProofCheck } from '#shared/boundary/model.ts';
import { BOX } from '#shared/box/places.ts';
import type { Outcome } from '../kernel-checks.ts';
import { held, judge, kernelChecks, outsideCheck as check, unknown } from '../kernel-checks.ts';
import type { BoxSpec } from '../runtime.ts';
import type { CgroupFolders, CgroupLimits } from './cgroup-files.ts';
import { findCgroup, readLimits } from './cgroup-files.ts';
import type { InspectedContainer } from './container-inspect.ts';
import { engineLimits } from './container-options.ts';

/** What the container was to be. */
export interface Expected {
  readonly box: Pick<BoxSpec, 'mounts' | 'user'>;
  readonly limits: ResourceLimits;
  readonly kitVolume: string;
}

/** Why the kernel's own files may say nothing. */
const FAR = 'the engine’s processes cannot be read from here';

/** Reads back what the engine says it made. */
function engineChecks(info: InspectedContainer, expected: Expected): ProofCheck[] {
  const host = info.HostConfig;
  const networks = info.NetworkSettings.Networks;
  const security = host.SecurityOpt;
  const unconfined = security.filter((option) => /unconfined|disable/.test(option));
  const shared = Object.entries({
    pid: host.PidMode,
    ipc: host.IpcMode,
    uts: host.UTSMode,
    users: host.UsernsMode,
  }).filter(([, mode]) => /^(host|container:|ns:)/.test(mode));
  const devices = host.Devices + host.DeviceRequests;
  const added = host.CapAdd;
  const dropped = host.CapDrop.map((name) => name.toUpperCase());
  return [
    check(
      'engine-network',
      'No network',
      'read the network mode back from the engine',
      judge(host.NetworkMode === 'none' && networks.every((name) => name === 'none'), `network mode ${host.NetworkMode}`),
    ),
    check(
      'engine-read-only',
      'The root file system is read-only',
      'read the option back from the engine',
      judge(host.ReadonlyRootfs, `ReadonlyRootfs ${String(host.ReadonlyRootfs)}`),
    ),
    check(
      'engine-privileges',
      'No privileges, no devices, nothing of the host shared',
      'read privileges, devices, name spaces and security options back from the engine',
      judge(
        !host.Privileged && added.length === 0 && devices === 0 && shared.length === 0 && unconfined.length === 0,
        [
          host.Privileged ? 'privileged' : 'not privileged',
          added.length === 0 ? 'no capability added' : `added ${added.join(', ')}`,
          `${devices} devices`,
          shared.length === 0
            ? 'name spaces of its own'
            : `shares ${shared.map(([name, mode]) => `${name} (${mode})`).join(', ')}`,
          ...unconfined,
        ].join('; '),
      ),
    ),
    check(
      'engine-capabilities',
      'All capabilities dropped, no new privileges',
      'read the options back from the engine',
      judge(
        (dropped.includes('ALL') || dropped.length >= 11) &&
          security.some((option) => /^no-new-privileges(?!.*false)/.test(option)),
        `dropped ${dropped.join(', ') || 'none'}; ${security.join(', ') || 'no security option'}`,
      ),
    ),
    check(
      'engine-mounts',
      'Exactly the folders it was given',
      'read the mounts back from the engine',
      mountsOutcome(info, expected),
    ),
    check(
      'engine-user',
      `Runs as ${expected.box.user.uid}:${expected.box.user.gid}`,
      'read the user back from the engine',
      judge(info.Config.User === `${expected.box.user.uid}:${expected.box.user.gid}`, `user ${info.Config.User || 'root'}`),
    ),
    check(
      'engine-restart',
      'The engine never starts it again by itself',
      'read the restart policy back from the engine',
      judge(['', 'no'].includes(host.RestartPolicy), `restart policy ${host.RestartPolicy || 'no'}`),
    ),
  ];
}

function mountsOutcome(info: InspectedContainer, expected: Expected): Outcome {
  const problems: string[] = [];
  const left = new Map(info.Mounts.map((mount) => [mount.Destination, mount]));
  for (const mount of expected.box.mounts) {
    const found = left.get(mount.target);
    left.delete(mount.target);
    if (found === undefined) problems.push(`${mount.target} is missing`);
    else if (found.RW && !mount.isWritable) problems.push(`${mount.target} is writable`);
    else if (found.Type === 'bind' && found.Source !== mount.source && !found.Source.endsWith(mount.source))
      problems.push(`${mount.target} is ${found.Source}`);
    else if (!['', 'rprivate', 'private'].includes(found.Propagation)) problems.push(`${mount.target} is ${found.Propagation}`);
  }
  const kit = left.get(BOX.kit);
  left.delete(BOX.kit);
  if (kit === undefined || kit.RW || kit.Name !== expected.kitVolume) problems.push(`${BOX.kit} is not the read-only kit`);
  for (const mount of left.values()) {
    // In memory: /tmp, which only some engines tell, and what covers an image's volumes. What is writable the probe says.
    if (mount.Type === 'tmpfs') continue;
    problems.push(`${mount.Destination} was not asked for`);
  }
  const count = expected.box.mounts.length;
  return problems.length === 0 ? held(`the kit and ${count} mounts, as asked for`) : judge(false, problems.join('; '));
}

/** Whether limits are what they are to be. CPU shares are rounded by the kernel to hundredths of a millisecond. */
export function limitsOutcome(found: CgroupLimits, limits: ResourceLimits): Outcome {
  const wanted = engineLimits(limits);
  // The kernel counts memory in pages.
  const isMemoryHeld = found.memoryBytes !== null && found.memoryBytes <= wanted.Memory;
  const both = found.memoryAndSwapBytes;
  const isSwapHeld = both === undefined || (both !== null && both <= wanted.MemorySwap);
  const isCpuHeld = found.cpus !== null && found.cpus <= wanted.NanoCpus / 1e9 + 0.001;
  const isCountHeld = found.processes !== null && found.processes <= wanted.PidsLimit;
  const facts = [
    `memory ${found.memoryBytes ?? 'unlimited'}`,
    both === undefined ? 'swap is not counted by this kernel' : `with swap ${both ?? 'unlimited'}`,
    `CPUs ${found.cpus ?? 'unlimited'}`,
    `processes ${found.processes ?? 'unlimited'}`,
  ];
  return judge(isMemoryHeld && isSwapHeld && isCpuHeld && isCountHeld, facts.join(', '));
}

/** Some engines turn one way of stating it into the other. */
function cpusOf(host: InspectedContainer['HostConfig']): number | null {
  if (host.NanoCpus > 0) return host.NanoCpus / 1e9;
  return host.CpuQuota > 0 ? host.CpuQuota / (host.CpuPeriod || 100_000) : null;
}

async function limitChecks(pid: number, info: InspectedContainer, expected: Expected): Promise<ProofCheck[]> {
  const folders: CgroupFolders | undefined = await findCgroup(pid);
  const limits = folders === undefined ? undefined : await readLimits(folders).catch(() => undefined);
  const host = info.HostConfig;
  const asked: CgroupLimits = {
    memoryBytes: host.Memory || null,
    memoryAndSwapBytes: host.MemorySwap <= 0 ? null : host.MemorySwap,
    cpus: cpusOf(host),
    processes: host.PidsLimit > 0 ? host.PidsLimit : null,
  };
  const openFiles = host.Ulimits.find((one) => /nofile/i.test(one.Name));
  const askedOutcome = limitsOutcome(asked, expected.limits);
  return [
    check(
      'engine-limits',
      'Memory, CPU, processes and files are limited',
      'read the limits back from the engine',
      judge(
        askedOutcome.outcome === 'held' && openFiles !== undefined && openFiles.Hard <= expected.limits.openFiles,
        `${askedOutcome.found}, open files ${openFiles?.Hard ?? 'unlimited'}`,
      ),
    ),
    check(
      'cgroup-limits',
      'The kernel holds these limits',
      folders === undefined ? 'look for its cgroup on the host' : `read ${folders.memory} and its fellows`,
      limits === undefined ? unknown('its cgroup cannot be read from here') : limitsOutcome(limits, expected.limits),
    ),
  ];
}

/** Everything that can be read back of a container that runs. */
export async function outsideChecks(info: InspectedContainer, expected: Expected): Promise<ProofCheck[]> {
  const pid = info.State.Pid;
  const [kernel, limits] = await Promise.all([kernelChecks(pid, expected.box.user.uid, FAR), limitChecks(pid, info, expected)]);
  return [...engineChecks(info, expected), ...kernel, ...limits];
}

/**
 * What no longer holds of a container that an earlier core started, in a sentence; undefined when all of it does. Somebody may
 * have changed it meanwhile (`docker update`, `docker network connect`). What was mounted cannot be changed while it runs.
 */
export async function doubtOf(info: InspectedContainer, limits: ResourceLimits): Promise<string | undefined> {
  const [uid = Number.NaN, gid = Number.NaN] = info.Config.User.split(':').map(Number);
  const checks = await outsideChecks(info, { box: { user: { uid, gid }, mounts: [] }, limits, kitVolume: '' });
  const broken = checks.find(({ id, outcome }) => id !== 'engine-mounts' && outcome === 'broken');
  return broken && `${broken.title}: ${broken.found} (${broken.tried}).`;
}
