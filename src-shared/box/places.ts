/**
 * Where things are inside a box, and how its programs are started. Apart from the protocol's schemas: the box guest lives beside
 * each agent, and a library of schemas would cost it as much memory as all the rest.
 */

/** Where things are inside a box. */
export const BOX = {
  workspace: '/workspace',
  home: '/home/agent',
  /** The agent's sockets, read-only. */
  sockets: '/run/quarterdeck',
  /** Node, tmux and their libraries, read-only; works in any image of the same architecture. */
  kit: '/opt/qd',
  /** The guests of this version, read-only. */
  guests: '/opt/qd/guests',
  tmp: '/tmp',
} as const;

/** How the kit's programs are started in any image: by their own loader, with their own terminal descriptions and locale. */
export const KIT = {
  lib: '/opt/qd/lib',
  bin: '/opt/qd/bin',
  /** By the architecture as Node names it (`process.arch`). */
  loader: { x64: '/opt/qd/lib/ld-linux-x86-64.so.2', arm64: '/opt/qd/lib/ld-linux-aarch64.so.1' },
  /** Of tmux, server and clients alike. */
  env: { TERMINFO: '/opt/qd/share/terminfo', LOCPATH: '/opt/qd/lib/locale', LC_ALL: 'C.UTF-8', HOME: '/' },
} as const;

/** The command of a program of the kit, `node` or `tmux`. */
export function kitCommand(arch: keyof typeof KIT.loader, program: string, args: readonly string[]): string[] {
  return [KIT.loader[arch], '--library-path', KIT.lib, `${KIT.bin}/${program}`, ...args];
}

/**
 * Node's own arguments for the box, and what it starts. It lives beside each agent, so it gets little: about 10 MB of its own
 * (the rest of its 45 MB is the program itself, which all share). OpenSSL's configuration would be the image's, which has no say in the box; not looking
 * for it saves a tenth of the start besides.
 */
export const BOX_NODE_OPTIONS = [
  '--max-old-space-size=64',
  '--max-semi-space-size=1',
  '--v8-pool-size=0',
  '--openssl-config=/dev/null',
] as const;

/** The first program of a container: the box of this version, by the kit's Node. */
export function boxCommand(arch: keyof typeof KIT.loader): string[] {
  return kitCommand(arch, 'node', [...BOX_NODE_OPTIONS, `${BOX.guests}/box.js`]);
}

/**
 * The terminal in a container: a tmux server that the box starts (`new-session -d -s agent -n main`, side windows after it),
 * with the configuration of our own server on the host; the core comes to it by `exec` with `tmux -S <socket>`. The box
 * makes the folder, mode 0700, and takes TMUX and TMUX_PANE out of the agent's environment.
 */
export const BOX_TERMINAL = {
  folder: '/tmp/.quarterdeck',
  socket: '/tmp/.quarterdeck/tmux.sock',
  session: 'agent',
  window: 'main',
  /** Begins the names of the sessions that views of the core have; they share the windows of `agent`. */
  viewPrefix: 'View-',
} as const;

/**
 * Where the sockets are that a line makes inside, for an engine through which those of the host cannot be reached: the same
 * names as in `BOX.sockets`, in the box's own memory. The box is started with `--sockets <folder>` then, and waits for them.
 */
export const BOX_LINE = {
  folder: '/tmp/.quarterdeck-line',
  /** How long the box waits for its sockets, in milliseconds: a busy engine takes long for an `exec`. */
  deadlineMs: 25_000,
} as const;

/** The end of a line inside, which an `exec` starts beside the box. */
export function lineCommand(arch: keyof typeof KIT.loader): string[] {
  return [...boxCommand(arch), '--line', BOX_LINE.folder];
}
