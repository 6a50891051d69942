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
import type { OpenPayload } from '#shared/terminals/frames.ts';
import { ClientFrame, decodeFrame, encodeFrame, MAX_FRAME_BYTES } from '#shared/terminals/frames.ts';
import type { ExpectedView } from './expected-view.ts';
import { EarlyListener, isExpected } from './expected-view.ts';
import type { BytePipe, Transport } from './line.ts';
import type { ChannelLine } from './terminal-channel.ts';
import { encodeJson, TerminalChannel } from './terminal-channel.ts';
import type { TerminalView, TileListener, TileRequest, ViewListener } from './terminal-view.ts';

/** An expected view that no page has asked for after so long is closed, in milliseconds: code of a page may have to come first. */
const EXPECTED_MS = 3_000;

/** Settings of a link. */
export interface TerminalLinkOptions {
  readonly backoff?: BackoffPolicy;
  /** Calls back after the next painting of the page: a page that is not painted gets no further tiles. */
  readonly afterPaint?: (callback: () => void) => void;
}

function nextFrame(callback: () => void): void {
  requestAnimationFrame(() => callback());
}

const encoder = new TextEncoder();

/** The one pipe of this window's terminals, and the views that share it. */
export class TerminalLink {
  readonly #transport: Transport;
  readonly #backoff: BackoffPolicy;
  readonly #afterPaint: (callback: () => void) => void;
  readonly #channels = new Map<number, TerminalChannel>();
  readonly #end = new AbortController();
  #pipe: BytePipe | undefined;
  /** When the pipe came, in milliseconds since the epoch. */
  #adoptedAt = 0;
  #isOpening = false;
  #lastNumber = 0;
  /** What the last view was opened with, and its size now: the next one will have it too. */
  #lastOpen: OpenPayload | undefined;
  #expected: ExpectedView | undefined;
  #wake: () => void = () => undefined;

  constructor(transport: Transport, { backoff = RECONNECT, afterPaint = nextFrame }: TerminalLinkOptions = {}) {
    this.#transport = transport;
    this.#backoff = backoff;
    this.#afterPaint = afterPaint;
  }

  /** Opens a view. The listener hears from it, from the next microtask at the soonest, until it ends or is closed. */
  open(open: OpenPayload, listener: ViewListener): TerminalView {
    const expected = this.#expected;
    if (expected === undefined || !isExpected(expected, open)) {
      this.#forgetExpected();
      this.#lastOpen = { ...open, tier: 'live' };
      return this.#open(this.#lastOpen, listener);
    }
    clearTimeout(expected.timer);
    this.#expected = undefined;
    expected.open.cols = open.cols;
    expected.open.rows = open.rows;
    this.#lastOpen = expected.open;
    expected.early.handOver(listener);
    return expected.view;
  }

  /**
   * Opens the view of a main window that a page will ask for in a moment, with the size that the last view had. It is closed
   * again when nothing asks for it. Nothing happens before there was a first view.
   */
  expect(agentId: AgentId): void {
    if (this.#lastOpen === undefined || this.#end.signal.aborted) return;
    this.#forgetExpected();
    const open: OpenPayload = { ...this.#lastOpen, agentId, window: 'main', control: 'watch' };
    const early = new EarlyListener();
    const timer = setTimeout(() => this.#forgetExpected(), EXPECTED_MS);
    this.#expected = { agentId, open, early, view: this.#open(open, early), timer };
  }

  #forgetExpected(): void {
    if (this.#expected === undefined) return;
    clearTimeout(this.#expected.timer);
    this.#expected.view.close();
    this.#expected = undefined;
  }

  #open(open: OpenPayload, listener: ViewListener): TerminalView {
    const channel = this.#add(open, listener, undefined);
    return {
      input: (text) => this.#sendInput(channel, encoder.encode(text)),
      resize: ({ cols, rows }) => {
        channel.open.cols = cols;
        channel.open.rows = rows;
        this.#send(ClientFrame.resize, channel.number, encodeJson({ cols, rows }));
      },
      take: (force = false) => this.#send(ClientFrame.take, channel.number, encodeJson({ force })),
      release: () => {
        channel.open.control = 'watch';
        this.#send(ClientFrame.release, channel.number, new Uint8Array());
      },
      history: (lines, drawn) => channel.askHistory(lines, drawn),
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
    clearTimeout(this.#expected?.timer);
    this.#channels.clear();
    this.#pipe?.close();
    this.#wake();
  }

  #add(open: OpenPayload, listener: ViewListener | undefined, tile: TileListener | undefined): TerminalChannel {
    this.#lastNumber += 1;
    const number = this.#lastNumber;
    const line: ChannelLine = {
      number,
      send: (type, payload) => this.#send(type, number, payload),
      onEnd: () => this.#channels.delete(number),
      afterPaint: this.#afterPaint,
    };
    const channel = new TerminalChannel(line, open, listener, tile);
    this.#channels.set(number, channel);
    if (this.#pipe) channel.restart();
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
      for (const channel of this.#channels.values()) channel.lost();
      if (this.#channels.size > 0) this.#ensurePipe();
    };
    for (const channel of this.#channels.values()) channel.restart();
  }

  /** A paste can be larger than a frame may be. */
  #sendInput(channel: TerminalChannel, bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; start += MAX_FRAME_BYTES) {
      this.#send(ClientFrame.input, channel.number, bytes.subarray(start, start + MAX_FRAME_BYTES));
    }
  }

  #send(type: number, channel: number, payload: Uint8Array): void {
    if (!this.#channels.has(channel)) return;
    this.#pipe?.send(new Uint8Array(encodeFrame(type, channel, payload)));
  }

  #close(channel: TerminalChannel): void {
    this.#send(ClientFrame.close, channel.number, new Uint8Array());
    this.#channels.delete(channel.number);
  }

  #receive(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    if (frame) this.#channels.get(frame.channel)?.receive(frame);
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
