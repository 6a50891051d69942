/** The terminal in a container: a tmux server of the box's own, and the shim as its pane's process. */
import { execFile } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, writeSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BOX, BOX_TERMINAL, KIT, kitCommand } from '#shared/box/places.ts';
import type { BoxReport, BoxStart } from '#shared/box/model.ts';
import { LineReader } from '#shared/box/line-reader.ts';
import { readLine } from './read-line.ts';
import type { ShimReport } from './shim.ts';
import { exitOf, MAX_SHIM_LINE, shimCommand, shimOrder } from './shim.ts';
import type { TerminalEnd } from './run-in-terminal.ts';

/** Between two looks whether tmux has read everything, and how long it may take, in milliseconds. */
const DRAIN_LOOK_MS = 10;
const DRAIN_DEADLINE_MS = 5000;
/** How long a shim may take from its pane to its box, in milliseconds. */
const SHIM_DEADLINE_MS = 10_000;

/** The last screen. */
type Screen = Pick<Extract<BoxReport, { type: 'ended' }>, 'lines' | 'size' | 'cursor'>;

/** The terminal of a container's agent. */
export class BoxTmux {
  readonly #start: BoxStart;
  readonly #folder: string;

  /** `folder` is made here. */
  constructor(options: { start: BoxStart; folder?: string }) {
    this.#start = options.start;
    this.#folder = options.folder ?? BOX_TERMINAL.folder;
  }

  /**
   * Makes the terminal and starts what is to run in it. `started` settles with the pid of the first program (the set-up
   * script's, when there is one), `ended` with the end; it has no exit when the shim was killed, so that nobody knows it.
   */
  async open(): Promise<{ started: Promise<number>; ended: Promise<TerminalEnd>; shimPid: number }> {
    await mkdir(this.#folder, { mode: 0o700 });
    await chmod(this.#folder, 0o700);
    await writeFile(this.#configPath, config(), { mode: 0o600 });
    const { started, ended } = await this.#awaitShim();
    const { cols, rows } = this.#start.size;
    // Its own client says who the shim is: asking later would take another one, and the time of its start.
    const shimPid = await this.#tmux([
      ...[
        '-f',
        this.#configPath,
        'new-session',
        '-d',
        '-P',
        '-F',
        '#{pane_pid}',
        '-E',
        '-s',
        BOX_TERMINAL.session,
        '-n',
        BOX_TERMINAL.window,
      ],
      ...['-x', String(cols), '-y', String(rows), '-c', '/', '--'],
      ...shimCommand(this.#socketPath).map(escapeSemicolon),
    ]);
    return { started, ended, shimPid: Number(shimPid) };
  }

  /** The last screen with `keptLines` of history, after tmux has read all that was written. Undefined where tmux is gone. */
  async lastScreen(): Promise<Screen | undefined> {
    try {
      await this.#drain();
      const facts = await this.#format('#{window_width} #{window_height} #{cursor_x} #{cursor_y}');
      const [cols = 0, rows = 0, x = 0, y = 0] = facts.split(' ').map(Number);
      const text = await this.#tmux(['capture-pane', '-p', '-e', '-t', TARGET, '-S', String(-this.#start.keptLines)]);
      return { lines: text.replace(/\n$/, '').split('\n'), size: { cols, rows }, cursor: { x, y } };
    } catch {
      return undefined;
    }
  }

  /** Opens the windows beside the agent's, which know its pid. A window that cannot be opened is none of the agent's business. */
  async #openSideWindows(agentPid: number): Promise<void> {
    for (const [index, { name, argv }] of this.#start.sideWindows.entries()) {
      // tmux gives a single word to a shell; `exec` makes it a program again.
      const command = argv.length === 1 ? ['/bin/sh', '-c', 'exec "$0"', ...argv] : argv;
      const target = `=${BOX_TERMINAL.session}:${index + 1}`;
      const env = { PATH: this.#start.env['PATH'] ?? DEFAULT_PATH, HOME: BOX.home, QUARTERDECK_MAIN_PID: String(agentPid) };
      const words = Object.entries(env).flatMap(([key, value]) => ['-e', `${key}=${value}`]);
      const args = ['new-window', '-d', '-t', target, '-n', name, '-c', '/', ...words, '--', ...command];
      await this.#tmux(args.map(escapeSemicolon)).catch(() => undefined);
    }
  }

  get #configPath(): string {
    return `${this.#folder}/tmux.conf`;
  }

  get #socketPath(): string {
    return `${this.#folder}/shim.sock`;
  }

  /** Waits for the one shim, gives it what it is to run, and listens to it. */
  async #awaitShim(): Promise<{ started: Promise<number>; ended: Promise<TerminalEnd> }> {
    const order = shimOrder({ ...this.#start, env: { ...this.#start.env, TERM: terminalType() } });
    let started: (pid: number) => void = () => undefined;
    let failed: (error: Error) => void = () => undefined;
    let ended: (end: TerminalEnd) => void = () => undefined;
    const result = {
      started: new Promise<number>((resolve, reject) => {
        started = resolve;
        failed = reject;
      }),
      ended: new Promise<TerminalEnd>((resolve) => {
        ended = resolve;
      }),
    };
    const timer = setTimeout(() => failed(new Error('the terminal did not come up')), SHIM_DEADLINE_MS);
    const server = createServer((shim) => {
      // One shim only: whatever connects later is not it. Closing removes the socket, too.
      server.close();
      clearTimeout(timer);
      const reader = new LineReader({
        maxBytes: MAX_SHIM_LINE,
        onLine: (text) => {
          const report = readLine<ShimReport>(text, 'running', 'ended');
          if (report.type === 'ended') ended({ exit: exitOf(report.status), isSetup: report.isSetup });
          else {
            started(report.pid);
            if (report.what === 'agent') this.#openSideWindows(report.pid).catch(() => undefined);
          }
        },
        onTooLong: () => shim.destroy(),
      });
      shim.on('data', (chunk) => reader.push(chunk));
      shim.on('error', () => undefined);
      shim.on('close', () => {
        failed(new Error('the terminal was ended before anything ran in it'));
        ended({ exit: {}, isSetup: false });
      });
      shim.write(order);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#socketPath, () => resolve());
    });
    return result;
  }

  /**
   * Waits until tmux has read what the agent wrote. A title is written to the terminal after it; when tmux knows it as the
   * pane's, everything before has been read. The string terminator ends whatever the agent left unfinished.
   */
  async #drain(): Promise<void> {
    const mark = `qd-${randomBytes(8).toString('hex')}`;
    const tty = openSync(await this.#format('#{pane_tty}'), constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK);
    try {
      let isWritten = false;
      const deadline = performance.now() + DRAIN_DEADLINE_MS;
      while (performance.now() < deadline) {
        // A terminal that was stopped (Ctrl-S) takes nothing: then what tmux has is all there is.
        isWritten ||= tryWrite(tty, `\u001b\\\u001b]2;${mark}\u001b\\`);
        if (isWritten && (await this.#format('#{pane_title}')) === mark) return;
        await sleep(DRAIN_LOOK_MS);
      }
    } finally {
      closeSync(tty);
    }
  }

  async #format(format: string): Promise<string> {
    return (await this.#tmux(['display-message', '-p', '-t', TARGET, format])).trim();
  }

  #tmux(args: readonly string[]): Promise<string> {
    const [file = '', ...words] = tmuxCommand(['-u', '-S', `${this.#folder}/tmux.sock`, ...args]);
    const env = { ...KIT.env, PATH: this.#start.env['PATH'] ?? DEFAULT_PATH, TERM: 'dumb' };
    return new Promise((resolve, reject) => {
      execFile(file, words, { env, cwd: '/', timeout: 10_000, maxBuffer: 64 << 20 }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(stderr.trim() || error.message));
      });
    });
  }
}

const TARGET = `=${BOX_TERMINAL.session}:${BOX_TERMINAL.window}`;
const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

/** The command of tmux: the kit's, else the machine's own. */
function tmuxCommand(args: readonly string[]): string[] {
  const { arch } = process;
  if ((arch === 'x64' || arch === 'arm64') && existsSync(`${KIT.bin}/tmux`)) return kitCommand(arch, 'tmux', args);
  return ['tmux', ...args];
}

/** A `;` at the end of an argument would separate two commands. */
function escapeSemicolon(word: string): string {
  return word.endsWith(';') ? `${word.slice(0, -1)}\\;` : word;
}

function tryWrite(fd: number, text: string): boolean {
  try {
    writeSync(fd, text);
    return true;
  } catch {
    return false;
  }
}

/** What programs inside are told that the terminal is: tmux's own description where the image has it. */
function terminalType(): string {
  const folders = ['/etc/terminfo', '/lib/terminfo', '/usr/lib/terminfo', '/usr/share/terminfo'];
  for (const name of ['tmux-256color', 'screen-256color']) {
    if (folders.some((folder) => existsSync(`${folder}/${name.charAt(0)}/${name}`))) return name;
  }
  return 'xterm-256color';
}

/** The configuration: that of our own server on the host, without what listens there. */
function config(): string {
  return [
    'set-option -s exit-empty off',
    'set-option -s escape-time 0',
    'set-option -s set-clipboard off',
    `set-option -s default-terminal ${terminalType()}`,
    'set-option -s "terminal-features[90]" "xterm*:RGB"',
    'set-option -g status off',
    'set-option -g mouse off',
    'set-option -g history-limit 10000',
    'set-option -g update-environment ""',
    'set-option -g default-shell /bin/sh',
    'set-option -g base-index 0',
    'set-option -g set-titles off',
    'set-option -g renumber-windows off',
    'set-option -gq detach-on-destroy on',
    'set-option -wg window-size latest',
    'set-option -wg aggressive-resize on',
    'set-option -wg automatic-rename off',
    'set-option -wg allow-rename off',
    'set-option -wg monitor-activity off',
    'set-option -wgq allow-passthrough off',
    'set-option -wg remain-on-exit on',
    'set-option -wgq remain-on-exit-format ""',
    // What the kit's own programs need is of no use to the image's.
    ...Object.keys(KIT.env).map((name) => `set-environment -gr ${name}`),
    '',
  ].join('\n');
}
