/**
 * The operator's own terminal while it shows an agent's.
 * Invariant: once raw mode is on, every way out of the process puts the terminal back: `restore` also runs at the process's
 * exit, whatever caused it (a signal, an uncaught error).
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { CliIo } from '../io.ts';

const CSI = '\u001b[';

/**
 * What an agent's program may have left behind: a started sequence, the alternate screen, a scroll region, mouse reports,
 * bracketed paste, application keys, colours, a hidden cursor, line drawing. Ends at the first free line of the screen.
 */
function cleanUp(rows: number): string {
  return `\u0018${CSI}?1049l${CSI}!p${CSI}?6;9;1000;1002;1003;1004;1005;1006;1015;1016;2004;2026l${CSI}?7;25h${CSI}4l${CSI}?1;45;66l${CSI}r\u001b(B\u000f${CSI}0m${CSI}0 q${CSI}${rows};1H\r\n`;
}

/** A size that the core takes (see `OpenPayload`), whatever the window reports. */
function clamp(value: number | undefined, min: number, max: number, fallback: number): number {
  return value === undefined || value === 0 ? fallback : Math.min(max, Math.max(min, value));
}

/** The terminal of the process. */
export class RawTerminal implements Disposable {
  readonly #io: CliIo;
  readonly #onInput: (bytes: Uint8Array) => void;
  readonly #onResize: () => void;
  readonly #restore = (): void => this.#putBack();
  readonly #data = (chunk: Buffer): void => this.#onInput(chunk);
  #isRaw = false;

  /** `onInput` receives what is typed, `onResize` is told of another window size. Nothing happens before `enter`. */
  constructor(io: CliIo, onInput: (bytes: Uint8Array) => void, onResize: () => void) {
    this.#io = io;
    this.#onInput = onInput;
    this.#onResize = onResize;
  }

  /** Columns and rows of the window, within what the core takes. */
  get size(): { cols: number; rows: number } {
    return { cols: clamp(this.#io.stdout.columns, 10, 500, 80), rows: clamp(this.#io.stdout.rows, 2, 300, 24) };
  }

  /** Raw mode on; what the screen shows moves up into the scrollback. */
  enter(): void {
    if (this.#isRaw) return;
    this.#isRaw = true;
    process.once('exit', this.#restore);
    this.#io.stdin.setRawMode?.(true);
    this.#io.stdin.on('data', this.#data);
    this.#io.stdin.resume();
    this.#io.stdout.on('resize', this.#onResize);
    this.#io.stdout.write('\r\n'.repeat(this.size.rows));
  }

  /** Draws; `drawn` is called when the terminal has taken it. */
  write(bytes: Uint8Array | string, drawn?: () => void): void {
    this.#io.stdout.write(bytes, () => drawn?.());
  }

  /** Puts the terminal back as it was. */
  dispose(): void {
    process.off('exit', this.#restore);
    this.#putBack();
  }

  #putBack(): void {
    if (!this.#isRaw) return;
    this.#isRaw = false;
    this.#io.stdout.off('resize', this.#onResize);
    this.#io.stdin.off('data', this.#data);
    this.#io.stdout.write(cleanUp(this.size.rows));
    this.#io.stdin.setRawMode?.(false);
    this.#io.stdin.pause();
  }
}
