/** One view of an agent's terminal over the binary link of src-shared/terminals/frames.ts. */
import { WebSocket } from 'ws';
import type * as z from 'zod';
import {
  ACK_EVERY_BYTES,
  ClientFrame,
  ControlPayload,
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
  /** What was asked was refused; `isHeld` when it was control, which somebody else has. */
  | { readonly kind: 'refused'; readonly code: string; readonly message: string; readonly isHeld: boolean }
  /** The connection broke. */
  | { readonly kind: 'lost' };

/** Before history: the screen is cleared, the operator's own scrollback is not. */
const CLEAR = '\u001b[?1049l\u001b[r\u001b[0m\u001b[H\u001b[2J';

/** What a view tells. */
export interface ViewListener {
  /** Who has control, from the moment that this view had what it asked for at its opening. */
  onControl(holder: ControlPayload['holder']): void;
  /** The view stands, with control if it asked for it; or the terminal has another size. */
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
  /** The size it was opened with, until it has the control that it asked for. */
  #waitingSize: { cols: number; rows: number } | undefined;
  #isOpened = false;
  #isControlWanted: boolean;
  /** Slices of history that wait for their screen. */
  #slices: Uint8Array[] | undefined;
  #pending = 0;
  #drawn = 0;

  constructor(socket: WebSocket, open: OpenPayload, listener: ViewListener) {
    this.#socket = socket;
    this.#listener = listener;
    this.#isControlWanted = open.control === 'take' || open.control === 'force';
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

  /** Takes control from whoever has it. */
  take(): void {
    this.#send(ClientFrame.take, json({ force: true }));
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
        this.#waitingSize = parse(OpenedPayload, payload);
        if (!this.#isControlWanted) this.#stands();
        return;
      case ServerFrame.resized: {
        const size = parse(SizePayload, payload);
        if (size && this.#isOpened) this.#listener.onSize(size);
        else if (size) this.#waitingSize = size;
        return;
      }
      case ServerFrame.control: {
        const control = parse(ControlPayload, payload);
        if (!control) return;
        if (this.#isControlWanted && control.holder?.isYou === true) this.#stands();
        if (this.#isOpened) this.#listener.onControl(control.holder);
        return;
      }
      case ServerFrame.scrollback:
        this.#slices = [];
        return;
      case ServerFrame.history:
        this.#slices?.push(payload);
        // It is kept, not drawn: more may come at once.
        this.#pending += payload.length;
        this.#acknowledge(payload.length);
        return;
      case ServerFrame.screen:
      case ServerFrame.data: {
        const before = type === ServerFrame.screen ? this.#slices : undefined;
        const bytes = before ? Buffer.concat([Buffer.from(CLEAR), ...before, payload]) : payload;
        if (before) this.#slices = undefined;
        this.#pending += payload.length;
        this.#listener.onOutput(bytes, () => this.#acknowledge(payload.length));
        return;
      }
      case ServerFrame.ended:
        this.#end({ kind: 'ended', code: 'LOST', message: 'The terminal has ended.', ...parse(ReasonPayload, payload) });
        return;
      case ServerFrame.failed: {
        const reason = { code: 'FAILED', message: 'The terminal was refused.', ...parse(ReasonPayload, payload) };
        // A view that stands stays; of its refusals only those matter that will not change.
        const isHeld = this.#waitingSize !== undefined && reason.code === 'CONFLICT';
        if (!this.#isOpened || reason.code === 'FORBIDDEN') this.#end({ kind: 'refused', ...reason, isHeld });
        return;
      }
    }
  }

  /** It is as it was asked for. */
  #stands(): void {
    this.#isControlWanted = false;
    this.#isOpened = true;
    if (this.#waitingSize) this.#listener.onSize(this.#waitingSize);
    this.#waitingSize = undefined;
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
