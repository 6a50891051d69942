/**
 * The arguments of bubblewrap for a box. Pure: what is not named here is not in it.
 * The host's programs are there, read-only; of its files only what programs need to run: nothing of /home, /root, /run, /var.
 */
import { BOX, BOX_NODE_OPTIONS, KIT, kitCommand } from '#shared/box/places.ts';
import type { BoxSpec } from '../runtime.ts';

/** What of this machine goes into a box. */
export interface HostParts {
  readonly arch: 'x64' | 'arm64';
  /** Node 24, and the loader that starts programs of this machine; absolute, no links. */
  readonly node: string;
  readonly loader: string;
  /** Top folders that are links (`/bin` to `usr/bin`), and those that are folders of their own. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
  readonly folders: readonly string[];
  /** The user that the core runs as. */
  readonly uid: number;
  /** Of `--size` for /tmp, in bytes. */
  readonly tmpBytes: number;
  /** Descriptor from which bubblewrap reads the filter of system calls. */
  readonly seccompFd: number;
  /** Descriptor into which the box writes by which signal the agent ended, or `code`. */
  readonly exitFd: number;
}

/** What programs look up in /etc to run at all: libraries, names, certificates, time. Passwords are not among it. */
const ETC = [
  'alternatives',
  'bash.bashrc',
  'ca-certificates',
  'ca-certificates.conf',
  'group',
  'inputrc',
  'java',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'magic',
  'mime.types',
  'nsswitch.conf',
  'os-release',
  'passwd',
  'pki',
  'profile',
  'profile.d',
  'protocols',
  'python3',
  'services',
  'shells',
  'ssl',
  'terminfo',
  'timezone',
];

/** Settings of the kernel that belong to root's uid, which a box of root's own files has: without capabilities, but with its rights on files. */
const KERNEL = ['/proc/sys', '/proc/sysrq-trigger', '/proc/irq', '/proc/bus', '/proc/fs', '/proc/acpi'];

/** Where programs are, in every box on this machine. */
const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** How a box comes to run as its user. */
export type UserMode = 'same' | 'lowered';

/**
 * `same`: the core's own user, in a user namespace. `lowered`: a core that is root starts the box as another user, whose files
 * would be nobody's in a namespace of root's; so root makes the box, and lowers itself in it before anything else.
 * Undefined where neither is possible.
 */
export function userModeOf(box: Pick<BoxSpec, 'user'>, uid: number): UserMode | undefined {
  if (box.user.uid === uid) return 'same';
  return uid === 0 ? 'lowered' : undefined;
}

/** The arguments after `bwrap`, the box's first program among them. */
export function bwrapArgs(box: Pick<BoxSpec, 'user' | 'mounts'>, host: HostParts): string[] {
  const { uid, gid } = box.user;
  const isLowered = userModeOf(box, host.uid) === 'lowered';
  const mounts = box.mounts.flatMap(({ source, target, isWritable }) => [isWritable ? '--bind' : '--ro-bind', source, target]);
  return [
    // One by one: `--unshare-all` makes the user namespace only where it can, and this one must be or must not be.
    ...['--unshare-ipc', '--unshare-pid', '--unshare-net', '--unshare-uts', '--unshare-cgroup-try'],
    ...(isLowered ? [] : ['--unshare-user', '--uid', String(uid), '--gid', String(gid)]),
    ...['--cap-drop', 'ALL'],
    ...(isLowered ? ['CAP_SETUID', 'CAP_SETGID', 'CAP_SETPCAP'].flatMap((name) => ['--cap-add', name]) : []),
    ...['--die-with-parent', '--hostname', 'quarterdeck', '--setenv', 'PATH', SEARCH_PATH],
    ...['--seccomp', String(host.seccompFd)],
    ...host.folders.flatMap((path) => ['--ro-bind', path, path]),
    ...host.links.flatMap(({ path, target }) => ['--symlink', target, path]),
    ...['--perms', '0755', '--dir', '/etc'],
    ...ETC.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...KERNEL.flatMap((path) => ['--ro-bind-try', path, path]),
    ...['--perms', '1777', '--size', String(host.tmpBytes), '--tmpfs', BOX.tmp],
    ...parentsOf([`${KIT.bin}/node`, KIT.loader[host.arch], ...box.mounts.map(({ target }) => target)]).flatMap((path) => [
      ...['--perms', '0755', '--dir', path],
    ]),
    ...['--ro-bind', host.node, `${KIT.bin}/node`, '--ro-bind', host.loader, KIT.loader[host.arch]],
    ...mounts,
    // What bubblewrap made for the mounts to lie on is in memory, and writable until here.
    ...['--remount-ro', '/', '--chdir', '/', '--'],
    ...(isLowered ? lower(uid, gid) : []),
    ...kitCommand(host.arch, 'node', [...BOX_NODE_OPTIONS, `${BOX.guests}/box.js`, '--exit-fd', String(host.exitFd)]),
  ];
}

/** The folders above these places, outermost first: bubblewrap would make them for its own user alone. */
function parentsOf(paths: readonly string[]): string[] {
  const parents = paths.flatMap((path) => {
    const names = path.split('/').slice(1, -1);
    return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
  });
  // What a mount covers is made by what is mounted there.
  const covered = new Set(paths);
  return [...new Set(parents)].filter((path) => ![...covered].some((one) => path === one || path.startsWith(`${one}/`)));
}

/** Becomes the user, for good. setpriv is part of util-linux, which every Debian has. */
function lower(uid: number, gid: number): string[] {
  const user = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
  return ['/usr/bin/setpriv', ...user, '--bounding-set', '-all', '--inh-caps', '-all', '--ambient-caps', '-all', '--'];
}
