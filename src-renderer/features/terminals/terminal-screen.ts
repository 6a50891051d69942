/** One xterm on the page, fed by one view of an agent's terminal. Owns both; `dispose` ends both. */
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import type { TerminalLink, TerminalSize, TerminalView, ViewReason } from '#renderer/connection/terminal-link.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { DisposableStack, toDisposable } from '#shared/kernel/disposable.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { onThemeChange, xtermTheme } from './xterm-theme.ts';

/** Lines above the screen that are fetched and kept. */
const HISTORY_LINES = 2_000;
/** A resize is passed on once the box has rested for so long, in milliseconds: each one redraws the agent's screen. */
const RESIZE_REST_MS = 120;
/** The limits of src-shared/terminals/frames.ts. */
const LEAST = { cols: 10, rows: 2 };
const MOST = { cols: 500, rows: 300 };

/** What the pane shows about its terminal. */
export interface ScreenStatus {
  readonly kind: 'opening' | 'live' | 'lost' | 'ended';
  readonly size?: TerminalSize;
  /** Why it ended, or why what was typed last was refused. */
  readonly reason?: ViewReason;
}

interface ScreenOptions {
  readonly box: HTMLElement;
  readonly link: TerminalLink;
  readonly agentId: AgentId;
  readonly onStatus: (status: ScreenStatus) => void;
  /** The key that takes and releases the keyboard was pressed in the terminal. */
  readonly onToggleTyping: () => void;
}

/** A terminal on the page. */
export class TerminalScreen implements Disposable {
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #owned = new DisposableStack();
  readonly #view: TerminalView;
  readonly #box: HTMLElement;
  readonly #onStatus: (status: ScreenStatus) => void;
  #status: ScreenStatus = { kind: 'opening' };
  #isTyping = false;

  constructor({ box, link, agentId, onStatus, onToggleTyping }: ScreenOptions) {
    this.#box = box;
    this.#onStatus = onStatus;
    const terminal = new Terminal({
      disableStdin: true,
      cursorInactiveStyle: 'none',
      scrollback: HISTORY_LINES,
      fontFamily: getComputedStyle(box).fontFamily,
      fontSize: 12.5,
      lineHeight: 1.1,
      fontWeight: 400,
      fontWeightBold: 700,
      letterSpacing: 0,
      minimumContrastRatio: 4.5,
      theme: xtermTheme(box),
    });
    this.#terminal = terminal;
    this.#owned.add(terminal);
    terminal.loadAddon(this.#fit);
    terminal.open(box);
    terminal.textarea?.setAttribute('aria-label', `Terminal of ${agentId}`);
    terminal.attachCustomKeyEventHandler((event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        if (event.type === 'keydown') onToggleTyping();
        event.preventDefault();
        return false;
      }
      if (this.#isTyping) return true;
      // While watching, keys belong to the page: Tab goes on, Ctrl C copies. Only the pages are the terminal's own.
      const pages = event.key === 'PageUp' ? -1 : event.key === 'PageDown' ? 1 : 0;
      if (pages !== 0) {
        if (event.type === 'keydown') terminal.scrollPages(pages);
        event.preventDefault();
      }
      return false;
    });
    this.#owned.add(toDisposable(onThemeChange(() => (terminal.options.theme = xtermTheme(box)))));

    this.#set({ kind: 'opening' });
    this.#view = link.open(
      { agentId, ...this.#fitting(), historyLines: HISTORY_LINES },
      {
        onOpened: (size) => {
          terminal.reset();
          this.#take(size);
        },
        onBytes: (bytes, drawn) => terminal.write(bytes, drawn),
        onControl: () => undefined,
        onResized: (size) => this.#take(size),
        onRefused: (reason) => this.#set({ ...this.#status, reason }),
        onEnd: (reason) => this.#set({ ...this.#status, kind: 'ended', reason }),
        onLost: () => this.#set({ kind: 'lost' }),
      },
    );
    this.#owned.add(toDisposable(() => this.#view.close()));
    this.#owned.add(terminal.onData((data) => this.#view.input(data)));
    this.#watchSize();
  }

  /** Whether keys go to the agent. */
  setTyping(isTyping: boolean): void {
    this.#isTyping = isTyping;
    this.#terminal.options.disableStdin = !isTyping;
    this.#terminal.options.cursorBlink = isTyping;
    if (isTyping) this.#terminal.focus();
  }

  /** Puts the keyboard into the terminal, to scroll and select. */
  focus(): void {
    this.#terminal.focus();
  }

  /** The text of the whole buffer, history included; for tests. */
  text(): string {
    const buffer = this.#terminal.buffer.active;
    return Array.from({ length: buffer.length }, (_, row) => buffer.getLine(row)?.translateToString(true) ?? '').join('\n');
  }

  dispose(): void {
    this.#owned.dispose();
  }

  /** The size that fills the box. */
  #fitting(): TerminalSize {
    const { cols, rows } = this.#fit.proposeDimensions() ?? { cols: 80, rows: 24 };
    const within = (value: number, least: number, most: number): number =>
      Math.min(most, Math.max(least, Number.isFinite(value) ? value : least));
    return { cols: within(cols, LEAST.cols, MOST.cols), rows: within(rows, LEAST.rows, MOST.rows) };
  }

  /** The terminal has this size. It may be another viewer's: all share one, and whoever types or resizes decides. */
  #take(size: TerminalSize): void {
    this.#terminal.resize(size.cols, size.rows);
    this.#set({ kind: 'live', size });
  }

  #set(status: ScreenStatus): void {
    this.#status = status;
    this.#onStatus(status);
  }

  #watchSize(): void {
    let rest: ReturnType<typeof setTimeout> | undefined;
    let last = this.#fitting();
    const observer = new ResizeObserver(() => {
      clearTimeout(rest);
      rest = setTimeout(() => {
        const size = this.#fitting();
        if (size.cols === last.cols && size.rows === last.rows) return;
        last = size;
        this.#view.resize(size);
      }, RESIZE_REST_MS);
    });
    observer.observe(this.#box);
    this.#owned.add(
      toDisposable(() => {
        clearTimeout(rest);
        observer.disconnect();
      }),
    );
  }
}
