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
  MAX_CHANNELS,
  MAX_FRAME_BYTES,
  OpenPayload,
  ServerFrame,
  SizePayload,
} from '#shared/terminals/frames.ts';
import type { Frame } from '#shared/terminals/frames.ts';
import type { Caller } from '#core/caller.ts';
import type { TerminalSize } from '#core/runtimes/runtime.ts';
import type { Duplex } from './duplex.ts';
import { CloseCode } from './duplex.ts';
import type { ViewSink } from './terminal-view.ts';
import type { TerminalsService, Viewer } from './terminals-service.ts';

/** With more than this on its way no view of the link gets anything, in bytes. */
const CONGESTED_BYTES = 4 * 1024 * 1024;
/** A client whose refusals pile up to this is cut off, in bytes. */
const FLOODED_BYTES = 16 * 1024 * 1024;
/** Keys typed between `open` and `opened` are kept up to this, in bytes. */
const MAX_EARLY_INPUT_BYTES = 64 * 1024;

/** One view on the link. */
interface Channel {
  viewer: Viewer | undefined;
  isClosed: boolean;
  earlyInput: Uint8Array[];
  earlyBytes: number;
  earlySize: TerminalSize | undefined;
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
    for (const [id, channel] of this.#channels) this.#drop(id, channel);
  }

  #drop(id: number, channel: Channel): void {
    channel.isClosed = true;
    channel.viewer?.dispose();
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
        const channel = this.#require(id);
        const size = parse(SizePayload, payload, 'resize');
        if (channel.viewer === undefined) channel.earlySize = size;
        else channel.viewer.resize(size);
        return;
      }
      case ClientFrame.ack: {
        if (payload.length !== 4) throw new AppError('BAD_REQUEST', 'The payload of an ack is a number of 4 bytes, big endian.');
        this.#channels.get(id)?.viewer?.acknowledge(decodeAck(payload));
        // The acknowledgement also tells that the link has drained, which others may wait for.
        for (const channel of this.#channels.values()) channel.viewer?.recheck();
        return;
      }
      case ClientFrame.close: {
        const channel = this.#channels.get(id);
        if (channel) this.#drop(id, channel);
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
    const channel: Channel = { viewer: undefined, isClosed: false, earlyInput: [], earlyBytes: 0, earlySize: undefined };
    this.#channels.set(id, channel);
    this.#options.terminals.watch(request, this.#options.caller, this.#sink(id, channel)).then(
      (viewer) => this.#opened(id, channel, viewer),
      (error: unknown) => {
        if (channel.isClosed) return;
        this.#drop(id, channel);
        this.#refuse(id, error);
      },
    );
  }

  #opened(id: number, channel: Channel, viewer: Viewer): void {
    if (channel.isClosed) {
      viewer.dispose();
      return;
    }
    channel.viewer = viewer;
    const { earlyInput, earlySize } = channel;
    channel.earlyInput = [];
    try {
      if (earlySize !== undefined) viewer.resize(earlySize);
      for (const bytes of earlyInput) this.#type(id, viewer, bytes);
    } catch (error) {
      this.#refuse(id, error);
    }
  }

  #input(id: number, payload: Uint8Array): void {
    const channel = this.#require(id);
    if (payload.length === 0) return;
    if (channel.viewer !== undefined) {
      this.#type(id, channel.viewer, payload);
      return;
    }
    channel.earlyBytes += payload.length;
    if (channel.earlyBytes > MAX_EARLY_INPUT_BYTES)
      throw new AppError('TOO_MANY_REQUESTS', 'Wait for "opened" before you type more.');
    channel.earlyInput.push(payload.slice());
  }

  #type(id: number, viewer: Viewer, bytes: Uint8Array): void {
    viewer.type(bytes)?.catch((error: unknown) => this.#refuse(id, error));
  }

  #require(id: number): Channel {
    const channel = this.#channels.get(id);
    if (!channel) throw new AppError('NOT_FOUND', `Channel ${id} is not open.`);
    return channel;
  }

  #sink(id: number, channel: Channel): ViewSink {
    const send = (type: number, payload: Uint8Array): void => {
      if (!channel.isClosed && !this.#isDisposed) this.#duplex.send(encodeFrame(type, id, payload));
    };
    const sendLong = (type: number, bytes: Uint8Array, typeOfRest: number): void => {
      send(type, bytes.subarray(0, MAX_FRAME_BYTES));
      for (let at = MAX_FRAME_BYTES; at < bytes.length; at += MAX_FRAME_BYTES)
        send(typeOfRest, bytes.subarray(at, at + MAX_FRAME_BYTES));
    };
    const duplex = this.#duplex;
    return {
      opened: (size, window) => send(ServerFrame.opened, json({ ...size, window })),
      history: (bytes) => sendLong(ServerFrame.history, bytes, ServerFrame.history),
      screen: (bytes) => sendLong(ServerFrame.screen, bytes, ServerFrame.data),
      data: (bytes) => sendLong(ServerFrame.data, bytes, ServerFrame.data),
      resized: (size) => send(ServerFrame.resized, json(size)),
      ended: (reason) => {
        send(ServerFrame.ended, json(reason));
        this.#drop(id, channel);
      },
      get isCongested() {
        return duplex.bufferedAmount > CONGESTED_BYTES;
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
