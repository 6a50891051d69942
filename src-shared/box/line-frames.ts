/**
 * The frames of a line into a box: many connections over one stream of bytes each way, where the sockets of the host cannot be
 * seen inside (an engine in a virtual machine). Pure; used by both ends, neither of which trusts the other.
 *
 * A frame is: type (1 byte), number of the stream (4), length of what follows (4), and that; numbers are big-endian.
 *
 *   hello   stream 0; version (4)      first of all, from both ends
 *   open    number; name of the door   by the end inside only; numbers begin at 1 and grow
 *   data    number; bytes              at most as many as the other end has allowed
 *   end     number                     this end says nothing more on the stream
 *   reset   number                     the stream broke: both directions are over
 *   window  number; bytes (4)          this end takes so many more bytes
 *   ping, pong   stream 0
 *
 * Invariant: whatever bytes come, however they are split, a reader takes complete frames in their order or fails for good, and
 * holds at most one frame.
 */
import { SOCKETS } from '#shared/gateway/places.ts';

/** Version of these frames, said in `hello`. Ends of different versions do not speak. */
export const LINE_VERSION = 1;
/** The most that a frame carries, in bytes. */
export const MAX_PAYLOAD = 16_384;
/** What each end takes on a new stream before it allows more, in bytes. */
export const FIRST_WINDOW = 65_536;
/** The most streams at once: as many connections as the gateway takes on its two sockets, and the launch. */
export const MAX_STREAMS = 513;

/** What a stream leads to: one of the agent's sockets. */
export type Door = keyof typeof SOCKETS;

/** One frame. */
export type LineFrame =
  | { readonly type: 'hello'; readonly version: number }
  | { readonly type: 'open'; readonly stream: number; readonly door: Door }
  | { readonly type: 'data'; readonly stream: number; readonly bytes: Uint8Array }
  | { readonly type: 'end'; readonly stream: number }
  | { readonly type: 'reset'; readonly stream: number }
  | { readonly type: 'window'; readonly stream: number; readonly bytes: number }
  | { readonly type: 'ping' }
  | { readonly type: 'pong' };

/** What the other end sent is no line. */
export class LineError extends Error {
  override readonly name = 'LineError';
}

const TYPES = ['hello', 'open', 'data', 'end', 'reset', 'window', 'ping', 'pong'] as const;
const HEADER_BYTES = 9;
const NUMBER_BYTES = 4;
const isDoor = (name: string): name is Door => Object.hasOwn(SOCKETS, name);

/** A frame as bytes. `data` must carry 1 to MAX_PAYLOAD bytes. */
export function encodeFrame(frame: LineFrame): Uint8Array {
  const payload = payloadOf(frame);
  const bytes = new Uint8Array(HEADER_BYTES + payload.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, TYPES.indexOf(frame.type));
  view.setUint32(1, 'stream' in frame ? frame.stream : 0);
  view.setUint32(5, payload.byteLength);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

function payloadOf(frame: LineFrame): Uint8Array {
  if (frame.type === 'data') return frame.bytes;
  if (frame.type === 'hello') return numberBytes(frame.version);
  if (frame.type === 'window') return numberBytes(frame.bytes);
  return frame.type === 'open' ? Uint8Array.from(frame.door, (letter) => letter.charCodeAt(0)) : new Uint8Array();
}

function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(NUMBER_BYTES);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Reads frames as they come. */
export class FrameReader {
  readonly #onFrame: (frame: LineFrame) => void;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  #payload = new Uint8Array();
  #payloadBytes = 0;
  #failure: LineError | undefined;

  constructor(onFrame: (frame: LineFrame) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes bytes, of which it keeps none that are lent; calls `onFrame` for each frame they complete. Throws a LineError, from then on always. */
  push(chunk: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      for (let rest = chunk; rest.byteLength > 0;) rest = this.#take(rest);
    } catch (error) {
      if (error instanceof LineError) this.#failure = error;
      throw error;
    }
  }

  /** Takes what belongs to the present header or payload, and returns the rest. */
  #take(bytes: Uint8Array): Uint8Array {
    if (this.#headerBytes < HEADER_BYTES) {
      const part = bytes.subarray(0, HEADER_BYTES - this.#headerBytes);
      this.#header.set(part, this.#headerBytes);
      this.#headerBytes += part.byteLength;
      if (this.#headerBytes === HEADER_BYTES) this.#beginPayload();
      return bytes.subarray(part.byteLength);
    }
    const part = bytes.subarray(0, this.#payload.byteLength - this.#payloadBytes);
    this.#payload.set(part, this.#payloadBytes);
    this.#payloadBytes += part.byteLength;
    if (this.#payloadBytes === this.#payload.byteLength) this.#finish();
    return bytes.subarray(part.byteLength);
  }

  #beginPayload(): void {
    const length = new DataView(this.#header.buffer).getUint32(5);
    if (length > MAX_PAYLOAD) throw new LineError(`a frame of ${length} bytes`);
    this.#payload = new Uint8Array(length);
    this.#payloadBytes = 0;
    if (length === 0) this.#finish();
  }

  #finish(): void {
    this.#headerBytes = 0;
    this.#onFrame(readFrame(this.#header, this.#payload));
  }
}

function readFrame(header: Uint8Array, payload: Uint8Array): LineFrame {
  const view = new DataView(header.buffer);
  const type = TYPES[view.getUint8(0)];
  const stream = view.getUint32(1);
  if (type === undefined) throw new LineError(`a frame of type ${view.getUint8(0)}`);
  const isOfNoStream = type === 'hello' || type === 'ping' || type === 'pong';
  if (isOfNoStream !== (stream === 0)) throw new LineError(`"${type}" on stream ${stream}`);
  switch (type) {
    case 'hello':
      return { type, version: readNumber(type, payload) };
    case 'window':
      return { type, stream, bytes: readNumber(type, payload) };
    case 'open': {
      const door = String.fromCharCode(...payload.subarray(0, 20));
      if (!isDoor(door)) throw new LineError('a door that there is not');
      return { type, stream, door };
    }
    case 'data':
      if (payload.byteLength === 0) throw new LineError('data of no bytes');
      return { type, stream, bytes: payload };
    case 'end':
    case 'reset':
      requireEmpty(type, payload);
      return { type, stream };
    default:
      requireEmpty(type, payload);
      return { type };
  }
}

function readNumber(type: string, payload: Uint8Array): number {
  if (payload.byteLength !== NUMBER_BYTES) throw new LineError(`"${type}" with ${payload.byteLength} bytes`);
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0);
}

function requireEmpty(type: string, payload: Uint8Array): void {
  if (payload.byteLength > 0) throw new LineError(`"${type}" with ${payload.byteLength} bytes`);
}
