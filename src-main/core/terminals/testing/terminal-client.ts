/** For tests: the client's side of a terminal link, with a terminal per channel, as a window has it. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import xterm from '@xterm/headless';
import type { Terminal } from '@xterm/headless';
import {
  ACK_EVERY_BYTES,
  ClientFrame,
  decodeFrame,
  encodeAck,
  encodeFrame,
  ServerFrame,
  TilePayload,
} from '#shared/terminals/frames.ts';
import type { ControlPayload, OpenPayload } from '#shared/terminals/frames.ts';

/** The client's end of a link. */
export interface ClientEnd {
  send(bytes: Uint8Array | string): void;
  onMessage(listener: (bytes: Uint8Array) => void): void;
  onClose(listener: (code: number) => void): void;
  close(): void;
}

/** Waits until `condition` gives something other than false or undefined; fails with `what` at the deadline. */
export async function until<T>(
  what: string | (() => string),
  condition: () => T | Promise<T>,
  deadlineMs = 15_000,
): Promise<Exclude<T, false | undefined>> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined) return value as Exclude<T, false | undefined>;
    if (performance.now() > deadline) throw new Error(`Not within ${deadlineMs} ms: ${typeof what === 'string' ? what : what()}`);
    await sleep(5);
  }
}

/** What a window writes before a whole history: everything is cleared. */
const WHOLE = Buffer.from('\x1b[?1049l\x1b[r\x1b[0m\x1b[H\x1b[2J\x1b[3J');

/** What waits to be drawn. */
interface Undrawn {
  readonly bytes: Uint8Array;
  readonly counts: number;
  readonly isWhole: boolean;
}

/** One view, as the client has it. */
export class ClientView {
  readonly terminal: Terminal;
  /** Types of the frames received, in order. */
  readonly types: number[] = [];
  readonly failures: { code: string; message: string }[] = [];
  historyText = '';
  /** Who has control, by every frame that said so. */
  readonly controls: ControlPayload[] = [];
  /** Scrollback and screen at each moment at which a whole history had been drawn. */
  readonly wholes: string[][] = [];
  /** What a tile showed last, and how many there were. */
  tile: TilePayload | undefined;
  tiles = 0;
  opened: { cols: number; rows: number; window: string } | undefined;
  ended: { code: string; message: string } | undefined;
  dataBytes = 0;
  /** Of all `data` so far. */
  readonly dataHash = createHash('sha256');
  receivedBytes = 0;
  acknowledgedBytes = 0;
  /** A frozen view draws nothing and acknowledges nothing. */
  isFrozen = false;
  #undrawn: Undrawn[] = [];
  #slices: Uint8Array[] | undefined;
  #drawn = 0;
  readonly #acknowledge: (bytes: number) => void;
  readonly channel: number;

  constructor(channel: number, size: { cols: number; rows: number }, acknowledge: (bytes: number) => void) {
    this.channel = channel;
    this.terminal = new xterm.Terminal({ ...size, scrollback: 10_000, allowProposedApi: true });
    this.#acknowledge = acknowledge;
  }

  receive(type: number, payload: Uint8Array): void {
    this.types.push(type);
    const json = (): unknown => JSON.parse(Buffer.from(payload).toString());
    switch (type) {
      case ServerFrame.opened:
        this.opened = json() as { cols: number; rows: number; window: string };
        this.terminal.resize(this.opened.cols, this.opened.rows);
        return;
      case ServerFrame.resized: {
        const size = json() as { cols: number; rows: number };
        // After what came before it.
        this.terminal.write('', () => this.terminal.resize(size.cols, size.rows));
        return;
      }
      case ServerFrame.ended:
        this.ended = json() as { code: string; message: string };
        return;
      case ServerFrame.failed:
        this.failures.push(json() as { code: string; message: string });
        return;
      case ServerFrame.control:
        this.controls.push(json() as ControlPayload);
        return;
      case ServerFrame.scrollback:
        this.#slices = [];
        this.historyText = '';
        return;
      case ServerFrame.tile:
        this.tile = TilePayload.parse(json());
        this.tiles += 1;
        this.#take(payload, payload.length, false);
        return;
      case ServerFrame.history:
        this.historyText += Buffer.from(payload).toString();
        this.#slices?.push(payload);
        this.#take(payload, payload.length, false);
        return;
      case ServerFrame.screen: {
        const parts = this.#slices ? [WHOLE, ...this.#slices, payload] : [payload];
        this.#slices = undefined;
        const isWhole = parts.length > 1;
        this.#take(Buffer.concat(parts), payload.length, true, isWhole);
        return;
      }
      default:
        if (type === ServerFrame.data) {
          this.dataBytes += payload.length;
          this.dataHash.update(payload);
        }
        this.#take(payload, payload.length, true);
    }
  }

  /** Draws `bytes`, if they are for drawing, and acknowledges `counts` of them. */
  #take(bytes: Uint8Array, counts: number, isDrawn: boolean, isWhole = false): void {
    this.receivedBytes += counts;
    const one = { bytes: isDrawn ? bytes : new Uint8Array(0), counts, isWhole };
    if (this.isFrozen) this.#undrawn.push(one);
    else this.#draw(one);
  }

  /** Draws and acknowledges what came in the meantime, and from then on everything at once. */
  thaw(): void {
    this.isFrozen = false;
    for (const one of this.#undrawn.splice(0)) this.#draw(one);
  }

  #draw({ bytes, counts, isWhole }: Undrawn): void {
    this.terminal.write(bytes, () => {
      if (isWhole) this.wholes.push(this.everything());
      this.#drawn += counts;
      const isAll = this.acknowledgedBytes + this.#drawn === this.receivedBytes;
      if (this.#drawn < ACK_EVERY_BYTES && !isAll) return;
      this.acknowledgedBytes += this.#drawn;
      this.#acknowledge(this.#drawn);
      this.#drawn = 0;
    });
  }

  /** The screen as lines of text. */
  lines(): string[] {
    const { active } = this.terminal.buffer;
    return Array.from({ length: this.terminal.rows }, (_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? '');
  }

  /** Scrollback and screen, without blanks at the ends of lines. */
  everything(): string[] {
    return [...this.scrollback(), ...this.lines()].map((line) => line.trimEnd());
  }

  /** What stands above the screen, as lines of text. */
  scrollback(): string[] {
    const { active } = this.terminal.buffer;
    return Array.from({ length: active.baseY }, (_, y) => active.getLine(y)?.translateToString(true) ?? '');
  }

  /** Who has control, as the last frame said: `you`, a name, or `nobody`. */
  get control(): string {
    const holder = this.controls.at(-1)?.holder;
    return holder ? (holder.isYou ? 'you' : holder.name) : 'nobody';
  }

  /** The lines of the last tile as text. */
  tileText(): string[] {
    return (this.tile?.rows ?? []).map((row) => row.map(([text]) => text).join(''));
  }

  /** Waits until the screen has `text`. */
  async shows(text: string, deadlineMs = 15_000): Promise<void> {
    await until(
      () => `"${text}" on the screen:\n${this.lines().join('\n')}`,
      () => this.lines().join('\n').includes(text),
      deadlineMs,
    );
  }
}

/** The client's side of a link. */
export class TerminalClient {
  readonly views = new Map<number, ClientView>();
  closeCode: number | undefined;
  readonly #end: ClientEnd;
  #nextChannel = 1;

  constructor(end: ClientEnd) {
    this.#end = end;
    end.onMessage((bytes) => {
      const frame = decodeFrame(bytes);
      // A copy: the bytes may be part of a buffer that is used again.
      if (frame) this.views.get(frame.channel)?.receive(frame.type, frame.payload.slice());
    });
    end.onClose((code) => {
      this.closeCode = code;
    });
  }

  /** Opens a channel; does not wait. */
  view(
    open: { agentId: string } & Partial<Omit<OpenPayload, 'agentId'>>,
    options: { isFrozen?: boolean; channel?: number } = {},
  ): ClientView {
    const channel = options.channel ?? this.#nextChannel;
    this.#nextChannel = Math.max(this.#nextChannel, channel) + 1;
    const size = { cols: open.cols ?? 80, rows: open.rows ?? 24 };
    const view = new ClientView(channel, size, (bytes) => this.send(ClientFrame.ack, channel, encodeAck(bytes)));
    view.isFrozen = options.isFrozen === true;
    this.views.set(channel, view);
    this.send(ClientFrame.open, channel, Buffer.from(JSON.stringify({ ...size, ...open })));
    return view;
  }

  type(view: ClientView, text: string): void {
    this.send(ClientFrame.input, view.channel, Buffer.from(text));
  }

  take(view: ClientView, force = false): void {
    this.send(ClientFrame.take, view.channel, Buffer.from(JSON.stringify({ force })));
  }

  release(view: ClientView): void {
    this.send(ClientFrame.release, view.channel, new Uint8Array(0));
  }

  /** Asks for the lines above the screen as they are now. */
  history(view: ClientView, lines: number): void {
    this.send(ClientFrame.history, view.channel, Buffer.from(JSON.stringify({ lines })));
  }

  resize(view: ClientView, cols: number, rows: number): void {
    this.send(ClientFrame.resize, view.channel, Buffer.from(JSON.stringify({ cols, rows })));
  }

  closeView(view: ClientView): void {
    this.send(ClientFrame.close, view.channel, new Uint8Array(0));
  }

  send(type: number, channel: number, payload: Uint8Array): void {
    this.#end.send(encodeFrame(type, channel, payload));
  }

  sendRaw(bytes: Uint8Array | string): void {
    this.#end.send(bytes);
  }

  close(): void {
    this.#end.close();
    for (const view of this.views.values()) view.terminal.dispose();
  }
}
