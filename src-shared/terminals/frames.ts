/**
 * The binary link for live terminals: frames `[u8 type][u32 channel, big endian][payload]`, the same on a WebSocket
 * and on a MessagePort. A client opens channels and numbers them; one channel is one view of one agent's window.
 *
 * Order on a channel: `opened`, then `history` slices if asked for, `screen`, and `data` from there on without gap or
 * repetition. A client that falls behind gets no more `data`; when it has caught up it gets a new `screen` in place of what
 * it missed. After `ended` the channel is free for another `open`.
 * Flow control: the client acknowledges bytes it has drawn, every `ACK_EVERY_BYTES` or when nothing is pending. The payloads
 * of `history`, `screen` and `data` count, nothing else does.
 */
import * as z from 'zod';
import { AgentId } from '#shared/kernel/ids.ts';

/** Frame types from the client. */
export const ClientFrame = { open: 1, input: 2, resize: 3, ack: 4, close: 5 } as const;
/**
 * Frame types from the core.
 * - `opened`: the view stands (`OpenedPayload`).
 * - `screen`: terminal output that draws the whole screen, whatever the terminal showed before; it leaves the scrollback alone.
 *   A screen larger than a frame goes on in `data` frames.
 * - `data`: terminal output.
 * - `ended`: nothing more comes on this channel, which is now closed (`ReasonPayload`, code one of `ENDED_CODES`).
 * - `failed`: what the client asked for on this channel was refused (`ReasonPayload`); a channel that was open stays open.
 * - `history`: lines from above the screen, to be written before it; the last slice pushes them off the screen.
 * - `resized`: the terminal has another size from here on (`SizePayload`): all viewers share one size.
 */
export const ServerFrame = { opened: 65, screen: 66, data: 67, ended: 68, failed: 69, history: 70, resized: 71 } as const;

/**
 * Why a view ended: the agent exited, was ended by a signal, its end was not seen, or the view alone was closed
 * (then `open` again shows the same run).
 */
export const ENDED_CODES = ['EXITED', 'SIGNALLED', 'LOST', 'DETACHED'] as const;
/** One of `ENDED_CODES`. */
export type EndedCode = (typeof ENDED_CODES)[number];

/** Most channels that one link may have open. */
export const MAX_CHANNELS = 64;

/** Acknowledge after this many bytes at the latest; must not exceed `LOW_WATER_BYTES`, or both sides would wait. */
export const ACK_EVERY_BYTES = 32 * 1024;
/** A view with more unacknowledged bytes gets no more until it is below `LOW_WATER_BYTES`. */
export const HIGH_WATER_BYTES = 512 * 1024;
/** See `HIGH_WATER_BYTES`. */
export const LOW_WATER_BYTES = 128 * 1024;
/** Largest frame either side may send, in bytes. */
export const MAX_FRAME_BYTES = 256 * 1024;

/** Payload of `open`, as JSON. */
export const OpenPayload = z.object({
  agentId: AgentId,
  window: z.string().max(32).default('main'),
  cols: z.number().int().min(10).max(500),
  rows: z.number().int().min(2).max(300),
  /** Lines of history to send before the screen. */
  historyLines: z.number().int().min(0).max(10_000).default(0),
});
/** Payload of `open`. */
export type OpenPayload = z.input<typeof OpenPayload>;

/** Payload of `resize`, as JSON. */
export const SizePayload = z.object({ cols: z.number().int().min(10).max(500), rows: z.number().int().min(2).max(300) });

/** Payload of `opened`, as JSON: the view stands; a `screen` frame follows. */
export const OpenedPayload = z.object({ cols: z.number().int(), rows: z.number().int(), window: z.string() });

/** Payload of `failed` and `ended`, as JSON: what happened and what to do. */
export const ReasonPayload = z.object({ code: z.string(), message: z.string() });

/** One frame. */
export interface Frame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Uint8Array;
}

/** Puts a frame into bytes. */
export function encodeFrame(type: number, channel: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 + payload.length);
  bytes[0] = type;
  new DataView(bytes.buffer).setUint32(1, channel);
  bytes.set(payload, 5);
  return bytes;
}

/** Reads a frame; undefined when the bytes are too short or too long to be one. */
export function decodeFrame(bytes: Uint8Array): Frame | undefined {
  if (bytes.length < 5 || bytes.length > MAX_FRAME_BYTES + 5) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { type: view.getUint8(0), channel: view.getUint32(1), payload: bytes.subarray(5) };
}

/** Payload of `ack`: how many bytes were drawn since the last one. */
export function encodeAck(bytes: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, bytes);
  return payload;
}

/** Reads the payload of `ack`; 0 when it is malformed. */
export function decodeAck(payload: Uint8Array): number {
  return payload.length === 4 ? new DataView(payload.buffer, payload.byteOffset, 4).getUint32(0) : 0;
}
