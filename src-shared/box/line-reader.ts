/** JSON texts of one line each, on a byte stream. A line that is too long or no JSON ends the reading: nothing after it counts. */

/** Reads lines as they come. */
export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  readonly #onTooLong: () => void;
  #parts: Buffer[] = [];
  #bytes = 0;
  #isOver = false;

  /** `maxBytes` is the longest line that is taken, without its end; what is longer calls `onTooLong` once and is the last. */
  constructor(options: { maxBytes: number; onLine: (line: string) => void; onTooLong: () => void }) {
    this.#maxBytes = options.maxBytes;
    this.#onLine = options.onLine;
    this.#onTooLong = options.onTooLong;
  }

  /** Takes bytes; calls `onLine` for each line that they complete. */
  push(chunk: Buffer): void {
    let rest = chunk;
    while (!this.#isOver) {
      const end = rest.indexOf(10);
      const part = end < 0 ? rest : rest.subarray(0, end);
      this.#bytes += part.byteLength;
      if (this.#bytes > this.#maxBytes) {
        this.stop();
        this.#onTooLong();
        return;
      }
      this.#parts.push(part);
      if (end < 0) return;
      const line = Buffer.concat(this.#parts).toString('utf8');
      this.#parts = [];
      this.#bytes = 0;
      rest = rest.subarray(end + 1);
      this.#onLine(line);
    }
  }

  /** Nothing that comes from now on counts. */
  stop(): void {
    this.#isOver = true;
    this.#parts = [];
  }
}
