/** Replaces a key in a stream by as many asterisks, wherever it is cut. */
import type { TransformCallback } from 'node:stream';
import { Transform } from 'node:stream';

/** Shorter ones would be found in ordinary text. */
const MIN_LENGTH = 8;

/** Passes bytes, but for the key. Holds back no more than what could be the beginning of the key. */
export class Redaction extends Transform {
  readonly #text: string;
  readonly #key: Buffer;
  #held = Buffer.alloc(0);

  constructor(key: string) {
    super();
    this.#text = key;
    this.#key = Buffer.from(key);
  }

  /** Whether the key is in a header's value. */
  isIn(value: string): boolean {
    return this.#text.length >= MIN_LENGTH && value.includes(this.#text);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    if (this.#key.length < MIN_LENGTH) return done(null, chunk);
    let bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk;
    let at = bytes.indexOf(this.#key);
    if (at >= 0) bytes = Buffer.from(bytes);
    for (; at >= 0; at = bytes.indexOf(this.#key, at)) bytes.fill('*', at, at + this.#key.length);
    const held = this.#beginning(bytes);
    this.#held = Buffer.from(bytes.subarray(bytes.length - held));
    done(null, bytes.subarray(0, bytes.length - held));
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#held);
  }

  /** How many bytes at the end are a beginning of the key. */
  #beginning(bytes: Buffer): number {
    for (let length = Math.min(this.#key.length - 1, bytes.length); length > 0; length -= 1) {
      if (bytes.subarray(bytes.length - length).equals(this.#key.subarray(0, length))) return length;
    }
    return 0;
  }
}
