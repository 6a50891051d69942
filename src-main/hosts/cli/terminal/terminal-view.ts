/** One view of an agent's terminal over the binary link of src-shared/terminals/frames.ts. */
import { WebSocket } from 'ws';
import type * as z from 'zod';
import {
  ACK_EVERY_BYTES,
  ClientFrame,
  decodeFrame,
  encodeAck,
  encodeFrame,
  OpenedPayload,
  ReasonPayload,
  ServerFrame,
  SizePayload,
} from '#shared/terminals/frames.ts';
import type { Frame, OpenPayload } from '#shared/terminals/frames.ts';

/** The only channel of the link. */
const CHANNEL = 1;
/** Typed bytes per frame: far below what a frame may carry, so that a long paste goes in pieces. */
const MAX_INPUT_BYTES = 64 * 1024;

/** How a view came to its end. */
export type ViewEnd =
  /** The core closed it, for a reason of `ENDED_CODES`. */
  | { readonly kind: 'ended'; readonly code: string; readonly message: string }
  /** What was asked was refused. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  /** The connection broke. */
  | { readonly kind: 'lost' };

/** What a view tells. */
export interface ViewListener {
  onSize(size: { cols: number; rows: number }): void;
  /** Terminal output; `drawn` is to be called when it is on the screen. */
  onOutput(bytes: Uint8Array, drawn: () => void): void;
}

/** A view of a terminal. */
export class TerminalView {
  /** How it ends. Never rejects. */
  readonly ended: Promise<ViewEnd>;
  readonly #socket: WebSocket;
  readonly #listener: ViewListener;
  #end: (end: ViewEnd) => void = () => undefined;
  #isOpened = false;
  #pending = 0;
  #drawn = 0;

  constructor(socket: WebSocket, open: OpenPayload, listener: ViewListener) {
    this.#socket = socket;
    this.#listener = listener;
    this.ended = new Promise((resolve) => (this.#end = resolve));
    socket.on('message', (data: Buffer) => {
      const frame = decodeFrame(data);
      if (frame?.channel === CHANNEL) this.#receive(frame);
    });
    socket.once('close', () => this.#end({ kind: 'lost' }));
    this.#send(ClientFrame.open, json(open));
  }

  /** Types bytes. */
  input(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += MAX_INPUT_BYTES)
      this.#send(ClientFrame.input, bytes.subarray(at, at + MAX_INPUT_BYTES));
  }

  resize(size: { cols: number; rows: number }): void {
    this.#send(ClientFrame.resize, json(size));
  }

  close(): void {
    this.#send(ClientFrame.close, new Uint8Array());
    this.#socket.close();
    this.#end({ kind: 'lost' });
  }

  #send(type: number, payload: Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(encodeFrame(type, CHANNEL, payload));
  }

  #receive({ type, payload }: Frame): void {
    switch (type) {
      case ServerFrame.opened:
      case ServerFrame.resized: {
        const size = parse(type === ServerFrame.opened ? OpenedPayload : SizePayload, payload);
        this.#isOpened = true;
        if (size) this.#listener.onSize(size);
        return;
      }
      case ServerFrame.history:
      case ServerFrame.screen:
      case ServerFrame.data:
        this.#pending += payload.length;
        this.#listener.onOutput(payload, () => this.#acknowledge(payload.length));
        return;
      case ServerFrame.ended:
        this.#end({ kind: 'ended', code: 'LOST', message: 'The terminal has ended.', ...parse(ReasonPayload, payload) });
        return;
      case ServerFrame.failed: {
        const reason = { code: 'FAILED', message: 'The terminal was refused.', ...parse(ReasonPayload, payload) };
        // A view that stands stays; of its refusals only those matter that will not change.
        if (!this.#isOpened || reason.code === 'FORBIDDEN') this.#end({ kind: 'refused', ...reason });
        return;
      }
    }
  }

  #acknowledge(bytes: number): void {
    this.#pending -= bytes;
    this.#drawn += bytes;
    if (this.#drawn < ACK_EVERY_BYTES && this.#pending > 0) return;
    this.#send(ClientFrame.ack, encodeAck(this.#drawn));
    this.#drawn = 0;
  }
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function parse<S extends z.ZodType>(schema: S, payload: Uint8Array): z.output<S> | undefined {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(payload).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
