/**
 * The binary link for live terminals: frames `[u8 type][u32 channel, big endian][payload]`, the same on a WebSocket
 * and on a MessagePort. A client opens channels and numbers them; one channel is one view of one agent's window.
 *
 * A view of tier `live` gets, in this order: `opened`, `control`, `screen`, and `data` from there on without gap or repetition.
 * A `screen` may come before `control` besides, when the terminal is not attached to yet: what it showed a moment before.
 * Lines from above the screen come after it, and only when asked for (`historyLines` of `open`, or the frame `history`):
 * `scrollback`, slices of `history`, then another `screen`. The client keeps the slices, and when that `screen` is there it
 * writes in one go (DEC mode 2026): clear everything, the slices, the `screen`. `data` goes on behind it; between
 * `scrollback` and `screen` there is none. A second `scrollback` before the `screen` says: forget the slices so far.
 * A client that falls behind gets no more `data`; when it has caught up it gets a new `screen` in place of what it missed.
 * After `ended` the channel is free for another `open`.
 *
 * Control: a view watches until it has taken control; at most one view of an agent has it, whatever its window. `control`
 * says who, after `opened` and at every change. What is typed without it is refused (`failed`, CONFLICT).
 *
 * A view of tier `tile` gets `opened`, then `tile` whenever the lines changed, never more than one that is not acknowledged, and
 * at the end of the agent its last lines once more and `ended`. It takes no part in control and has no size.
 *
 * Flow control: the client acknowledges bytes it has drawn, every `ACK_EVERY_BYTES` or when nothing is pending. The payloads
 * of `history` (at once: it is kept, not drawn), `screen`, `data` and `tile` count, nothing else does.
 */
import * as z from 'zod';
import { Door } from '#shared/auth/model.ts';
import { AgentId } from '#shared/kernel/ids.ts';

/**
 * Frame types from the client.
 * - `open`: a view is wanted (`OpenPayload`).
 * - `input`: what was typed, as bytes.
 * - `resize`: the viewer has another size (`SizePayload`); it becomes the terminal's unless another view has control.
 * - `ack`: so many bytes more were drawn (`encodeAck`).
 * - `close`: the view is not wanted any more.
 * - `take`: asks for control (`TakePayload`); answered by `control`, or `failed` with CONFLICT that says who has it.
 * - `release`: gives control back. No payload.
 * - `history`: asks for lines from above the screen (`HistoryPayload`).
 */
export const ClientFrame = { open: 1, input: 2, resize: 3, ack: 4, close: 5, take: 6, release: 7, history: 8 } as const;
/**
 * Frame types from the core.
 * - `opened`: the view stands (`OpenedPayload`).
 * - `screen`: terminal output that draws the whole screen, whatever the terminal showed before; it leaves the scrollback alone.
 *   A screen larger than a frame goes on in `data` frames.
 * - `data`: terminal output.
 * - `ended`: nothing more comes on this channel, which is now closed (`ReasonPayload`, code one of `ENDED_CODES`).
 * - `failed`: what the client asked for on this channel was refused (`ReasonPayload`); a channel that was open stays open.
 * - `history`: lines from above the screen; the last slice ends with the line feeds that push them off the screen.
 * - `resized`: the terminal has another size from here on (`SizePayload`): all viewers share one size.
 * - `control`: who has control and how many look (`ControlPayload`).
 * - `tile`: the last lines of a screen (`TilePayload`).
 * - `scrollback`: `history` follows (`ScrollbackPayload`); slices of an earlier one that had no end are void.
 */
export const ServerFrame = {
  opened: 65,
  screen: 66,
  data: 67,
  ended: 68,
  failed: 69,
  history: 70,
  resized: 71,
  control: 72,
  tile: 73,
  scrollback: 74,
} as const;

/**
 * Why a view ended: the agent exited, was ended by a signal, its end was not seen, or the view alone was closed
 * (then `open` again shows the same run).
 */
export const ENDED_CODES = ['EXITED', 'SIGNALLED', 'LOST', 'DETACHED'] as const;
/** One of `ENDED_CODES`. */
export type EndedCode = (typeof ENDED_CODES)[number];

/** Most channels that one link may have open. */
export const MAX_CHANNELS = 128;

/** Acknowledge after this many bytes at the latest; must not exceed `LOW_WATER_BYTES`, or both sides would wait. */
export const ACK_EVERY_BYTES = 32 * 1024;
/** A view with more unacknowledged bytes gets no more until it is below `LOW_WATER_BYTES`. */
export const HIGH_WATER_BYTES = 512 * 1024;
/** See `HIGH_WATER_BYTES`. */
export const LOW_WATER_BYTES = 128 * 1024;
/** Largest frame either side may send, in bytes. */
export const MAX_FRAME_BYTES = 256 * 1024;

/** Most lines from above the screen that are kept and sent. */
export const MAX_HISTORY_LINES = 10_000;

/** Payload of `open`, as JSON. */
export const OpenPayload = z.object({
  agentId: AgentId,
  window: z.string().max(32).default('main'),
  /** Columns of the viewer; of a tile of no meaning. */
  cols: z.number().int().min(10).max(500),
  /** Rows of the viewer; of a tile the most lines it shows. */
  rows: z.number().int().min(2).max(300),
  /** Lines of history to send after the screen. */
  historyLines: z.number().int().min(0).max(MAX_HISTORY_LINES).default(0),
  /** `live`: all that the terminal prints. `tile`: its last lines, some times a second at most, for small pictures of it. */
  tier: z.enum(['live', 'tile']).default('live'),
  /** Whether to take control at once: if nobody else has it, or from whoever has. A refusal leaves the view open. */
  control: z.enum(['watch', 'take', 'force']).default('watch'),
});
/** Payload of `open`. */
export type OpenPayload = z.input<typeof OpenPayload>;

/** Payload of `take`, as JSON: `force` takes it from whoever has it. */
export const TakePayload = z.object({ force: z.boolean().default(false) });

/** Payload of the client's `history`, as JSON: how many lines from above the screen are wanted. */
export const HistoryPayload = z.object({ lines: z.number().int().min(1).max(MAX_HISTORY_LINES) });

/** Payload of `scrollback`, as JSON: how many lines of history follow. */
export const ScrollbackPayload = z.object({ lines: z.number().int() });

/** Payload of `control`, as JSON. */
export const ControlPayload = z.object({
  /**
   * Who has control: a person or the name of a token, by which door, since when (milliseconds since the epoch), and whether it
   * is this very view. Null when nobody has.
   */
  holder: z.object({ name: z.string(), door: Door, isYou: z.boolean(), since: z.number().int() }).nullable(),
  /** How many live views of the agent there are, this one included. */
  viewers: z.number().int(),
});
/** Payload of `control`. */
export type ControlPayload = z.infer<typeof ControlPayload>;

/** A colour: a number of the palette of 256, or `#rrggbb`. */
export const TileColour = z.union([z.number().int().min(0).max(255), z.string().regex(/^#[0-9a-f]{6}$/)]);
/** A colour: a number of the palette of 256, or `#rrggbb`. */
export type TileColour = z.infer<typeof TileColour>;

const flag = z.literal(true).optional();
/** How text looks; what is missing is as usual. */
export const TileStyle = z.object({
  fg: TileColour.optional(),
  bg: TileColour.optional(),
  bold: flag,
  dim: flag,
  italic: flag,
  underline: flag,
  inverse: flag,
  strike: flag,
});
/** How text looks. */
export type TileStyle = z.infer<typeof TileStyle>;

/** Text of one look. */
export const TileRun = z.union([z.tuple([z.string()]), z.tuple([z.string(), TileStyle])]);
/** Text of one look. */
export type TileRun = z.infer<typeof TileRun>;
/** A line: its runs from left to right, without blanks at its end. */
export type TileRow = readonly TileRun[];

/** Payload of `tile`, as JSON: the last rows of the screen that have content, in columns of the terminal. */
export const TilePayload = z.object({
  rows: z.array(z.array(TileRun)),
  cols: z.number().int(),
  /** Row counted in `rows`, column in cells; null when it is not in them. */
  cursor: z.object({ row: z.number().int(), col: z.number().int() }).nullable(),
});
/** Payload of `tile`. */
export type TilePayload = z.infer<typeof TilePayload>;

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
