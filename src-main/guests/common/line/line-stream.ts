/** One connection through a line: a stream like a socket. What its reader does not take, the other end does not send. */
import { Duplex } from 'node:stream';
import { FIRST_WINDOW, LineError, MAX_PAYLOAD } from '#shared/box/line-frames.ts';

/** What a stream asks of its line. */
export interface StreamOutlet {
  /** There is something to send: asks for a turn, in which the line calls `sendSome`. */
  readonly wantsTurn: (stream: LineStream) => void;
  readonly end: (stream: LineStream) => void;
  readonly reset: (stream: LineStream) => void;
  /** Allows the other end so many more bytes. */
  readonly allow: (stream: LineStream, bytes: number) => void;
  readonly isGone: (stream: LineStream) => void;
}

/** Read bytes are allowed again when they come to so many: not a frame for each. */
const ALLOW_AT = FIRST_WINDOW / 4;

/** The stream was broken off: by the other end, or with the line. */
export class StreamBroken extends Error {
  override readonly name = 'StreamBroken';
}

/** One connection through a line. */
export class LineStream extends Duplex {
  readonly number: number;
  readonly #outlet: StreamOutlet;
  /** What is to be sent of the present write. */
  #pending: { readonly bytes: Uint8Array; at: number; readonly done: () => void } | undefined;
  /** How many bytes the other end takes. */
  #mayTake = FIRST_WINDOW;
  /** How many bytes the other end may send, and how many came that it was not allowed again. */
  #maySend = FIRST_WINDOW;
  #unallowed = 0;
  #hasEnded = false;
  #hasOtherEnded = false;

  constructor(number: number, outlet: StreamOutlet) {
    super({ readableHighWaterMark: MAX_PAYLOAD, writableHighWaterMark: MAX_PAYLOAD });
    this.number = number;
    this.#outlet = outlet;
  }

  /** Takes bytes that came. Throws a LineError when they are more than was allowed, or come after the end. */
  receive(bytes: Uint8Array): void {
    if (this.#hasOtherEnded) throw new LineError('data after the end of a stream');
    this.#maySend -= bytes.byteLength;
    if (this.#maySend < 0) throw new LineError('more data than was allowed');
    this.#unallowed += bytes.byteLength;
    this.push(bytes);
  }

  /** The other end says nothing more. */
  receiveEnd(): void {
    if (this.#hasOtherEnded) throw new LineError('a stream that ends twice');
    this.#hasOtherEnded = true;
    this.push(null);
  }

  /** The other end takes more. */
  receiveWindow(bytes: number): void {
    this.#mayTake += bytes;
    if (this.#mayTake > 0xffff_ffff) throw new LineError('more is allowed than can be counted');
    if (this.#pending !== undefined) this.#outlet.wantsTurn(this);
  }

  /** Broken off by the other end, or with the line: nothing is said about it any more. */
  break(why: string): void {
    this.#hasEnded = true;
    this.#hasOtherEnded = true;
    this.destroy(new StreamBroken(why));
  }

  /** The next bytes to send, at most a frame; undefined when there are none that may be sent. `isMore`: it wants another turn. */
  sendSome(): { readonly bytes: Uint8Array; readonly isMore: boolean } | undefined {
    const pending = this.#pending;
    if (pending === undefined || this.destroyed) return undefined;
    const size = Math.min(pending.bytes.byteLength - pending.at, this.#mayTake, MAX_PAYLOAD);
    if (size <= 0) return undefined;
    const bytes = pending.bytes.subarray(pending.at, pending.at + size);
    pending.at += size;
    this.#mayTake -= size;
    const isDone = pending.at === pending.bytes.byteLength;
    if (isDone) {
      this.#pending = undefined;
      // After the line has sent them.
      process.nextTick(pending.done);
    }
    return { bytes, isMore: !isDone && this.#mayTake > 0 };
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (chunk.byteLength === 0) {
      done();
      return;
    }
    this.#pending = { bytes: chunk, at: 0, done };
    this.#outlet.wantsTurn(this);
  }

  override _final(done: () => void): void {
    this.#hasEnded = true;
    this.#outlet.end(this);
    done();
  }

  /** Called when what came was taken: only then more is allowed. */
  override _read(): void {
    if (this.#unallowed < ALLOW_AT || this.#hasOtherEnded) return;
    const bytes = this.#unallowed;
    this.#unallowed = 0;
    this.#maySend += bytes;
    this.#outlet.allow(this, bytes);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (!this.#hasEnded || !this.#hasOtherEnded) this.#outlet.reset(this);
    this.#outlet.isGone(this);
    done(error);
    pending?.done();
  }
}
