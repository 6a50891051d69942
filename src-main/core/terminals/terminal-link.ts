/**
 * Speaks the frames of src-shared/terminals/frames.ts with one client, over a WebSocket or a MessagePort.
 * Invariants: nothing a client sends makes the core throw; what is queued for a client that reads nothing is bounded; when
 * the link closes, every view on it does.
 */
import type * as z from 'zod';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { DisposableStack } from '#shared/kernel/disposable.ts';
import { AppError } from '#shared/kernel/errors.ts';
import {
  ClientFrame,
  decodeAck,
  decodeFrame,
  encodeFrame,
  HistoryPayload,
  MAX_CHANNELS,
  MAX_FRAME_BYTES,
  OpenPayload,
  ServerFrame,
  SizePayload,
  TakePayload,
} from '#shared/terminals/frames.ts';
import type { ControlPayload, Frame, ScrollbackPayload } from '#shared/terminals/frames.ts';
import type { Caller } from '#core/caller.ts';
import type { LeaveReason } from './control-leases.ts';
import type { Duplex } from './duplex.ts';
import { CloseCode } from './duplex.ts';
import type { Viewer, ViewerSink } from './live-viewer.ts';
import type { TerminalsService } from './terminals-service.ts';

/** With more than this on its way no view of the link gets anything, in bytes. */
const CONGESTED_BYTES = 4 * 1024 * 1024;
/** A client whose refusals pile up to this is cut off, in bytes. */
const FLOODED_BYTES = 16 * 1024 * 1024;
/** What is asked for between `open` and `opened` is kept up to this, in bytes. */
const MAX_EARLY_BYTES = 64 * 1024;
/** What a frame counts for besides its payload, in bytes. */
const FRAME_COST = 64;

/** Something that the client asks of a view. */
type Request = (viewer: Viewer) => unknown;

/** One view on the link. */
interface Channel {
  viewer: Viewer | undefined;
  isClosed: boolean;
  /** What was asked for before the view stood, in order. */
  early: Request[];
  earlyBytes: number;
  /** Who has control, when that could not be sent because the link was full. */
  owedControl: ControlPayload | undefined;
}

/** What a link needs. */
export interface TerminalLinkOptions {
  readonly duplex: Duplex;
  readonly caller: Caller;
  readonly terminals: TerminalsService;
  /** Told of what should not happen. */
  readonly log: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** One client's link. Ends when the other side closes it, or by `dispose`. */
export class TerminalLink implements Disposable {
  readonly #options: TerminalLinkOptions;
  readonly #duplex: Duplex;
  readonly #channels = new Map<number, Channel>();
  readonly #owned = new DisposableStack();
  #isDisposed = false;

  constructor(options: TerminalLinkOptions) {
    this.#options = options;
    this.#duplex = options.duplex;
    this.#owned.add(this.#duplex.onClose(() => this.#end()));
    this.#owned.add(this.#duplex.onMessage((bytes) => this.#receive(bytes)));
  }

  /** How many channels are open. */
  get channels(): number {
    return this.#channels.size;
  }

  /** Ends all views and closes the link. */
  dispose(): void {
    this.#close(CloseCode.goingAway, 'Quarterdeck has ended this link');
  }

  #close(code: number, reason: string): void {
    if (this.#isDisposed) return;
    this.#end();
    this.#duplex.close(code, reason);
  }

  #end(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#owned.dispose();
    for (const [id, channel] of this.#channels) this.#drop(id, channel, 'lost');
  }

  #drop(id: number, channel: Channel, reason: LeaveReason): void {
    channel.isClosed = true;
    channel.viewer?.leave(reason);
    if (this.#channels.get(id) === channel) this.#channels.delete(id);
  }

  #receive(bytes: Uint8Array | undefined): void {
    if (this.#isDisposed) return;
    if (bytes === undefined) {
      this.#close(CloseCode.unsupportedData, 'This link carries binary frames only');
      return;
    }
    const frame = decodeFrame(bytes);
    if (frame === undefined) {
      const isTooBig = bytes.length > MAX_FRAME_BYTES;
      this.#close(
        isTooBig ? CloseCode.tooBig : CloseCode.protocolError,
        isTooBig ? `A frame may carry at most ${MAX_FRAME_BYTES} bytes` : 'A frame has at least 5 bytes: type and channel',
      );
      return;
    }
    try {
      this.#handle(frame);
    } catch (error) {
      this.#refuse(frame.channel, error);
    }
  }

  #handle({ type, channel: id, payload }: Frame): void {
    switch (type) {
      case ClientFrame.open:
        this.#open(id, parse(OpenPayload, payload, 'open'));
        return;
      case ClientFrame.input:
        this.#input(id, payload);
        return;
      case ClientFrame.resize: {
        const size = parse(SizePayload, payload, 'resize');
        this.#ask(id, 0, (viewer) => viewer.resize(size));
        return;
      }
      case ClientFrame.take: {
        const { force } = parse(TakePayload, payload, 'take');
        this.#ask(id, 0, (viewer) => viewer.take(force));
        return;
      }
      case ClientFrame.release:
        this.#ask(id, 0, (viewer) => viewer.release());
        return;
      case ClientFrame.history: {
        const { lines } = parse(HistoryPayload, payload, 'history');
        this.#ask(id, 0, (viewer) => viewer.restore(lines));
        return;
      }
      case ClientFrame.ack: {
        if (payload.length !== 4) throw new AppError('BAD_REQUEST', 'The payload of an ack is a number of 4 bytes, big endian.');
        this.#channels.get(id)?.viewer?.acknowledge(decodeAck(payload));
        // The acknowledgement also tells that the link has drained, which others may wait for.
        for (const [other, channel] of this.#channels) {
          channel.viewer?.recheck();
          if (channel.owedControl && !this.#isCongested()) this.#sendControl(other, channel, channel.owedControl);
        }
        return;
      }
      case ClientFrame.close: {
        const channel = this.#channels.get(id);
        if (channel) this.#drop(id, channel, 'closed');
        return;
      }
      default:
        throw new AppError('BAD_REQUEST', `There is no client frame of type ${type}.`);
    }
  }

  #open(id: number, request: z.output<typeof OpenPayload>): void {
    if (this.#channels.has(id))
      throw new AppError('CONFLICT', `Channel ${id} is open already: close it first, or take another number.`);
    if (this.#channels.size >= MAX_CHANNELS) {
      throw new AppError('TOO_MANY_REQUESTS', `A link has at most ${MAX_CHANNELS} open channels: close one first.`, {
        data: { limit: MAX_CHANNELS },
      });
    }
    const channel: Channel = { viewer: undefined, isClosed: false, early: [], earlyBytes: 0, owedControl: undefined };
    this.#channels.set(id, channel);
    this.#options.terminals.watch(request, this.#options.caller, this.#sink(id, channel)).then(
      (viewer) => this.#opened(id, channel, viewer),
      (error: unknown) => {
        if (channel.isClosed) return;
        this.#drop(id, channel, 'ended');
        this.#refuse(id, error);
      },
    );
  }

  #opened(id: number, channel: Channel, viewer: Viewer): void {
    if (channel.isClosed) {
      viewer.leave(this.#isDisposed ? 'lost' : 'closed');
      return;
    }
    channel.viewer = viewer;
    for (const act of channel.early.splice(0)) this.#act(id, viewer, act);
  }

  #input(id: number, payload: Uint8Array): void {
    // A copy: the bytes may be typed later, and belong to a buffer that is used again.
    const bytes = payload.slice();
    this.#ask(id, bytes.length, (viewer) => (bytes.length === 0 ? undefined : viewer.type(bytes)));
  }

  /** Does what the client asked of a view, once it stands. */
  #ask(id: number, bytes: number, act: Request): void {
    const channel = this.#require(id);
    if (channel.viewer !== undefined) {
      this.#act(id, channel.viewer, act);
      return;
    }
    channel.earlyBytes += bytes + FRAME_COST;
    if (channel.earlyBytes > MAX_EARLY_BYTES)
      throw new AppError('TOO_MANY_REQUESTS', 'Wait for "opened" before you type or ask for more.');
    channel.early.push(act);
  }

  #act(id: number, viewer: Viewer, act: Request): void {
    try {
      const done = act(viewer);
      if (done instanceof Promise) done.catch((error: unknown) => this.#refuse(id, error));
    } catch (error) {
      this.#refuse(id, error);
    }
  }

  #require(id: number): Channel {
    const channel = this.#channels.get(id);
    if (!channel) throw new AppError('NOT_FOUND', `Channel ${id} is not open.`);
    return channel;
  }

  #isCongested(): boolean {
    return this.#duplex.bufferedAmount > CONGESTED_BYTES;
  }

  /** The newest is enough: a client that reads nothing is owed one at most. */
  #sendControl(id: number, channel: Channel, control: ControlPayload): void {
    channel.owedControl = control;
    if (channel.isClosed || this.#isDisposed || this.#isCongested()) return;
    channel.owedControl = undefined;
    this.#duplex.send(encodeFrame(ServerFrame.control, id, json(control)));
  }

  #sink(id: number, channel: Channel): ViewerSink {
    const send = (type: number, payload: Uint8Array): void => {
      if (!channel.isClosed && !this.#isDisposed) this.#duplex.send(encodeFrame(type, id, payload));
    };
    const sendLong = (type: number, bytes: Uint8Array, typeOfRest: number): void => {
      send(type, bytes.subarray(0, MAX_FRAME_BYTES));
      for (let at = MAX_FRAME_BYTES; at < bytes.length; at += MAX_FRAME_BYTES)
        send(typeOfRest, bytes.subarray(at, at + MAX_FRAME_BYTES));
    };
    const isCongested = (): boolean => this.#isCongested();
    return {
      opened: (size, window) => send(ServerFrame.opened, json({ ...size, window })),
      control: (control) => this.#sendControl(id, channel, control),
      refused: (error) => {
        if (!channel.isClosed) this.#refuse(id, error);
      },
      tile: (payload) => send(ServerFrame.tile, payload),
      scrollback: (lines) => send(ServerFrame.scrollback, json({ lines } satisfies z.input<typeof ScrollbackPayload>)),
      history: (bytes) => sendLong(ServerFrame.history, bytes, ServerFrame.history),
      screen: (bytes) => sendLong(ServerFrame.screen, bytes, ServerFrame.data),
      data: (bytes) => sendLong(ServerFrame.data, bytes, ServerFrame.data),
      resized: (size) => send(ServerFrame.resized, json(size)),
      ended: (reason) => {
        send(ServerFrame.ended, json(reason));
        this.#drop(id, channel, 'ended');
      },
      get isCongested() {
        return isCongested();
      },
    };
  }

  #refuse(id: number, error: unknown): void {
    if (this.#isDisposed) return;
    if (!(error instanceof AppError)) this.#options.log('A terminal frame could not be handled', { error });
    const reason =
      error instanceof AppError
        ? { code: error.code, message: error.message }
        : { code: 'INTERNAL', message: 'Something went wrong in Quarterdeck; its log has the details.' };
    this.#duplex.send(encodeFrame(ServerFrame.failed, id, json(reason)));
    if (this.#duplex.bufferedAmount > FLOODED_BYTES)
      this.#close(CloseCode.policy, 'Too many refused frames that were never read');
  }
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

/** Reads a JSON payload; BAD_REQUEST with the reason when it is not what it should be. */
function parse<S extends z.ZodType>(schema: S, payload: Uint8Array, name: string): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('utf8'));
  } catch {
    throw new AppError('BAD_REQUEST', `The payload of "${name}" is not JSON.`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new AppError(
    'BAD_REQUEST',
    `The payload of "${name}" is not valid: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trimEnd(),
  );
}
