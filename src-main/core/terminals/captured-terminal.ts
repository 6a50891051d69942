/** A terminal as it was captured once: of a run that has ended, or of one that is only being attached to. */
import type { TerminalCapture, TerminalSize } from '#core/runtimes/runtime.ts';
import { AnsiLines, ansiOf } from './ansi-lines.ts';
import type { Snapshot } from './screen-mirror.ts';
import { RESET } from './screen-painter.ts';
import type { ViewSource } from './view-ports.ts';

/** Divides a capture into the lines above the screen and those on it. */
export function divide(capture: TerminalCapture): { history: readonly string[]; screen: readonly string[] } {
  const first = Math.max(0, capture.lines.length - capture.size.rows);
  return { history: capture.lines.slice(0, first), screen: capture.lines.slice(first) };
}

/** A source that shows a capture, made with colours, and never anything else. */
export class CapturedTerminal implements ViewSource {
  readonly size: TerminalSize;
  readonly #snapshot: Snapshot;
  readonly #history: readonly string[];

  constructor(capture: TerminalCapture) {
    this.size = capture.size;
    const { history, screen } = divide(capture);
    this.#history = history;
    const reader = new AnsiLines();
    // The first line of the screen goes on in the look of the last one above it.
    for (const line of history) reader.read(line);
    const runs = screen.map((line) => reader.read(line));
    const rows = runs.map((line, y) => `\x1b[${y + 1};1H${ansiOf(line)}`);
    this.#snapshot = {
      bytes: Buffer.from(`${RESET}${rows.join('')}\x1b[${capture.cursor.y + 1};${capture.cursor.x + 1}H`),
      size: capture.size,
      lines: runs.map((line) => line.map(({ text }) => text).join('')),
      cursorRow: capture.cursor.y,
    };
  }

  flush(): void {
    // Nothing is ever batched.
  }

  snapshot(): Promise<Snapshot> {
    return Promise.resolve(this.#snapshot);
  }

  linesAbove(): Promise<readonly string[]> {
    return Promise.resolve(this.#history);
  }
}
