/**
 * Every terminal of this window over one pipe of binary frames (src-shared/terminals/frames.ts).
 * The pipe is opened for the first view and then kept; when it is lost while there are views it is opened again, and
 * with it every view: each then gets its whole screen anew.
 */
import type { BackoffPolicy } from '#shared/kernel/backoff.ts';
import { backoffMs, RECONNECT } from '#shared/kernel/backoff.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import type { ControlPayload, Frame, OpenPayload, TilePayload } from '#shared/terminals/frames.ts';
import {
  ACK_EVERY_BYTES,
  ClientFrame,
  ControlPayload as ControlSchema,
  decodeFrame,
  encodeAck,
  encodeFrame,
  MAX_FRAME_BYTES,
  OpenedPayload,
  ReasonPayload,
  ServerFrame,
  SizePayload,
  TilePayload as TileSchema,
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
  /** Who has control and how many look: after `onOpened`, and at every change. */
  onControl(control: ControlPayload): void;
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
  /** Types text or bytes, as xterm hands them over. Refused (`onRefused`, CONFLICT) without control. */
  input(text: string): void;
  resize(size: TerminalSize): void;
  /**
   * Asks for control. `onControl` tells when it is there; `onRefused` (CONFLICT) who else has it. `force` takes it from them.
   * A view that has it takes it again by itself after the pipe was lost, unless somebody else has taken it meanwhile.
   */
  take(force?: boolean): void;
  /** Gives control back. Closing the view does, too. */
  release(): void;
  /**
   * Asks for what stands above the screen now, at most `lines` lines. It comes as one piece of `onBytes` that replaces all that
   * the terminal holds, its scrollback included. `drawn` is called when that is on the screen: the place to scroll back to
   * where the reader was. Never called when the view ends or is lost first; a second call before that replaces the first.
   */
  history(lines: number, drawn: () => void): void;
  close(): void;
}

/** What a tile is told. */
export interface TileListener {
  /** The last lines of the screen, at once and whenever they changed. */
  onTile(tile: TilePayload): void;
  /** Nothing more comes: the agent ended, or there is no terminal to be shown. What was told last stays true. */
  onEnd(reason: ViewReason): void;
}

/** Which tile is wanted. */
export interface TileRequest {
  readonly agentId: AgentId;
  /** By default the main one. */
  readonly window?: string;
  /** The most lines, from the last one with content upwards: 2 to 300. 300 is the whole screen. */
  readonly rows: number;
}

/** Settings of a link. */
export interface TerminalLinkOptions {
  readonly backoff?: BackoffPolicy;
  /** Calls back after the next painting of the page: a page that is not painted gets no further tiles. */
  readonly afterPaint?: (callback: () => void) => void;
}

interface Channel {
  readonly number: number;
  readonly open: OpenPayload;
  /** Undefined on a tile. */
  readonly listener: ViewListener | undefined;
  readonly tile: TileListener | undefined;
  /** Received and not yet drawn. */
  pending: number;
  /** Drawn and not yet acknowledged. */
  drawn: number;
  /** Whether the core said that the view stands. */
  isOpen: boolean;
  /** Counts pipes, so that bytes of an earlier one are not acknowledged on the next. */
  life: number;
  /** Slices of history that wait for the screen below them; undefined when none is under way. */
  slices: Uint8Array[] | undefined;
  /** Told when the history that was asked for is drawn. */
  onHistory: (() => void) | undefined;
}

/** Before a whole history: nothing is shown until it is all there, everything that was is cleared. */
const BEGIN_WHOLE = '\u001b[?2026h\u001b[?1049l\u001b[r\u001b[0m\u001b[H\u001b[2J\u001b[3J';
/** After it. */
const END_WHOLE = '\u001b[?2026l';

function nextFrame(callback: () => void): void {
  requestAnimationFrame(() => callback());
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
  readonly #afterPaint: (callback: () => void) => void;
  readonly #channels = new Map<number, Channel>();
  readonly #end = new AbortController();
  #pipe: BytePipe | undefined;
  /** When the pipe came, in milliseconds since the epoch. */
  #adoptedAt = 0;
  #isOpening = false;
  #lastNumber = 0;
  #wake: () => void = () => undefined;

  constructor(transport: Transport, { backoff = RECONNECT, afterPaint = nextFrame }: TerminalLinkOptions = {}) {
    this.#transport = transport;
    this.#backoff = backoff;
    this.#afterPaint = afterPaint;
  }

  /** Opens a view. The listener hears from it until it ends or is closed. */
  open(open: OpenPayload, listener: ViewListener): TerminalView {
    const channel = this.#add({ ...open, tier: 'live' }, listener, undefined);
    return {
      input: (text) => this.#sendInput(channel, encoder.encode(text)),
      resize: ({ cols, rows }) => {
        channel.open.cols = cols;
        channel.open.rows = rows;
        this.#send(ClientFrame.resize, channel, encodeJson({ cols, rows }));
      },
      take: (force = false) => this.#send(ClientFrame.take, channel, encodeJson({ force })),
      release: () => {
        channel.open.control = 'watch';
        this.#send(ClientFrame.release, channel, new Uint8Array());
      },
      history: (lines, drawn) => {
        channel.onHistory = drawn;
        this.#send(ClientFrame.history, channel, encodeJson({ lines }));
      },
      close: () => this.#close(channel),
    };
  }

  /** Shows the last lines of a terminal, for a small picture of it. It costs nothing while the page is not painted. */
  openTile({ agentId, window = 'main', rows }: TileRequest, listener: TileListener): Disposable {
    const channel = this.#add({ agentId, window, rows, cols: 80, tier: 'tile' }, undefined, listener);
    return toDisposable(() => this.#close(channel));
  }

  /**
   * Tries again now, if a view waits for a pipe. `lostAt`: when the window last lost its line to the core, in milliseconds
   * since the epoch. A pipe from before that, which nobody closed, leads where the line led: what is typed into it is lost
   * without a word. It is given up for a new one.
   */
  retry(lostAt = -Infinity): void {
    const pipe = this.#pipe;
    if (pipe !== undefined && this.#adoptedAt < lostAt) {
      // What still comes out of it belongs to views that are opened anew.
      pipe.onBytes = () => undefined;
      pipe.onGone();
      pipe.close();
    }
    this.#wake();
  }

  dispose(): void {
    this.#end.abort();
    this.#channels.clear();
    this.#pipe?.close();
    this.#wake();
  }

  #add(open: OpenPayload, listener: ViewListener | undefined, tile: TileListener | undefined): Channel {
    this.#lastNumber += 1;
    const channel: Channel = {
      number: this.#lastNumber,
      open,
      listener,
      tile,
      pending: 0,
      drawn: 0,
      isOpen: false,
      life: 0,
      slices: undefined,
      onHistory: undefined,
    };
    this.#channels.set(channel.number, channel);
    if (this.#pipe) this.#sendOpen(channel);
    else this.#ensurePipe();
    return channel;
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
    this.#adoptedAt = Date.now();
    pipe.onBytes = (bytes) => this.#receive(bytes);
    pipe.onGone = () => {
      if (this.#pipe !== pipe) return;
      this.#pipe = undefined;
      for (const channel of this.#channels.values()) channel.listener?.onLost();
      if (this.#channels.size > 0) this.#ensurePipe();
    };
    for (const channel of this.#channels.values()) this.#sendOpen(channel);
  }

  #sendOpen(channel: Channel): void {
    channel.pending = 0;
    channel.drawn = 0;
    channel.isOpen = false;
    channel.slices = undefined;
    channel.onHistory = undefined;
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
    if (channel.tile) this.#receiveTile(channel, channel.tile, frame);
    else if (channel.listener) this.#receiveLive(channel, channel.listener, frame);
  }

  #receiveLive(channel: Channel, listener: ViewListener, { type, payload }: Frame): void {
    switch (type) {
      case ServerFrame.opened: {
        const opened = OpenedPayload.safeParse(decodeJson(payload));
        if (!opened.success) return;
        channel.isOpen = true;
        listener.onOpened(opened.data);
        return;
      }
      case ServerFrame.scrollback:
        channel.slices = [];
        return;
      case ServerFrame.history:
        channel.slices?.push(payload);
        // It is kept, not drawn: more may come at once.
        this.#onDrawn(channel, payload.length)();
        return;
      case ServerFrame.screen:
        if (channel.slices) this.#showWhole(channel, listener, payload);
        else listener.onBytes(payload, this.#onDrawn(channel, payload.length));
        return;
      case ServerFrame.data:
        listener.onBytes(payload, this.#onDrawn(channel, payload.length));
        return;
      case ServerFrame.resized: {
        const size = SizePayload.safeParse(decodeJson(payload));
        if (size.success) listener.onResized(size.data);
        return;
      }
      case ServerFrame.control: {
        const control = ControlSchema.safeParse(decodeJson(payload));
        if (!control.success) return;
        // What the next pipe asks for: a view that has control now wants it back then.
        channel.open.control = control.data.holder?.isYou === true ? 'take' : 'watch';
        listener.onControl(control.data);
        return;
      }
      case ServerFrame.failed:
        if (channel.isOpen) listener.onRefused(reasonOf(payload));
        else this.#ended(channel, listener, payload);
        return;
      case ServerFrame.ended:
        this.#ended(channel, listener, payload);
        return;
      default:
        return;
    }
  }

  #receiveTile(channel: Channel, listener: TileListener, { type, payload }: Frame): void {
    if (type === ServerFrame.tile) {
      const tile = TileSchema.safeParse(decodeJson(payload));
      const drawn = this.#onDrawn(channel, payload.length);
      if (tile.success) listener.onTile(tile.data);
      this.#afterPaint(drawn);
    } else if (type === ServerFrame.ended || type === ServerFrame.failed) {
      this.#ended(channel, listener, payload);
    }
  }

  #ended(channel: Channel, listener: ViewListener | TileListener, payload: Uint8Array): void {
    this.#channels.delete(channel.number);
    listener.onEnd(reasonOf(payload));
  }

  /** Hands over history and screen as one piece, shown at once. */
  #showWhole(channel: Channel, listener: ViewListener, screen: Uint8Array): void {
    const parts = [encoder.encode(BEGIN_WHOLE), ...(channel.slices ?? []), screen, encoder.encode(END_WHOLE)];
    channel.slices = undefined;
    const { onHistory } = channel;
    channel.onHistory = undefined;
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    const drawn = this.#onDrawn(channel, screen.length);
    listener.onBytes(whole, () => {
      drawn();
      onHistory?.();
    });
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
