/**
 * Texts of one line each, on a stream of bytes from somebody who is not trusted.
 * Invariant: at most `maxBytes` are kept; a line that is longer ends the reading, and nothing after it counts.
 */

/** Of the platform; Node and browsers both have it as a global. */
declare class TextDecoder {
  decode(bytes: Uint8Array): string;
}

const LINE_FEED = 10;

/** What a reader does with what it reads. */
export interface LineReaderOptions {
  /** The longest line that is taken, in bytes, without its end. */
  readonly maxBytes: number;
  readonly onLine: (line: string) => void;
  /** Called once, for the line that is the last. */
  readonly onTooLong: () => void;
}

/** Reads lines as they come. */
export class LineReader {
  readonly #options: LineReaderOptions;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #isOver = false;

  constructor(options: LineReaderOptions) {
    this.#options = options;
  }

  /** Takes bytes; calls `onLine` for each line that they complete. */
  push(chunk: Uint8Array): void {
    let rest = chunk;
    while (!this.#isOver) {
      const end = rest.indexOf(LINE_FEED);
      const part = end < 0 ? rest : rest.subarray(0, end);
      this.#bytes += part.byteLength;
      if (this.#bytes > this.#options.maxBytes) {
        this.stop();
        this.#options.onTooLong();
        return;
      }
      // A copy: what is lent here may be used again by whoever reads the stream.
      this.#parts.push(part.slice());
      if (end < 0) return;
      rest = rest.subarray(end + 1);
      this.#options.onLine(this.#take());
    }
  }

  /** Nothing that comes from now on counts. */
  stop(): void {
    this.#isOver = true;
    this.#parts = [];
  }

  #take(): string {
    const line = new Uint8Array(this.#bytes);
    let at = 0;
    for (const part of this.#parts) {
      line.set(part, at);
      at += part.byteLength;
    }
    this.#parts = [];
    this.#bytes = 0;
    return new TextDecoder().decode(line);
  }
}
