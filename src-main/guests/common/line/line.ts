/**
 * A line: many connections over one stream of bytes each way, with the frames of `#shared/box/line-frames.ts`. Both ends use it;
 * the one inside opens streams, the one outside takes them.
 * Invariants: streams take turns, one frame each, so that a large one does not hold up a small one; a stream that nobody reads
 * holds at most its window; whatever the other end sends, this one ends in order or goes on.
 */
import type { Duplex } from 'node:stream';
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { Door, LineFrame } from '#shared/box/line-frames.ts';
import { encodeFrame, FrameReader, LINE_VERSION, LineError, MAX_STREAMS } from '#shared/box/line-frames.ts';
import { LineStream } from './line-stream.ts';

/** Between two signs of life, in milliseconds; after so many of them without one from the other end it is silent. */
const BEAT_MS = 5000;
const SILENT_BEATS = 4;
const LAST_STREAM = 0xffff_ffff;

/** What a line is made of. */
export interface LineOptions {
  /** Sends bytes; false when no more should be sent before `drained` is called. */
  readonly send: (bytes: Uint8Array) => boolean;
  /** Takes a stream that the other end opened. Without it, opening one is an error. */
  readonly onOpen?: (door: Door, stream: LineStream) => void;
  /** The other end has said its greeting. */
  readonly onReady?: () => void;
  /** The other end has sent nothing for long. By default that ends the line. */
  readonly onSilent?: () => void;
  /** The line is over; called once. Every stream is broken by then. */
  readonly onEnd: (reason: string) => void;
  readonly beatMs?: number;
}

/** One end of a line. */
export class Line implements Disposable {
  readonly #o: LineOptions;
  readonly #reader: FrameReader;
  readonly #streams = new Map<number, LineStream>();
  /** Streams that have something to send, in the order of their turns. */
  readonly #turns = new Set<LineStream>();
  readonly #beat: NodeJS.Timeout;
  #last = 0;
  #isReady = false;
  #isOver = false;
  #isFull = false;
  #silentBeats = 0;

  constructor(options: LineOptions) {
    this.#o = options;
    this.#reader = new FrameReader((frame) => this.#take(frame));
    this.#beat = setInterval(() => this.#beatOnce(), options.beatMs ?? BEAT_MS);
    this.#beat.unref();
    this.#send({ type: 'hello', version: LINE_VERSION });
  }

  /** Whether the other end has said its greeting, and the line is not over. */
  get isReady(): boolean {
    return this.#isReady && !this.#isOver;
  }

  /** How many streams there are. */
  get size(): number {
    return this.#streams.size;
  }

  /** Opens a stream to a socket outside; undefined when the line is not there, or has as many as it takes. */
  open(door: Door): Duplex | undefined {
    if (!this.isReady || this.#streams.size >= MAX_STREAMS) return undefined;
    if (this.#last === LAST_STREAM) {
      this.#end('its numbers are used up');
      return undefined;
    }
    this.#last += 1;
    const stream = this.#make(this.#last);
    this.#send({ type: 'open', stream: stream.number, door });
    return stream;
  }

  /** Takes bytes of the other end. */
  receive(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#silentBeats = 0;
    try {
      this.#reader.push(bytes);
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      this.#end(`the other end sent ${error.message}`);
    }
  }

  /** More can be sent again. */
  drained(): void {
    this.#isFull = false;
    this.#takeTurns();
  }

  /** Ends the line and all its streams. */
  dispose(): void {
    this.#end('it was closed');
  }

  /** The bytes of the other end ended, or broke. */
  close(reason: string): void {
    this.#end(reason);
  }

  #make(number: number): LineStream {
    const stream = new LineStream(number, {
      wantsTurn: (one) => {
        this.#turns.add(one);
        this.#takeTurns();
      },
      end: (one) => this.#send({ type: 'end', stream: one.number }),
      reset: (one) => this.#send({ type: 'reset', stream: one.number }),
      allow: (one, bytes) => this.#send({ type: 'window', stream: one.number, bytes }),
      isGone: (one) => {
        this.#turns.delete(one);
        this.#streams.delete(one.number);
      },
    });
    // Whoever uses it hears of its end by `close`; one that nobody listens to yet must not end the program.
    stream.on('error', () => undefined);
    this.#streams.set(number, stream);
    return stream;
  }

  #takeTurns(): void {
    while (!this.#isFull && !this.#isOver) {
      const [stream] = this.#turns;
      if (stream === undefined) return;
      this.#turns.delete(stream);
      const some = stream.sendSome();
      if (some === undefined) continue;
      if (some.isMore) this.#turns.add(stream);
      this.#send({ type: 'data', stream: stream.number, bytes: some.bytes });
    }
  }

  #send(frame: LineFrame): void {
    if (this.#isOver) return;
    if (!this.#o.send(encodeFrame(frame))) this.#isFull = true;
  }

  #take(frame: LineFrame): void {
    if (this.#isOver) return;
    if (!this.#isReady) {
      this.#greet(frame);
      return;
    }
    switch (frame.type) {
      case 'hello':
        throw new LineError('a second greeting');
      case 'ping':
        this.#send({ type: 'pong' });
        return;
      case 'pong':
        return;
      case 'open':
        this.#accept(frame.stream, frame.door);
        return;
      default:
        this.#pass(frame);
    }
  }

  #greet(frame: LineFrame): void {
    if (frame.type !== 'hello') throw new LineError(`"${frame.type}" instead of a greeting`);
    if (frame.version !== LINE_VERSION) throw new LineError(`version ${frame.version} instead of ${LINE_VERSION}`);
    this.#isReady = true;
    this.#o.onReady?.();
  }

  #accept(number: number, door: Door): void {
    const { onOpen } = this.#o;
    if (onOpen === undefined || number <= this.#last) throw new LineError(`a stream ${number} that cannot be opened`);
    this.#last = number;
    if (this.#streams.size >= MAX_STREAMS) this.#send({ type: 'reset', stream: number });
    else onOpen(door, this.#make(number));
  }

  #pass(frame: Extract<LineFrame, { type: 'data' | 'end' | 'reset' | 'window' }>): void {
    // Of one that was broken off here, what was on its way is of no use.
    const stream = this.#streams.get(frame.stream);
    if (stream === undefined) {
      if (frame.stream > this.#last) throw new LineError(`"${frame.type}" of a stream ${frame.stream} that was never opened`);
      return;
    }
    if (frame.type === 'data') stream.receive(frame.bytes);
    else if (frame.type === 'end') stream.receiveEnd();
    else if (frame.type === 'window') stream.receiveWindow(frame.bytes);
    else stream.break('the other end broke it off');
  }

  /** Counts beats, not time: one who was frozen (a container that was paused) has missed none. */
  #beatOnce(): void {
    this.#send({ type: 'ping' });
    this.#silentBeats += 1;
    if (this.#silentBeats <= SILENT_BEATS) return;
    this.#silentBeats = 0;
    if (this.#o.onSilent === undefined) this.#end('the other end is silent');
    else this.#o.onSilent();
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#beat);
    for (const stream of [...this.#streams.values()]) stream.break(`the line is over: ${reason}`);
    this.#o.onEnd(reason);
  }
}
