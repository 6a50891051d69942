/**
 * Every terminal of this window over one pipe of binary frames (src-shared/terminals/frames.ts).
 * The pipe is opened for the first view and then kept; when it is lost while there are views it is opened again, and
 * with it every view: each then gets its whole screen anew.
 */
import type { BackoffPolicy } from '#shared/kernel/backoff.ts';
import { backoffMs, RECONNECT } from '#shared/kernel/backoff.ts';
import type { OpenPayload } from '#shared/terminals/frames.ts';
import {
  ACK_EVERY_BYTES,
  ClientFrame,
  decodeFrame,
  encodeAck,
  encodeFrame,
  MAX_FRAME_BYTES,
  OpenedPayload,
  ReasonPayload,
  ServerFrame,
  SizePayload,
} from '#shared/terminals/frames.ts';
import type { BytePipe, Transport } from './line.ts';

/** Columns and rows of a terminal. */
export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

/** Why a view ended, or why something was refused: what happened and what to do. */
export interface ViewReason {
  readonly code: string;
  readonly message: string;
}

/** What a view receives. */
export interface ViewListener {
  /** The view stands, with a terminal of this size; everything drawn before belongs to an earlier view. */
  onOpened(size: TerminalSize): void;
  /** Terminal output. `drawn` is to be called once it is on the screen: more comes only then. */
  onBytes(bytes: Uint8Array, drawn: () => void): void;
  /** The terminal has another size from here on: all who look at it share one. */
  onResized(size: TerminalSize): void;
  /** Something that was typed or asked for was refused; the view goes on. */
  onRefused(reason: ViewReason): void;
  /** The core ended the view, or did not open it. It is not opened again. */
  onEnd(reason: ViewReason): void;
  /** The pipe was lost; the view is opened again when it is back. */
  onLost(): void;
}

/** One terminal on the screen. */
export interface TerminalView {
  /** Types text or bytes, as xterm hands them over. */
  input(text: string): void;
  resize(size: TerminalSize): void;
  close(): void;
}

interface Channel {
  readonly number: number;
  readonly open: OpenPayload;
  readonly listener: ViewListener;
  /** Received and not yet drawn. */
  pending: number;
  /** Drawn and not yet acknowledged. */
  drawn: number;
  /** Whether the core said that the view stands. */
  isOpen: boolean;
  /** Counts pipes, so that bytes of an earlier one are not acknowledged on the next. */
  life: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

function decodeJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(bytes));
  } catch {
    return undefined;
  }
}

function reasonOf(payload: Uint8Array): ViewReason {
  const reason = ReasonPayload.safeParse(decodeJson(payload));
  return reason.success ? reason.data : { code: 'INTERNAL', message: 'The core closed this terminal without saying why.' };
}

/** The one pipe of this window's terminals, and the views that share it. */
export class TerminalLink {
  readonly #transport: Transport;
  readonly #backoff: BackoffPolicy;
  readonly #channels = new Map<number, Channel>();
  readonly #end = new AbortController();
  #pipe: BytePipe | undefined;
  #isOpening = false;
  #lastNumber = 0;
  #wake: () => void = () => undefined;

  constructor(transport: Transport, backoff: BackoffPolicy = RECONNECT) {
    this.#transport = transport;
    this.#backoff = backoff;
  }

  /** Opens a view. The listener hears from it until it ends or is closed. */
  open(open: OpenPayload, listener: ViewListener): TerminalView {
    this.#lastNumber += 1;
    const channel: Channel = {
      number: this.#lastNumber,
      open: { ...open },
      listener,
      pending: 0,
      drawn: 0,
      isOpen: false,
      life: 0,
    };
    this.#channels.set(channel.number, channel);
    if (this.#pipe) this.#sendOpen(channel);
    else this.#ensurePipe();
    return {
      input: (text) => this.#sendInput(channel, encoder.encode(text)),
      resize: ({ cols, rows }) => {
        channel.open.cols = cols;
        channel.open.rows = rows;
        this.#send(ClientFrame.resize, channel, encodeJson({ cols, rows }));
      },
      close: () => this.#close(channel),
    };
  }

  /** Tries again now, if a view waits for a pipe. */
  retry(): void {
    this.#wake();
  }

  dispose(): void {
    this.#end.abort();
    this.#channels.clear();
    this.#pipe?.close();
    this.#wake();
  }

  #ensurePipe(): void {
    if (this.#isOpening || this.#pipe) return;
    this.#isOpening = true;
    this.#openPipe()
      .catch(() => undefined)
      .finally(() => {
        this.#isOpening = false;
        // A view may have been opened while the last one was being given up.
        if (!this.#end.signal.aborted && this.#channels.size > 0) this.#ensurePipe();
      })
      .catch(() => undefined);
  }

  async #openPipe(): Promise<void> {
    const { signal } = this.#end;
    for (let attempt = 0; !signal.aborted && this.#channels.size > 0; attempt += 1) {
      try {
        const pipe = await this.#transport.openTerminals(signal);
        this.#adopt(pipe);
        return;
      } catch {
        await this.#pause(backoffMs(this.#backoff, attempt));
      }
    }
  }

  #adopt(pipe: BytePipe): void {
    if (this.#end.signal.aborted) {
      pipe.close();
      return;
    }
    this.#pipe = pipe;
    pipe.onBytes = (bytes) => this.#receive(bytes);
    pipe.onGone = () => {
      if (this.#pipe !== pipe) return;
      this.#pipe = undefined;
      for (const channel of this.#channels.values()) channel.listener.onLost();
      if (this.#channels.size > 0) this.#ensurePipe();
    };
    for (const channel of this.#channels.values()) this.#sendOpen(channel);
  }

  #sendOpen(channel: Channel): void {
    channel.pending = 0;
    channel.drawn = 0;
    channel.isOpen = false;
    channel.life += 1;
    this.#send(ClientFrame.open, channel, encodeJson(channel.open));
  }

  /** A paste can be larger than a frame may be. */
  #sendInput(channel: Channel, bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; start += MAX_FRAME_BYTES) {
      this.#send(ClientFrame.input, channel, bytes.subarray(start, start + MAX_FRAME_BYTES));
    }
  }

  #send(type: number, channel: Channel, payload: Uint8Array): void {
    if (!this.#channels.has(channel.number)) return;
    this.#pipe?.send(new Uint8Array(encodeFrame(type, channel.number, payload)));
  }

  #close(channel: Channel): void {
    this.#send(ClientFrame.close, channel, new Uint8Array());
    this.#channels.delete(channel.number);
  }

  #receive(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    const channel = frame && this.#channels.get(frame.channel);
    if (!channel) return;
    switch (frame.type) {
      case ServerFrame.opened: {
        const opened = OpenedPayload.safeParse(decodeJson(frame.payload));
        if (!opened.success) return;
        channel.isOpen = true;
        channel.listener.onOpened(opened.data);
        return;
      }
      case ServerFrame.history:
      case ServerFrame.screen:
      case ServerFrame.data:
        channel.listener.onBytes(frame.payload, this.#onDrawn(channel, frame.payload.length));
        return;
      case ServerFrame.resized: {
        const size = SizePayload.safeParse(decodeJson(frame.payload));
        if (size.success) channel.listener.onResized(size.data);
        return;
      }
      case ServerFrame.ended:
      case ServerFrame.failed: {
        const reason = reasonOf(frame.payload);
        if (frame.type === ServerFrame.failed && channel.isOpen) {
          channel.listener.onRefused(reason);
          return;
        }
        this.#channels.delete(channel.number);
        channel.listener.onEnd(reason);
        return;
      }
      default:
        return;
    }
  }

  /** Counts `bytes` as received; the returned function counts them as drawn, once, and acknowledges when it is time. */
  #onDrawn(channel: Channel, bytes: number): () => void {
    const { life } = channel;
    channel.pending += bytes;
    let done = false;
    return () => {
      if (done || channel.life !== life) return;
      done = true;
      channel.pending -= bytes;
      channel.drawn += bytes;
      if (channel.drawn === 0 || (channel.drawn < ACK_EVERY_BYTES && channel.pending > 0)) return;
      this.#send(ClientFrame.ack, channel, encodeAck(channel.drawn));
      channel.drawn = 0;
    };
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), ms);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        resolve();
      };
    });
  }
}
