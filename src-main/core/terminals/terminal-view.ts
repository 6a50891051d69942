/**
 * One viewer of one terminal: what it gets and when.
 *
 * Invariants: what a viewer was sent and has not acknowledged stays below `HIGH_WATER_BYTES` + one batch + one screen, whatever
 * the agent prints; a viewer that falls behind gets a new screen instead of what it missed, so its screen is always right
 * once it has caught up; nothing here ever makes the terminal or another viewer wait.
 */
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from '#shared/terminals/frames.ts';
import type { EndedCode } from '#shared/terminals/frames.ts';
import type { TerminalSize } from '#core/runtimes/runtime.ts';
import type { Snapshot } from './screen-mirror.ts';

/** Why a view ended, in code and words. */
export interface EndReason {
  readonly code: EndedCode;
  readonly message: string;
}

/** Where a view's output goes. Payloads of any size: whoever implements it cuts them into frames. */
export interface ViewSink {
  opened(size: TerminalSize, window: string): void;
  history(bytes: Uint8Array): void;
  screen(bytes: Uint8Array): void;
  data(bytes: Uint8Array): void;
  resized(size: TerminalSize): void;
  /** The last call: the view is closed. */
  ended(reason: EndReason): void;
  /** Whether the way to the viewer is so full that nothing more should be put on it. */
  readonly isCongested: boolean;
}

/** What a view looks at. */
export interface ViewSource {
  readonly size: TerminalSize;
  /** Gives what is batched to the views that are live, so that the next byte belongs to the snapshot taken now or comes after it. */
  flush(): void;
  snapshot(): Promise<Snapshot>;
}

/** History goes out in slices of about this size, in bytes: other channels come in between. */
const HISTORY_SLICE_BYTES = 64 * 1024;

type State = 'history' | 'syncing' | 'live' | 'stalled' | 'ending' | 'closed';

/** One viewer's view. */
export class TerminalView {
  readonly #source: ViewSource;
  readonly #sink: ViewSink;
  #state: State = 'history';
  #unacknowledged = 0;
  /** What came while the snapshot was made: it follows the screen. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #hasOverflowed = false;
  /** Counts snapshots, so that one which is overtaken is not sent. */
  #round = 0;
  #toldSize: TerminalSize;
  #wake: (() => void) | undefined;

  constructor(source: ViewSource, sink: ViewSink) {
    this.#source = source;
    this.#sink = sink;
    this.#toldSize = source.size;
  }

  /** Bytes sent and not acknowledged, and bytes kept: what this viewer costs. */
  get heldBytes(): number {
    return this.#unacknowledged + this.#pendingBytes;
  }

  /** Whether the viewer gets output as it comes. */
  get isLive(): boolean {
    return this.#state === 'live';
  }

  /** Sends the history in slices, as fast as the viewer takes it, then the screen, then what follows. */
  async start(history: readonly string[] | Promise<readonly string[]>): Promise<void> {
    const lines = await history;
    if (this.#state !== 'history') return;
    for (const slice of slices(lines, this.#source.size.rows)) {
      while (this.#state === 'history' && this.#isFull()) await this.#credit();
      if (this.#state !== 'history') return;
      this.#unacknowledged += slice.length;
      this.#sink.history(slice);
    }
    this.#sync();
  }

  /** A batch of output. */
  push(batch: Uint8Array): void {
    if (this.#state === 'live') {
      if (this.#isFull()) this.#state = 'stalled';
      else this.#sendData(batch);
    } else if (this.#state === 'syncing' && !this.#hasOverflowed) {
      this.#pending.push(batch);
      this.#pendingBytes += batch.length;
      if (this.#pendingBytes > HIGH_WATER_BYTES) {
        this.#dropPending();
        this.#hasOverflowed = true;
      }
    }
  }

  /** The viewer has drawn so many bytes more. More than it was sent counts as all. */
  acknowledge(bytes: number): void {
    this.#unacknowledged = Math.max(0, this.#unacknowledged - bytes);
    this.recheck();
  }

  /** Looks whether a stalled view may go on; for when the link has drained. */
  recheck(): void {
    if (this.#state === 'stalled' && this.#unacknowledged < LOW_WATER_BYTES && !this.#sink.isCongested) this.#sync();
    if (!this.#isFull()) this.#wakeUp();
  }

  /** The terminal has another size from here on. */
  resized(size: TerminalSize): void {
    if (this.#state === 'live') this.#tellSize(size);
    // The snapshot under way may have the old size.
    else if (this.#state === 'syncing') this.#sync();
  }

  /** Nothing more will come: a view that is behind gets the last screen, then every view the reason. Resolves when it has. */
  async end(reason: EndReason): Promise<void> {
    if (this.#state === 'closed' || this.#state === 'ending') return;
    if (this.#state !== 'live') {
      this.#state = 'ending';
      this.#wakeUp();
      this.#dropPending();
      this.#sendScreen(await this.#source.snapshot());
    }
    if (this.isClosed) return;
    this.close();
    this.#sink.ended(reason);
  }

  /** Whether nothing more will be sent. */
  get isClosed(): boolean {
    return this.#state === 'closed';
  }

  /** The viewer has gone. */
  close(): void {
    this.#state = 'closed';
    this.#dropPending();
    this.#wakeUp();
  }

  #isFull(): boolean {
    return this.#unacknowledged > HIGH_WATER_BYTES || this.#sink.isCongested;
  }

  #credit(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #dropPending(): void {
    this.#pending = [];
    this.#pendingBytes = 0;
  }

  #sync(): void {
    // First: what is batched is older than the snapshot.
    this.#source.flush();
    this.#state = 'syncing';
    this.#dropPending();
    this.#hasOverflowed = false;
    this.#round += 1;
    const round = this.#round;
    this.#source
      .snapshot()
      .then((snapshot) => {
        if (this.#state !== 'syncing' || round !== this.#round) return;
        this.#sendScreen(snapshot);
        this.#goLive();
      })
      .catch(() => undefined);
  }

  #goLive(): void {
    if (this.#hasOverflowed) {
      this.#state = 'stalled';
      this.recheck();
      return;
    }
    this.#state = 'live';
    const pending = this.#pending;
    this.#dropPending();
    for (const batch of pending) this.#sendData(batch);
  }

  #sendScreen(snapshot: Snapshot): void {
    if (this.#state === 'closed') return;
    this.#tellSize(snapshot.size);
    this.#unacknowledged += snapshot.bytes.length;
    this.#sink.screen(snapshot.bytes);
  }

  #sendData(batch: Uint8Array): void {
    this.#unacknowledged += batch.length;
    this.#sink.data(batch);
  }

  #tellSize(size: TerminalSize): void {
    if (size.cols === this.#toldSize.cols && size.rows === this.#toldSize.rows) return;
    this.#toldSize = size;
    this.#sink.resized(size);
  }
}

/** History as terminal output in slices. The last one ends with as many line feeds as push all of it off the screen. */
function* slices(lines: readonly string[], rows: number): Generator<Uint8Array> {
  let text = '';
  for (const line of lines) {
    text += `${line}\x1b[0m\r\n`;
    if (text.length >= HISTORY_SLICE_BYTES) {
      yield Buffer.from(text);
      text = '';
    }
  }
  if (lines.length > 0) yield Buffer.from(text + '\n'.repeat(rows - 1));
}
