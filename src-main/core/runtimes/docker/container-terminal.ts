/**
 * The terminal of one container: what tmux in it shows, views of it, and the picture that stands for it while it cannot be
 * asked: frozen by a pause, or gone.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from 'dockerode';
import type { KIT } from '#shared/box/places.ts';
import { BOX_TERMINAL } from '#shared/box/places.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { TerminalCapture, TerminalSize, TerminalStream } from '../runtime.ts';
import type { RuntimeLog } from '../stop-sequence.ts';
import { TmuxCommandError } from '../tmux/control-protocol.ts';
import type { EndedReport } from './container-log.ts';
import type { ContainerPicture } from './container-picture.ts';
import { captureOf } from './container-picture.ts';
import { ContainerTmux } from './container-tmux.ts';
import { ContainerView } from './container-view.ts';
import { engineFault } from './engine-faults.ts';

/** How much history a picture has, in lines. */
const PICTURE_LINES = 2000;
/** How long after the start of an agent its control connection is opened, in milliseconds, if nobody needs it sooner. */
const OPEN_SOON_MS = 2000;
const TARGET = `=${BOX_TERMINAL.session}:`;

/** The terminal of one container. */
export class ContainerTerminal implements Disposable {
  readonly #agentId: AgentId;
  readonly #container: Container;
  readonly #tmux: ContainerTmux;
  readonly #log: RuntimeLog;
  readonly #views = new Set<ContainerView>();
  #timer: NodeJS.Timeout | undefined;
  /** Stands for the terminal while there is one. */
  #picture: ContainerPicture | undefined;

  constructor(options: { agentId: AgentId; container: Container; arch: keyof typeof KIT.loader; log: RuntimeLog }) {
    this.#agentId = options.agentId;
    this.#container = options.container;
    this.#log = options.log;
    this.#tmux = new ContainerTmux({ container: options.container, arch: options.arch });
  }

  /** Words of the command by which a person's terminal becomes a client. */
  get attachWords(): string[] {
    return this.#tmux.command('attach-session', '-t', `=${BOX_TERMINAL.session}`);
  }

  /**
   * Opens the control connection soon, so that it is there when nothing more can be started in the container. Not at once: an
   * exec costs an engine as much as a quarter of a start, which others wait for when many are started.
   */
  openSoon(): void {
    this.#timer = setTimeout(() => {
      if (this.#picture !== undefined) return;
      this.#tmux.open().catch((error: unknown) => {
        this.#log('The terminal of an agent could not be reached; it is tried again when it is needed', {
          agentId: this.#agentId,
          error: messageOf(error),
        });
      });
    }, OPEN_SOON_MS);
    this.#timer.unref();
  }

  /** Detaches the clients that an earlier core left, which would go on taking room in the box. */
  async sweep(): Promise<void> {
    const own = new Set([...this.#views].map((view) => view.sessionName));
    const clients = await this.#tmux.run('list-clients', '-F', '#{client_session} #{client_name} #{client_control_mode}');
    const me = await this.#tmux.run('display-message', '-p', '#{client_name}');
    for (const line of clients) {
      const [session = '', name = '', control = '0'] = line.split(' ');
      const isStray = control === '1' ? name !== me[0] : session.startsWith(BOX_TERMINAL.viewPrefix) && !own.has(session);
      if (isStray) await this.#tmux.run('detach-client', '-t', name).catch(() => undefined);
    }
  }

  /** The picture of now; undefined when it cannot be had within `withinMs`. */
  async takePicture(withinMs: number): Promise<ContainerPicture | undefined> {
    const done = new AbortController();
    const late = sleep(withinMs, undefined, { signal: done.signal }).catch(() => undefined);
    const picture = await Promise.race([this.#takePicture().catch(() => undefined), late]);
    done.abort();
    return picture;
  }

  async #takePicture(): Promise<ContainerPicture> {
    const names = await this.#liveWindows();
    const captures = names.map(async (name) => {
      const historyLines = name === 'main' ? PICTURE_LINES : 0;
      return [name, await this.#liveCapture({ historyLines, ansi: true, window: name })] as const;
    });
    return new Map(await Promise.all(captures));
  }

  /** From now on the picture stands for the terminal; without one nothing can be read. */
  freeze(picture: ContainerPicture | undefined): void {
    this.#picture = picture ?? this.#picture ?? new Map();
  }

  /** The terminal can be asked again: views that were opened meanwhile become live, and those that were left are ended. */
  thaw(): void {
    if (this.#picture === undefined) return;
    this.#picture = undefined;
    for (const view of this.#views) view.connect().catch(() => view.fail());
    this.sweep().catch(() => undefined);
  }

  /** The agent has ended: what its box told of the last screen stands for it, else what was taken before. */
  end(report: EndedReport | undefined, before: ContainerPicture | undefined): void {
    const { lines, size, cursor } = report ?? { lines: [], size: { cols: 80, rows: 24 }, cursor: { x: 0, y: 0 } };
    const last: ContainerPicture | undefined = lines.length > 0 ? new Map([['main', { lines, size, cursor }]]) : undefined;
    this.#picture = last ?? before ?? this.#picture ?? new Map([['main', { lines, size, cursor }]]);
  }

  async attach(size: TerminalSize, window: string): Promise<TerminalStream> {
    const view = new ContainerView({
      container: this.#container,
      tmux: this.#tmux,
      windowId: () => this.#windowId(window),
      size,
      onDispose: (gone) => this.#views.delete(gone),
    });
    const picture = this.#picture;
    if (picture !== undefined) view.show(captureOf(picture, { historyLines: 0, ansi: true, window }));
    else {
      try {
        await view.connect();
      } catch (error) {
        view.dispose();
        throw engineFault(`The terminal of agent ${this.#agentId} cannot be shown`, error);
      }
    }
    this.#views.add(view);
    return view;
  }

  async capture(options: { historyLines: number; ansi: boolean; window?: string }): Promise<TerminalCapture> {
    if (this.#picture === undefined) return this.#liveCapture(options);
    if (this.#picture.size === 0)
      throw new AppError('UNAVAILABLE', `The terminal of agent ${this.#agentId} cannot be read while its container is paused`);
    return captureOf(this.#picture, options);
  }

  async windows(): Promise<readonly string[]> {
    return this.#picture === undefined ? this.#liveWindows() : [...this.#picture.keys()];
  }

  async #liveCapture(options: { historyLines: number; ansi: boolean; window?: string }): Promise<TerminalCapture> {
    const target = await this.#windowId(options.window ?? 'main');
    const start = options.historyLines > 0 ? `-${Math.trunc(options.historyLines)}` : '0';
    const [lines, facts] = await Promise.all([
      this.#ask('capture-pane', '-p', ...(options.ansi ? ['-e'] : []), '-t', target, '-S', start),
      this.#ask('display-message', '-p', '-t', target, '#{pane_width} #{pane_height} #{cursor_x} #{cursor_y}'),
    ]);
    const [cols, rows, x, y] = (facts[0] ?? '').split(' ').map(Number);
    return { lines, size: { cols: cols ?? 0, rows: rows ?? 0 }, cursor: { x: x ?? 0, y: y ?? 0 } };
  }

  #liveWindows(): Promise<string[]> {
    return this.#ask('list-windows', '-t', TARGET, '-F', '#{window_name}');
  }

  async #windowId(window: string): Promise<string> {
    const lines = await this.#ask('list-windows', '-t', TARGET, '-F', '#{window_id} #{window_name}');
    const line = lines.find((one) => one.slice(one.indexOf(' ') + 1) === window);
    if (line === undefined)
      throw new AppError('NOT_FOUND', `Agent ${this.#agentId} has no window "${window}"`, { data: { window } });
    return line.slice(0, line.indexOf(' '));
  }

  async #ask(...words: readonly string[]): Promise<string[]> {
    try {
      return await this.#tmux.run(...words);
    } catch (error) {
      if (!(error instanceof TmuxCommandError)) throw error;
      throw new AppError('UNAVAILABLE', `The terminal of agent ${this.#agentId} is gone: its tmux session was removed`, {
        retryable: false,
        cause: error,
      });
    }
  }

  /** Lets go of every client. */
  dispose(): void {
    clearTimeout(this.#timer);
    for (const view of [...this.#views]) view.dispose();
    this.#views.clear();
    this.#tmux.dispose();
  }
}
