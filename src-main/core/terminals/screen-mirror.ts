/**
 * What an agent's terminal shows, kept by a terminal without a display that reads the same output as the viewers.
 * Invariant: a snapshot shows exactly what was written before it was asked for, nothing later.
 */
import xterm from '@xterm/headless';
import type { Terminal } from '@xterm/headless';
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { TerminalSize } from '#core/runtimes/runtime.ts';
import { paintScreen } from './screen-painter.ts';
import type { TerminalCore } from './terminal-core.ts';
import { coreOf } from './terminal-core.ts';

/** A program's title is kept up to this many characters. */
const MAX_TITLE_CHARS = 256;
/**
 * Output that waits to be read, in bytes. It stays at some hundred kilobytes, because what a terminal delivers in one turn of
 * the event loop is read in the next (30 MB/s); xterm.js throws at 50 MB. Beyond this the mirror misses output and the
 * screen is wrong until the program draws again, which beats a crash.
 */
const MAX_BACKLOG_BYTES = 32 * 1024 * 1024;

/** A screen at one moment. */
export interface Snapshot {
  /** Terminal output that draws it. */
  readonly bytes: Uint8Array;
  readonly size: TerminalSize;
  /** Its text, without blanks at the ends of lines. */
  readonly lines: readonly string[];
  /** The row of the cursor, from 0. */
  readonly cursorRow: number;
}

/** A terminal without display or scrollback. */
export class ScreenMirror implements Disposable {
  readonly #terminal: Terminal;
  readonly #core: TerminalCore;
  #backlog = 0;
  #title = '';
  #isDisposed = false;

  constructor(size: TerminalSize) {
    this.#terminal = new xterm.Terminal({ cols: size.cols, rows: size.rows, scrollback: 0, allowProposedApi: true });
    this.#core = coreOf(this.#terminal);
    this.#terminal.onTitleChange((title) => {
      this.#title = title.replaceAll(/\p{Cc}/gu, '').slice(0, MAX_TITLE_CHARS);
    });
  }

  /** Output that has not been read yet, in bytes. */
  get backlog(): number {
    return this.#backlog;
  }

  /** Reads output, soon. */
  write(bytes: Uint8Array): void {
    if (this.#isDisposed || this.#backlog > MAX_BACKLOG_BYTES) return;
    this.#backlog += bytes.length;
    this.#terminal.write(bytes, () => {
      this.#backlog -= bytes.length;
    });
  }

  /** Takes another size once what was written before has been read. */
  resize(size: TerminalSize): void {
    this.#then(() => this.#terminal.resize(size.cols, size.rows));
  }

  /** The screen as of now: after all that was written before the call. Never settles once disposed. */
  snapshot(): Promise<Snapshot> {
    return new Promise((resolve) => {
      this.#then(() => {
        const title = this.#title === '' ? '' : `\x1b]2;${this.#title}\x07`;
        resolve({
          bytes: Buffer.from(paintScreen(this.#terminal, this.#core) + title),
          size: { cols: this.#terminal.cols, rows: this.#terminal.rows },
          lines: this.#text(),
          cursorRow: this.#terminal.buffer.active.cursorY,
        });
      });
    });
  }

  /** The screen as lines of text without blanks at their ends, as of now. */
  lines(): Promise<string[]> {
    return new Promise((resolve) => {
      this.#then(() => resolve(this.#text()));
    });
  }

  #text(): string[] {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.#terminal.rows }, (_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? '');
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#terminal.dispose();
  }

  /** xterm.js calls back between two chunks, when it has read all before it and nothing after. */
  #then(act: () => void): void {
    if (this.#isDisposed) return;
    this.#terminal.write('', () => {
      if (!this.#isDisposed) act();
    });
  }
}
