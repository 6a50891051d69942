/** The end of a stream of bytes, within a limit. */

/** Keeps the last bytes of what is added. */
export class OutputTail {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #kept = 0;
  #total = 0;

  /** `maxBytes` is the most that is kept. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  add(chunk: Buffer): void {
    this.#total += chunk.length;
    this.#kept += chunk.length;
    this.#chunks.push(chunk);
    // Whole chunks go as soon as the rest is enough, so that memory stays near the limit.
    for (
      let first = this.#chunks[0];
      first !== undefined && this.#kept - first.length >= this.#maxBytes;
      first = this.#chunks[0]
    ) {
      this.#chunks.shift();
      this.#kept -= first.length;
    }
  }

  /** All bytes that were added, in number. */
  get totalBytes(): number {
    return this.#total;
  }

  /** Whether something at the beginning is missing. */
  get isTruncated(): boolean {
    return this.#total > this.#maxBytes;
  }

  /** The end as text; a UTF-8 character that the limit cut in two is left out. */
  text(): string {
    const all = Buffer.concat(this.#chunks);
    let bytes = all.subarray(Math.max(0, all.length - this.#maxBytes));
    if (this.isTruncated) {
      let start = 0;
      while (start < 3 && start < bytes.length && ((bytes[start] ?? 0) & 0xc0) === 0x80) start += 1;
      bytes = bytes.subarray(start);
    }
    return bytes.toString('utf8');
  }
}
