/** What of the file system can be written, and what of the machine can be seen. */
import { closeSync, constants, lstatSync, openSync, readdirSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { BOX } from '#shared/box/places.ts';
import type { BoxProbe } from '#shared/box/model.ts';
import { SOCKETS } from '#shared/gateway/places.ts';
import type { ProofCheck } from '#shared/boundary/model.ts';
import { codeOf } from '../error-code.ts';
import type { Finding } from './check.ts';
import { broken, held, tryCheck } from './check.ts';

/** Folders that nothing inside may write to, whatever the image. */
const SYSTEM = ['/', '/etc', '/usr', '/usr/bin', '/usr/local/bin', '/var', '/var/lib', '/root', '/home', '/opt', '/run', '/srv'];
const OWN = [BOX.kit, BOX.guests, BOX.sockets];
/** What changes the machine for all when it is written. Opened for writing only, never written. */
const KERNEL = [
  '/proc/sys/kernel/core_pattern',
  '/proc/sys/kernel/modprobe',
  '/proc/sys/vm/overcommit_memory',
  '/proc/sysrq-trigger',
  '/sys/kernel/uevent_helper',
  '/sys/fs/cgroup/cgroup.procs',
  '/sys/fs/cgroup/memory/memory.limit_in_bytes',
  '/sys/fs/cgroup/memory.max',
];
const ENGINE_SOCKETS = [
  '/var/run/docker.sock',
  '/run/docker.sock',
  '/run/containerd/containerd.sock',
  '/run/podman/podman.sock',
  '/run/crio/crio.sock',
];
/** The agent's own, and the one its health is asked at when it runs on the host. */
const OWN_SOCKETS: ReadonlySet<string> = new Set([...Object.values(SOCKETS), 'health.sock']);
/** Writable in every box, and gone with it; or the kernel's own, which is looked at apart. */
const EPHEMERAL = ['/tmp', '/dev', '/proc', '/sys'];
/** Device nodes that every program may have (the OCI runtime specification's default devices). */
const DEVICES = new Set(['null', 'zero', 'full', 'random', 'urandom', 'tty', 'console', 'ptmx']);

/** Everything about files; `folder` is where the box's own sockets are. */
export function checkFiles(probe: BoxProbe, folder: string): ProofCheck[] {
  return [
    tryCheck('write-outside', 'Write outside the workspace', 'make a file in each folder of the system', () =>
      worstOf([...SYSTEM, ...OWN, ...probe.readOnlyPaths].map((folder) => tryWrite(folder))),
    ),
    tryCheck('mounts', 'Find a writable mount that is not its own', 'read the flags of every mount in /proc/self/mountinfo', () =>
      lookAtMounts(probe.writablePaths),
    ),
    tryCheck('kernel-settings', 'Change settings of the kernel', `open ${KERNEL.join(', ')} for writing`, () =>
      worstOf(KERNEL.map((path) => refusesOpening(path, constants.O_WRONLY))),
    ),
    tryCheck('devices', 'Reach a device', 'list /dev', lookAtDevices),
    tryCheck('engine-socket', 'Reach the container engine', `look for ${ENGINE_SOCKETS.join(', ')}`, () =>
      worstOf(ENGINE_SOCKETS.map(isAbsent)),
    ),
    tryCheck('hidden-paths', "Read the operator's files, or another agent's", `open ${probe.hiddenPaths.length} places`, () =>
      worstOf(probe.hiddenPaths.map((path) => refusesOpening(path, constants.O_RDONLY))),
    ),
    tryCheck('own-sockets', "Reach another agent's sockets", `list ${folder}`, () => {
      const sockets = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isSocket());
      const foreign = sockets.filter(({ name }) => !OWN_SOCKETS.has(name));
      const names = (entries: typeof sockets): string => entries.map(({ name }) => name).join(', ');
      return foreign.length === 0 ? held(names(sockets)) : broken(`also ${names(foreign)}`);
    }),
  ];
}

/** The first that is broken, else the findings in few words. */
function worstOf(findings: readonly { path: string; finding: Finding }[]): Finding {
  const bad =
    findings.find(({ finding }) => finding.outcome === 'broken') ?? findings.find(({ finding }) => finding.outcome === 'unknown');
  if (bad !== undefined) return { ...bad.finding, found: `${bad.path}: ${bad.finding.found}` };
  const byFound = Map.groupBy(findings, ({ finding }) => finding.found);
  const found = [...byFound].map(([text, those]) => `${text}: ${those.map(({ path }) => path).join(' ')}`).join('; ');
  return held(found || 'nothing to try');
}

function tryWrite(folder: string): { path: string; finding: Finding } {
  const path = join(folder, `.quarterdeck-proof-${process.pid}`);
  try {
    // A file that is no folder is tried itself, without changing it.
    const isFolder = statSync(folder).isDirectory();
    if (!isFolder) return refusesOpening(folder, constants.O_WRONLY);
    closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600));
    unlinkSync(path);
    return { path: folder, finding: broken('a file was made') };
  } catch (error) {
    return { path: folder, finding: held(codeOf(error)) };
  }
}

function refusesOpening(path: string, flags: number): { path: string; finding: Finding } {
  try {
    closeSync(openSync(path, flags | constants.O_NONBLOCK | constants.O_NOCTTY));
    return { path, finding: broken('it was opened') };
  } catch (error) {
    const code = codeOf(error);
    // What is there and only cannot be opened like a file (a socket: ENXIO) can be reached all the same.
    return { path, finding: code === 'ENXIO' ? broken('a socket is there') : held(code) };
  }
}

function isAbsent(path: string): { path: string; finding: Finding } {
  const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  return { path, finding: isThere ? broken('it is there') : held('not there') };
}

/** Fields as proc(5) has them: the mount point is the fifth, its options the sixth; spaces are octal escapes. */
function lookAtMounts(writablePaths: readonly string[]): Finding {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  const mounts = lines.map((line) => {
    const fields = line.split(' ');
    const path = (fields[4] ?? '').replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    return { path, flags: (fields[5] ?? '').split(',') };
  });
  const isUnder = (path: string, folders: readonly string[]): boolean =>
    folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
  const foreign = mounts.filter(
    ({ path, flags }) => flags.includes('rw') && !isUnder(path, EPHEMERAL) && !writablePaths.includes(path),
  );
  if (foreign.length > 0) return broken(`writable: ${foreign.map(({ path }) => path).join(' ')}`);
  const loose = mounts.filter(({ path, flags }) => path === BOX.tmp && !(flags.includes('nosuid') && flags.includes('nodev')));
  if (loose.length > 0) return broken(`${BOX.tmp} allows set-user programs or devices`);
  const writable = mounts.filter(({ flags }) => flags.includes('rw')).map(({ path }) => path);
  return held(`${mounts.length} mounts; writable are ${writable.join(' ')}`);
}

function lookAtDevices(): Finding {
  const nodes = readdirSync('/dev', { withFileTypes: true });
  const foreign = nodes.filter((node) => node.isBlockDevice() || (node.isCharacterDevice() && !DEVICES.has(node.name)));
  const found = nodes.map(({ name }) => name).join(' ');
  return foreign.length === 0 ? held(found) : broken(foreign.map(({ name }) => `/dev/${name}`).join(' '));
}
