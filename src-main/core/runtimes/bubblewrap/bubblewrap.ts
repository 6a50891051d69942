/**
 * Bubblewrap around an agent on this machine: the same box guest, the same proof, the host's own programs, read-only.
 * Invariant: what is returned starts the agent inside the box or not at all.
 */
import { execFile } from 'node:child_process';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { lstat, mkdir, readlink, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LimitMechanism } from '#shared/boundary/model.ts';
import { BOX, KIT } from '#shared/box/places.ts';
import { AppError } from '#shared/kernel/errors.ts';
import { uuidv7 } from '#shared/kernel/ids.ts';
import { parseSize } from '#shared/kernel/units.ts';
import { checkCommand, findProgram } from '../launch-check.ts';
import { childrenOf } from '../process-table.ts';
import type { BoxSpec, LaunchDesk, LaunchSpec } from '../runtime.ts';
import { bubblewrapChecks } from './bubblewrap-checks.ts';
import type { HostParts } from './bwrap-args.ts';
import { bwrapArgs, userModeOf } from './bwrap-args.ts';
import { seccompFilter } from './seccomp-filter.ts';

/** Descriptor that the filter is read from. */
const SECCOMP_FD = 9;
/** Descriptor that the box tells its end by. */
const EXIT_FD = 8;
/** Descriptor by which the wrapper reads it: the file has no name any more, so that nothing is left of it, however all this ends. */
const SAID_FD = 7;
/** How long a box may take until its first program is there, and how often it is looked for, in milliseconds. A busy machine is slow. */
const APPEAR_MS = 20_000;
const APPEAR_LOOK_MS = 5;
/** How long bubblewrap may take to say its version, in milliseconds. */
const PROBE_MS = 5000;

/**
 * Stands between the terminal and bubblewrap; its first arguments are the paths of the filter, of a file,
 * and of bubblewrap. Of its environment only the terminal's name goes in. Keys that send
 * signals are the agent's: bubblewrap would end of them. Bubblewrap tells a signal as a code of 128 and up, as shells do. So the
 * box writes into the file by which signal the agent ended, or `code`; a box that could not say it was ended by a signal itself.
 */
const WRAPPER = `
trap '' INT QUIT
filter=$1 result=$2 bwrap=$3
shift 3
exec ${EXIT_FD}>"$result" ${SAID_FD}<"$result"
rm -f "$result"
"$bwrap" --clearenv --setenv TERM "\${TERM:-xterm-256color}" "$@" ${SECCOMP_FD}<"$filter" ${SAID_FD}<&-
code=$? how=
read -r how <&${SAID_FD}
if [ -z "$how" ] && [ $code -gt 128 ]; then how=$((code - 128)); fi
case $how in
  '' | code) exit $code ;;
esac
trap - INT QUIT
ulimit -c 0
kill -"$how" $$
exit $code
`.trim();

/** A launch in bubblewrap: what is to be run on the terminal, and the desk it goes to. */
export interface BubblewrapLaunch {
  /** Absolute path of a program of this machine, and its arguments. No secret is among them. */
  readonly path: string;
  readonly args: readonly string[];
  /** Of this program, not of the agent. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /**
   * Judges the box and lets the agent go. `pid` is that of the process that was started, `mechanism` what holds its limits.
   * Fails with an AppError; the caller then ends the process.
   */
  admit(pid: number, mechanism: LimitMechanism): Promise<void>;
  /** Gives up. Harmless after `admit`. */
  dispose(): void;
}

/** How long after its end a box may still be heard, in milliseconds: its words are on their way when its end is seen first. */
export const BOX_LAST_WORDS_MS = 2_000;

/** Whether bubblewrap can be used here; why not, and what to do. */
export async function probeBubblewrap(): Promise<{ version: string; path: string } | { problem: string }> {
  const path = await findProgram('bwrap', process.env['PATH'] ?? '/usr/bin:/bin', '/');
  if (path === undefined) return { problem: 'bubblewrap was not found. Install it: apt-get install bubblewrap' };
  const version = await run(path, ['--version']);
  if (version === undefined) return { problem: `${path} does not run` };
  const args = ['--unshare-user', '--unshare-net', '--unshare-pid', '--ro-bind', '/', '/', '--', '/usr/bin/true'];
  if ((await run(path, args)) === undefined) {
    return { problem: 'this kernel lets nobody but root make user namespaces, which bubblewrap needs' };
  }
  return { version: version.replace(/^bubblewrap /, ''), path };
}

/** What a runtime gives for its boxes. */
export interface BubblewrapOptions {
  /** A folder of our own, 0700, for the filter. */
  readonly folder: string;
  /** Node 24 for the box guest; by default the one this runs on, which in Electron cannot run it. */
  readonly node?: string | undefined;
}

/** Prepares a launch whose box is bubblewrap. Fails with UNAVAILABLE that says what is missing. */
export async function openBubblewrap(spec: LaunchSpec, box: BoxSpec, options: BubblewrapOptions): Promise<BubblewrapLaunch> {
  const refuse = (problem: string): AppError =>
    new AppError('UNAVAILABLE', `Agent ${spec.agentId} cannot be started in bubblewrap: ${problem}`, {
      retryable: false,
      data: { cause: 'boundary', boundary: 'bubblewrap' },
    });
  checkCommand(spec);
  if (box.boundary !== 'bubblewrap') throw refuse(`it is to be in a ${box.boundary}`);
  const found = await probeBubblewrap();
  if ('problem' in found) throw refuse(found.problem);
  const host = await hostParts(spec, options.node ?? process.execPath);
  if ('problem' in host) throw refuse(host.problem);
  if (userModeOf(box, host.uid) === undefined) {
    throw refuse(`its files belong to uid ${box.user.uid}, and only root could become that user`);
  }
  for (const { source } of box.mounts) {
    if (statSync(source, { throwIfNoEntry: false }) === undefined) throw refuse(`there is no ${source}`);
  }
  const filterPath = join(options.folder, `seccomp-${host.arch}.bpf`);
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  // Put there whole: others, launched in the same moment, read it.
  const draft = `${filterPath}.${uuidv7()}`;
  await writeFile(draft, seccompFilter(host.arch), { mode: 0o600 });
  await rename(draft, filterPath);
  const resultPath = join(options.folder, `exit-${uuidv7()}`);
  const desk: LaunchDesk = await box.openDesk();
  let isGivenUp = false;
  return {
    path: '/bin/sh',
    args: ['-c', WRAPPER, 'quarterdeck-box', filterPath, resultPath, found.path, ...bwrapArgs(box, host)],
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    admit: async (pid, mechanism) => {
      const boxPid = await appearedBox(pid, () => isGivenUp);
      const { limits } = spec;
      const made = { pid: boxPid ?? 0, version: found.version, uid: box.user.uid, limits, mechanism };
      await desk.admit(await bubblewrapChecks(made), { makesTerminal: false });
    },
    dispose: () => {
      isGivenUp = true;
      desk.dispose();
    },
  };
}

/**
 * The box guest's process, from the process that stands before it (wrapper, bubblewrap twice, the box); that one itself where
 * there is none. It is the one to be asked to end: it passes signals on, and ends as the agent does.
 */
export function boxPidBehind(pid: number): number {
  return findBoxBehind(pid) ?? pid;
}

/** The box guest's process; undefined where there is none (yet). */
function findBoxBehind(pid: number): number | undefined {
  for (let at: number | undefined = pid, steps = 0; at !== undefined && steps < 6; steps += 1) {
    const command = commandLineOf(at);
    const isBox = Object.values(KIT.loader).some((loader) => command.startsWith(loader));
    if (isBox && command.includes(`${BOX.guests}/box.js`)) return at;
    [at] = childrenOf(at);
  }
  return undefined;
}

/** Waits for the box guest to be there; undefined when it does not come, or the launch is given up. */
async function appearedBox(pid: number, isOver: () => boolean): Promise<number | undefined> {
  const deadline = performance.now() + APPEAR_MS;
  for (;;) {
    const found = findBoxBehind(pid);
    if (found !== undefined || isOver() || performance.now() > deadline) return found;
    await sleep(APPEAR_LOOK_MS);
  }
}

/** What of this machine goes into the box. */
async function hostParts(spec: LaunchSpec, node: string): Promise<HostParts | { problem: string }> {
  const { arch } = process;
  if (process.platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64'))
    return { problem: `not on ${process.platform} ${arch}` };
  const loader = arch === 'x64' ? '/lib64/ld-linux-x86-64.so.2' : '/lib/ld-linux-aarch64.so.1';
  if (statSync(loader, { throwIfNoEntry: false }) === undefined) return { problem: `this machine has no ${loader} (glibc)` };
  const folders: string[] = ['/usr'];
  const links: { path: string; target: string }[] = [];
  for (const path of ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']) {
    const stat = await lstat(path).catch(() => undefined);
    if (stat?.isSymbolicLink()) links.push({ path, target: await readlink(path) });
    else if (stat?.isDirectory()) folders.push(path);
  }
  return {
    arch,
    node: realpathSync(node),
    loader: realpathSync(loader),
    folders,
    links,
    uid: process.getuid?.() ?? -1,
    tmpBytes: parseSize(spec.limits.tmp) ?? 256 << 20,
    seccompFd: SECCOMP_FD,
    exitFd: EXIT_FD,
  };
}

/** What it prints when it ends well; undefined otherwise. */
function run(path: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(path, [...args], { timeout: PROBE_MS }, (error, stdout) => resolve(error === null ? stdout.trim() : undefined));
  });
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // Gone.
  }
}
