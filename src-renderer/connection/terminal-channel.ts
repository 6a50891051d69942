/**
 * One channel of the terminal link: what the core's frames mean to who listens, and what is acknowledged. A channel outlives the
 * pipe that carries it; `restart` begins it anew on the next.
 */
import type { Frame, OpenPayload } from '#shared/terminals/frames.ts';
import {
  ACK_EVERY_BYTES,
  ClientFrame,
  ControlPayload,
  encodeAck,
  OpenedPayload,
  ReasonPayload,
  ServerFrame,
  SizePayload,
  TilePayload,
} from '#shared/terminals/frames.ts';
import type { TileListener, ViewListener, ViewReason } from './terminal-view.ts';

/** Before a whole history: nothing is shown until it is all there, everything that was is cleared. */
const BEGIN_WHOLE = '\u001b[?2026h\u001b[?1049l\u001b[r\u001b[0m\u001b[H\u001b[2J\u001b[3J';
/** After it. */
const END_WHOLE = '\u001b[?2026l';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A payload as JSON. */
export function encodeJson(value: unknown): Uint8Array {
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

/** What a channel needs of its link. */
export interface ChannelLine {
  readonly number: number;
  /** Puts a frame on the pipe, if there is one. */
  readonly send: (type: number, payload: Uint8Array) => void;
  /** The core ended the channel. */
  readonly onEnd: () => void;
  /** Calls back after the next painting of the page. */
  readonly afterPaint: (callback: () => void) => void;
}

/** One view or tile. */
export class TerminalChannel {
  /** What it was opened with, and is opened with again on another pipe. */
  readonly open: OpenPayload;
  readonly #line: ChannelLine;
  readonly #listener: ViewListener | undefined;
  readonly #tile: TileListener | undefined;
  /** Received and not yet drawn. */
  #pending = 0;
  /** Drawn and not yet acknowledged. */
  #drawn = 0;
  /** Whether the core said that the view stands. */
  #isOpen = false;
  /** Counts pipes, so that bytes of an earlier one are not acknowledged on the next. */
  #life = 0;
  /** Slices of history that wait for the screen below them; undefined when none is under way. */
  #slices: Uint8Array[] | undefined;
  /** Told when the history that was asked for is drawn. */
  #onHistory: (() => void) | undefined;

  /** A view has a `listener`, a tile a `tile`. */
  constructor(line: ChannelLine, open: OpenPayload, listener: ViewListener | undefined, tile: TileListener | undefined) {
    this.#line = line;
    this.open = open;
    this.#listener = listener;
    this.#tile = tile;
  }

  get number(): number {
    return this.#line.number;
  }

  /** Asks for it on a pipe that has just come. */
  restart(): void {
    this.#pending = 0;
    this.#drawn = 0;
    this.#isOpen = false;
    this.#slices = undefined;
    this.#onHistory = undefined;
    this.#life += 1;
    this.#line.send(ClientFrame.open, encodeJson(this.open));
  }

  /** The pipe was lost. */
  lost(): void {
    this.#listener?.onLost();
  }

  /** Asks for history; see `TerminalView.history`. */
  askHistory(lines: number, drawn: () => void): void {
    this.#onHistory = drawn;
    this.#line.send(ClientFrame.history, encodeJson({ lines }));
  }

  /** A frame for this channel. */
  receive(frame: Frame): void {
    if (this.#tile) this.#receiveTile(this.#tile, frame);
    else if (this.#listener) this.#receiveLive(this.#listener, frame);
  }

  #receiveLive(listener: ViewListener, { type, payload }: Frame): void {
    switch (type) {
      case ServerFrame.opened: {
        const opened = OpenedPayload.safeParse(decodeJson(payload));
        if (!opened.success) return;
        this.#isOpen = true;
        listener.onOpened(opened.data);
        return;
      }
      case ServerFrame.scrollback:
        this.#slices = [];
        return;
      case ServerFrame.history:
        this.#slices?.push(payload);
        // It is kept, not drawn: more may come at once.
        this.#onDrawn(payload.length)();
        return;
      case ServerFrame.screen:
        if (this.#slices) this.#showWhole(listener, payload);
        else listener.onBytes(payload, this.#onDrawn(payload.length));
        return;
      case ServerFrame.data:
        listener.onBytes(payload, this.#onDrawn(payload.length));
        return;
      case ServerFrame.resized: {
        const size = SizePayload.safeParse(decodeJson(payload));
        if (size.success) listener.onResized(size.data);
        return;
      }
      case ServerFrame.control: {
        const control = ControlPayload.safeParse(decodeJson(payload));
        if (!control.success) return;
        // What the next pipe asks for: a view that has control now wants it back then.
        this.open.control = control.data.holder?.isYou === true ? 'take' : 'watch';
        listener.onControl(control.data);
        return;
      }
      case ServerFrame.failed:
        if (this.#isOpen) listener.onRefused(reasonOf(payload));
        else this.#ended(listener, payload);
        return;
      case ServerFrame.ended:
        this.#ended(listener, payload);
        return;
      default:
        return;
    }
  }

  #receiveTile(listener: TileListener, { type, payload }: Frame): void {
    if (type === ServerFrame.tile) {
      const tile = TilePayload.safeParse(decodeJson(payload));
      const drawn = this.#onDrawn(payload.length);
      if (tile.success) listener.onTile(tile.data);
      this.#line.afterPaint(drawn);
    } else if (type === ServerFrame.ended || type === ServerFrame.failed) {
      this.#ended(listener, payload);
    }
  }

  #ended(listener: ViewListener | TileListener, payload: Uint8Array): void {
    this.#line.onEnd();
    listener.onEnd(reasonOf(payload));
  }

  /** Hands over history and screen as one piece, shown at once. */
  #showWhole(listener: ViewListener, screen: Uint8Array): void {
    const parts = [encoder.encode(BEGIN_WHOLE), ...(this.#slices ?? []), screen, encoder.encode(END_WHOLE)];
    this.#slices = undefined;
    const onHistory = this.#onHistory;
    this.#onHistory = undefined;
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    const drawn = this.#onDrawn(screen.length);
    listener.onBytes(whole, () => {
      drawn();
      onHistory?.();
    });
  }

  /** Counts `bytes` as received; the returned function counts them as drawn, once, and acknowledges when it is time. */
  #onDrawn(bytes: number): () => void {
    const life = this.#life;
    this.#pending += bytes;
    let done = false;
    return () => {
      if (done || this.#life !== life) return;
      done = true;
      this.#pending -= bytes;
      this.#drawn += bytes;
      if (this.#drawn === 0 || (this.#drawn < ACK_EVERY_BYTES && this.#pending > 0)) return;
      this.#line.send(ClientFrame.ack, encodeAck(this.#drawn));
      this.#drawn = 0;
    };
  }
}
