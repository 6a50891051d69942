/**
 * Small pictures of one window of one run: its last lines, for any number of tiles.
 *
 * The screen is captured, often while it changes and about once a second while it does not; nobody attaches. A tile gets its
 * lines when they are others than it has, and none before it has acknowledged the last: one that is not painted costs
 * nothing, and when all are like that, or gone, nothing is captured.
 */
import type { Disposable } from '#shared/kernel/disposable.ts';
import { MAX_FRAME_BYTES } from '#shared/terminals/frames.ts';
import type { TilePayload } from '#shared/terminals/frames.ts';
import type { Run, TerminalCapture } from '#core/runtimes/runtime.ts';
import { AnsiLines, tileRow } from './ansi-lines.ts';
import { endReason } from './terminal-hub.ts';
import { endOf } from './terminal-hubs.ts';
import type { EndReason } from './view-ports.ts';

/** Between two looks at a screen that changes, in ms, while there are few. */
export const QUICK_LOOK_MS = 125;
/**
 * With more feeds looks are so much further apart for each, in ms, up to four a second: a picture costs a window some
 * milliseconds, which keys typed beside a wall of them wait for (measured with twelve: p95 of an echo 117 ms at 125, 84 at 200).
 */
const LOOK_SHARE_MS = 16;
const SHARED_LOOK_MS = 240;
/** With very many so much, in ms: 250 looks a second are what the core has time for. */
const LEAST_SHARE_MS = 4;
/** Between two looks at one that does not, in ms. */
export const SLOW_LOOK_MS = 1_000;
/** So much longer is each wait while nothing changes. */
const BACKOFF = 1.5;

/**
 * Nobody looks at tiles for so long after a key, in ms: tmux and the page that draws a wall have the key's echo to bring first.
 */
const ECHO_MS = 50;
/** While somebody types, and for so long after, looks are twice as far apart, in ms. */
const TYPING_MS = 1_000;
/** Looks that a key puts off come at the latest so much later, in ms: whoever types on and on stops no wall. */
const MOST_PUT_OFF_MS = 250;

/** Between two looks at a screen that changes, with so many feeds, in ms. */
export function quickLookMs(feeds: number): number {
  return Math.max(QUICK_LOOK_MS, Math.min(SHARED_LOOK_MS, feeds * LOOK_SHARE_MS), feeds * LEAST_SHARE_MS);
}

/** When somebody typed last, for those who give way to it. */
export class TypingClock {
  #typedAt = Number.NEGATIVE_INFINITY;

  /** A key was typed. */
  typed(): void {
    this.#typedAt = performance.now();
  }

  /** How long an echo may still be under way, in ms; 0 when none is. */
  get echoMs(): number {
    return Math.max(0, this.#typedAt + ECHO_MS - performance.now());
  }

  /** Whether somebody types. */
  get isTyping(): boolean {
    return performance.now() - this.#typedAt < TYPING_MS;
  }
}

/** Where a tile's lines go. */
export interface TileSink {
  /** Sends one `TilePayload`, as JSON that fits a frame. */
  tile(json: Uint8Array): void;
  /** The last call. */
  ended(reason: EndReason): void;
  /** See `ViewSink.isCongested`. */
  readonly isCongested: boolean;
}

/** A tile's place in a feed. */
export interface TileSeat extends Disposable {
  /** The tile has drawn so many bytes more. */
  acknowledge(bytes: number): void;
  /** Looks again whether something can be sent; for when the link has drained. */
  recheck(): void;
}

/** The last lines of a capture with content, at most `limit`, and where the cursor is among them. */
export function tileOf(capture: TerminalCapture, limit: number): TilePayload {
  const reader = new AnsiLines();
  const screen = capture.lines.slice(-capture.size.rows).map((line) => reader.read(line));
  let last = screen.length - 1;
  while (last >= 0 && tileRow(screen[last] ?? []).length === 0) last -= 1;
  const first = Math.max(0, last + 1 - limit);
  const rows = screen.slice(first, last + 1).map((runs) => [...tileRow(runs)]);
  const { x, y } = capture.cursor;
  return { rows, cols: capture.size.cols, cursor: y >= first && y <= last ? { row: y - first, col: x } : null };
}

/** A tile as JSON that fits a frame: a screen of the largest size in ever-changing colours loses them, then its upper lines. */
export function jsonOf(tile: TilePayload): Buffer {
  const whole = Buffer.from(JSON.stringify(tile));
  if (whole.length <= MAX_FRAME_BYTES) return whole;
  const rows = tile.rows.map((row) => (row.length === 0 ? [] : [[row.map(([text]) => text).join('')] satisfies [string]]));
  for (let from = 0; ; from += Math.ceil((rows.length - from) / 2)) {
    const row = (tile.cursor?.row ?? -1) - from;
    const cursor = tile.cursor && row >= 0 ? { row, col: tile.cursor.col } : null;
    const json = Buffer.from(JSON.stringify({ ...tile, rows: rows.slice(from), cursor }));
    if (json.length <= MAX_FRAME_BYTES || from >= rows.length) return json;
  }
}

interface Seat {
  readonly limit: number;
  readonly sink: TileSink;
  unacknowledged: number;
  /** What it was sent last. */
  sent: Buffer;
}

/** What is known of the screen. */
interface Seen {
  readonly key: string;
  readonly capture: TerminalCapture;
}

/** The tiles of one window of one run. */
export class TileFeed {
  readonly #run: Run;
  readonly #window: string;
  readonly #onEmpty: () => void;
  readonly #seats = new Set<Seat>();
  #seen: Seen | undefined;
  #end: EndReason | undefined;
  readonly #quickMs: () => number;
  #waitMs = QUICK_LOOK_MS;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  readonly #typing: TypingClock;
  /** How long the next look was put off so far, in ms. */
  #putOffMs = 0;

  /** `onEmpty` is called when the last tile has gone; `quickMs` says how often it may look, `typing` when it gives way. */
  constructor(
    run: Run,
    window: string,
    onEmpty: () => void,
    quickMs: () => number = () => QUICK_LOOK_MS,
    typing: TypingClock = new TypingClock(),
  ) {
    this.#typing = typing;
    this.#quickMs = quickMs;
    this.#run = run;
    this.#window = window;
    this.#onEmpty = onEmpty;
  }

  /** Adds a tile of at most `limit` lines. */
  join(limit: number, sink: TileSink): TileSeat {
    const seat: Seat = { limit, sink, unacknowledged: 0, sent: Buffer.alloc(0) };
    this.#seats.add(seat);
    this.#waitMs = QUICK_LOOK_MS;
    this.#lookIn(0);
    return {
      acknowledge: (bytes) => {
        const wasWaiting = seat.unacknowledged > 0;
        seat.unacknowledged = Math.max(0, seat.unacknowledged - bytes);
        if (wasWaiting && seat.unacknowledged === 0) this.#isFree(seat);
      },
      recheck: () => {
        if (canTake(seat)) this.#isFree(seat);
      },
      dispose: () => this.#remove(seat),
    };
  }

  #remove(seat: Seat): void {
    if (!this.#seats.delete(seat) || this.#seats.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#onEmpty();
  }

  /** The tile can take more: what is known and new to it at once, then the looking goes on. */
  #isFree(seat: Seat): void {
    if (!this.#seats.has(seat)) return;
    this.#offer(seat);
    if (this.#end === undefined) this.#lookIn(this.#waitMs);
  }

  #lookIn(ms: number): void {
    if (this.#isLooking || (this.#timer !== undefined && ms > 0)) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      const { echoMs } = this.#typing;
      if (echoMs > 0 && this.#putOffMs + echoMs <= MOST_PUT_OFF_MS) {
        this.#putOffMs += echoMs;
        this.#lookIn(echoMs);
        return;
      }
      this.#putOffMs = 0;
      this.#look().catch(() => undefined);
    }, ms).unref();
  }

  async #look(): Promise<void> {
    if (![...this.#seats].some(canTake)) return;
    this.#isLooking = true;
    try {
      const end = await endOf(this.#run);
      const capture = await this.#run
        .capture({ historyLines: 0, ansi: true, window: this.#window })
        .catch((): undefined => undefined);
      if (end !== undefined) this.#end = endReason(end);
      if (capture === undefined) this.#waitMs = SLOW_LOOK_MS;
      else this.#take(capture);
    } finally {
      this.#isLooking = false;
    }
    for (const seat of this.#seats) this.#offer(seat);
    if (this.#end === undefined && this.#seats.size > 0) this.#lookIn(this.#waitMs);
  }

  #take(capture: TerminalCapture): void {
    const { cursor, size } = capture;
    const key = [capture.lines.join('\n'), cursor.x, cursor.y, size.cols, size.rows].join(' ');
    if (key === this.#seen?.key) {
      this.#waitMs = Math.min(SLOW_LOOK_MS, this.#waitMs * BACKOFF);
    } else {
      this.#seen = { key, capture };
      this.#waitMs = this.#quickMs();
    }
  }

  /** Sends what a tile does not have, if it can take it, and the end behind it. */
  #offer(seat: Seat): void {
    if (!canTake(seat)) return;
    if (this.#seen !== undefined) {
      const json = jsonOf(tileOf(this.#seen.capture, seat.limit));
      if (!json.equals(seat.sent)) {
        seat.sent = json;
        seat.unacknowledged = json.length;
        seat.sink.tile(json);
      }
    }
    if (this.#end === undefined) return;
    const end = this.#end;
    this.#remove(seat);
    seat.sink.ended(end);
  }
}

function canTake(seat: Seat): boolean {
  return seat.unacknowledged === 0 && !seat.sink.isCongested;
}

/** The feeds that are open: one for each window of a run that has tiles. */
export class TileFeeds {
  readonly #typing = new TypingClock();
  readonly #feeds = new Map<string, TileFeed>();

  /** How many there are. */
  get size(): number {
    return this.#feeds.size;
  }

  /** A key was typed into some terminal: what else is drawn gives way to its echo. */
  typed(): void {
    this.#typing.typed();
  }

  /** Adds a tile. */
  join(run: Run, window: string, limit: number, sink: TileSink): TileSeat {
    const key = `${run.runId}/${window}`;
    let feed = this.#feeds.get(key);
    if (feed === undefined) {
      const made: TileFeed = new TileFeed(
        run,
        window,
        () => {
          if (this.#feeds.get(key) === made) this.#feeds.delete(key);
        },
        () => quickLookMs(this.#feeds.size) * (this.#typing.isTyping ? 2 : 1),
        this.#typing,
      );
      feed = made;
      this.#feeds.set(key, made);
    }
    return feed.join(limit, sink);
  }
}
