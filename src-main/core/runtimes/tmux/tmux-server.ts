/**
 * Our own tmux server: found, started with our own configuration, spoken to, listened to.
 *
 * The server lives on its own (it is nobody's child) and outlives the core. Besides the agents' sessions it has one named
 * `Quarterdeck`: control mode needs a session to be attached to, and through its pane, which runs `cat`, tmux's hooks can make
 * themselves heard (what a hook does causes no notification, but what a pane shows does). No agent's id has a capital letter.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import { findProgram } from '../launch-check.ts';
import type { RuntimeLog } from '../stop-sequence.ts';
import { ControlClient } from './control-client.ts';
import { quoteWord } from './tmux-quote.ts';

/** Session that the control client is attached to. */
const CONTROL_SESSION = 'Quarterdeck';
/** Longest path of a Unix socket in bytes: sun_path of unix(7) has 108, the last is NUL (macOS has 104). */
const MAX_SOCKET_PATH = process.platform === 'darwin' ? 103 : 107;
/** Oldest tmux that has all that is used: `new-session -e` and pane options. */
const OLDEST = [3, 2] as const;
/** How long a server may take to make its socket anew, in milliseconds. */
const RESTORE_MS = 2000;

/** The tmux on this machine. */
export interface TmuxFound {
  readonly path: string;
  readonly version: string;
  readonly isRecentEnough: boolean;
}

/** The command that installs something on this kind of machine. */
export function installCommand(name: string): string {
  return process.platform === 'darwin' ? `brew install ${name}` : `apt-get install ${name}`;
}

/** Whether a version such as `3.3a` or `next-3.6` is recent enough. */
export function isRecentEnough(version: string): boolean {
  const match = /(\d+)\.(\d+)/.exec(version);
  if (match === null) return false;
  const [major, minor] = [Number(match[1]), Number(match[2])];
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

function hasTerminfo(name: string): boolean {
  const letter = name.charAt(0);
  const folders = ['/etc/terminfo', '/lib/terminfo', '/usr/lib/terminfo', '/usr/share/terminfo', '/opt/homebrew/share/terminfo'];
  const letters = [letter, letter.charCodeAt(0).toString(16)]; // macOS names the folders by the letter's code.
  return folders.some((folder) => letters.some((sub) => existsSync(join(folder, sub, name))));
}

/** The configuration. `searchPath` is for the side windows; agents get their own environment. */
export function tmuxConfig(searchPath: string, terminal: string): string {
  return [
    '# Written by Quarterdeck at every start of its tmux server. Changes are lost.',
    'set-option -s exit-empty off',
    'set-option -s escape-time 0',
    'set-option -s set-clipboard off',
    `set-option -s default-terminal ${terminal}`,
    // A fixed place in the list, so that reading this file again does not lengthen it.
    'set-option -s "terminal-features[90]" "xterm*:RGB"',
    'set-option -g status off',
    'set-option -g mouse off',
    'set-option -g history-limit 10000',
    // No variable of whoever attaches gets into a session.
    'set-option -g update-environment ""',
    'set-option -g default-shell /bin/sh',
    'set-option -g base-index 0',
    'set-option -g set-titles off',
    'set-option -g renumber-windows off',
    'set-option -gq detach-on-destroy on',
    // A window is as large as the screen of whoever last looked at it: the app's view and a person's own terminal take turns.
    'set-option -wg window-size latest',
    'set-option -wg aggressive-resize on',
    'set-option -wg automatic-rename off',
    'set-option -wg allow-rename off',
    'set-option -wg monitor-activity off',
    'set-option -wgq allow-passthrough off',
    // The screen of an ended agent stays, without an added line; its exit code is kept with it.
    'set-option -wg remain-on-exit on',
    'set-option -wgq remain-on-exit-format ""',
    `set-environment -g PATH ${quoteWord(searchPath)}`,
    // Tells the control client that a pane has died: a line feed typed into its own pane comes back as %output.
    `set-hook -g pane-died ${quoteWord(`send-keys -t =${CONTROL_SESSION}:0 Enter`)}`,
    '',
  ].join('\n');
}

/** How the server is set up. */
export interface TmuxServerOptions {
  /** Folder for socket and configuration; made with mode 0700. */
  readonly socketDir: string;
  readonly log: RuntimeLog;
  /** By default looked up in the core's own PATH. */
  readonly tmuxPath?: string | undefined;
}

/** Our own tmux server. */
export class TmuxServer implements Disposable {
  readonly socketPath: string;
  readonly #options: TmuxServerOptions;
  readonly #paneDied = new Emitter<void>();
  readonly #disconnected = new Emitter<string>();
  #client: ControlClient | undefined;
  #connecting: Promise<ControlClient> | undefined;
  #found: TmuxFound | undefined;
  #pid = 0;
  #isDisposed = false;

  constructor(options: TmuxServerOptions) {
    this.#options = options;
    this.socketPath = join(options.socketDir, 'tmux.sock');
  }

  /** Process id of the server, 0 before the first connection. */
  get pid(): number {
    return this.#pid;
  }

  /** A pane has died, somewhere. It may be missed: see TmuxRuntime. */
  onPaneDied(listener: () => void): Disposable {
    return this.#paneDied.on(listener);
  }

  /** The control connection broke: the server is gone, or somebody detached the client. */
  onDisconnected(listener: (reason: string) => void): Disposable {
    return this.#disconnected.on(listener);
  }

  /** Looks for tmux; undefined if it is not installed. */
  async find(): Promise<TmuxFound | undefined> {
    if (this.#found !== undefined) return this.#found;
    const path = await findProgram(this.#options.tmuxPath ?? 'tmux', process.env['PATH'] ?? '/usr/bin:/bin', process.cwd());
    if (path === undefined) return undefined;
    const version = await readVersion(path);
    if (version === undefined) return undefined;
    this.#found = { path, version, isRecentEnough: isRecentEnough(version) };
    return this.#found;
  }

  /** Whether a server answers on the socket. One that lives and whose socket was removed gets it back first. */
  async isRunning(): Promise<boolean> {
    return (await this.#answers()) || (await this.#restoreSocket());
  }

  #answers(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(this.socketPath);
      const done = (isRunning: boolean): void => {
        socket.destroy();
        resolve(isRunning);
      };
      socket.once('connect', () => done(true));
      socket.once('error', () => done(false));
      // A server that is too busy to answer is no dead one.
      socket.setTimeout(2000, () => done(true));
    });
  }

  /**
   * Makes a server that lives make its socket anew: something that cleans /tmp may have removed it, and nobody could attach
   * to the agents any more. The open control connection shows that it lives; the signal is tmux's own (its manual, under -L).
   */
  async #restoreSocket(): Promise<boolean> {
    const client = this.#client;
    if (client?.isClosed !== false || this.#pid === 0 || this.#isDisposed || existsSync(this.socketPath)) return false;
    this.#options.log('The tmux socket was removed: it is made anew', { socket: this.socketPath });
    try {
      await mkdir(this.#options.socketDir, { recursive: true, mode: 0o700 });
      process.kill(this.#pid, 'SIGUSR1');
    } catch {
      return false; // It ended in this moment.
    }
    const deadline = performance.now() + RESTORE_MS;
    while (!client.isClosed && performance.now() < deadline) {
      if (await this.#answers()) return true;
      await sleep(10);
    }
    return false;
  }

  /** Runs one command; connects first, starting the server if need be. Repeated once if only the connection broke meanwhile. */
  async run(...words: readonly string[]): Promise<string[]> {
    const client = await this.#connection();
    try {
      return await client.run(words);
    } catch (error) {
      if (!client.isClosed || this.#isDisposed || !(await this.isRunning())) throw error;
      return (await this.#connection()).run(words);
    }
  }

  /** Runs several commands as one: the first that fails ends it. */
  async runAll(commands: readonly (readonly string[])[]): Promise<string[]> {
    return (await this.#connection()).runAll(commands);
  }

  /**
   * Makes the server collect its dead children. Up to version 3.4 tmux loses about one SIGCHLD in ten; it then shows a dead
   * pane without exit code, and no hook runs. Any later SIGCHLD makes good for it, if that one is not lost, too: repeat.
   */
  nudge(): void {
    try {
      if (this.#pid > 0) process.kill(this.#pid, 'SIGCHLD');
    } catch {
      // The server is gone, which the control connection reports.
    }
  }

  /** Arguments of a tmux client for this server, for attaching. */
  async clientCommand(): Promise<{ path: string; args: string[]; env: Record<string, string> }> {
    const found = await this.#require();
    return { path: found.path, args: ['-u', '-S', this.socketPath], env: { HOME: process.env['HOME'] ?? '/' } };
  }

  /** Closes the connection; the server and what runs in it stay. */
  dispose(): void {
    this.#isDisposed = true;
    this.#paneDied.dispose();
    this.#disconnected.dispose();
    this.#client?.dispose();
  }

  async #require(): Promise<TmuxFound> {
    const found = await this.find();
    if (found === undefined) {
      throw new AppError('UNAVAILABLE', `tmux was not found. Install it: ${installCommand('tmux')}`, { retryable: false });
    }
    if (!found.isRecentEnough) {
      throw new AppError(
        'UNAVAILABLE',
        `tmux ${found.version} is too old: ${OLDEST.join('.')} or newer is needed. Install it: ${installCommand('tmux')}`,
        {
          retryable: false,
        },
      );
    }
    return found;
  }

  #connection(): Promise<ControlClient> {
    if (this.#isDisposed) return Promise.reject(new AppError('UNAVAILABLE', 'The tmux runtime is closed'));
    if (this.#client?.isClosed === false) return Promise.resolve(this.#client);
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined;
    });
    return this.#connecting;
  }

  async #connect(): Promise<ControlClient> {
    const found = await this.#require();
    const bytes = Buffer.byteLength(this.socketPath);
    if (bytes > MAX_SOCKET_PATH) {
      throw new AppError(
        'UNAVAILABLE',
        `The path of the tmux socket has ${bytes} bytes, and at most ${MAX_SOCKET_PATH} are possible: ${this.socketPath}. Set XDG_RUNTIME_DIR to a shorter folder.`,
        { retryable: false },
      );
    }
    await mkdir(this.#options.socketDir, { recursive: true, mode: 0o700 });
    const configPath = join(this.#options.socketDir, 'tmux.conf');
    const terminal = hasTerminfo('tmux-256color') ? 'tmux-256color' : 'screen-256color';
    const temporary = `${configPath}.${process.pid}`;
    await writeFile(temporary, tmuxConfig(process.env['PATH'] ?? '/usr/bin:/bin', terminal), { mode: 0o600 });
    await rename(temporary, configPath);

    // A server that is just ending may take the first connection with it.
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#tryConnect(found, configPath);
      } catch (error) {
        if (attempt === 5 || this.#isDisposed) {
          throw new AppError('UNAVAILABLE', `The tmux server could not be started: ${messageOf(error)}`, { cause: error });
        }
        await sleep(50 * attempt);
      }
    }
  }

  async #tryConnect(found: TmuxFound, configPath: string): Promise<ControlClient> {
    // Closed while the configuration was written: a client made now would be nobody's, and keep the process from ending.
    if (this.#isDisposed) throw new Error('the tmux runtime was closed');
    let isReady = false;
    const session = [
      'new-session',
      '-A',
      '-E',
      '-s',
      CONTROL_SESSION,
      '-n',
      'control',
      '-x',
      '80',
      '-y',
      '24',
      '--',
      '/bin/sh',
      '-c',
      'exec cat',
    ];
    const client = new ControlClient({
      tmuxPath: found.path,
      args: ['-u', '-C', '-S', this.socketPath, '-f', configPath, ...session],
      env: { HOME: process.env['HOME'] ?? '/', TERM: 'dumb' },
      onNotification: (line) => {
        if (line.startsWith('%output ')) this.#paneDied.fire();
      },
      onClose: (reason) => {
        if (this.#client !== client) return;
        this.#client = undefined;
        if (isReady && !this.#isDisposed) this.#disconnected.fire(reason);
      },
    });
    this.#client = client;
    // A server started by an earlier version of the app gets today's settings, too.
    const answer = await client.runAll([
      ['source-file', configPath],
      ['display-message', '-p', '#{pid}'],
    ]);
    this.#pid = Number(answer.at(-1));
    isReady = true;
    return client;
  }
}

function readVersion(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(path, ['-V'], { timeout: 5000 }, (error, stdout) => {
      resolve(error === null ? stdout.trim().replace(/^tmux /, '') : undefined);
    });
  });
}
