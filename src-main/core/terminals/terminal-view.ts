/**
 * One viewer of one terminal: what it gets and when. The screen comes first; lines from above it are sent behind, together with
 * a second screen to which they belong (src-shared/terminals/frames.ts has the order).
 *
 * Invariants: what a viewer was sent and has not acknowledged stays below `HIGH_WATER_BYTES` + one batch + one screen, whatever
 * the agent prints; a viewer that falls behind gets a new screen instead of what it missed, so its screen is always right
 * once it has caught up; nothing here ever makes the terminal or another viewer wait.
 */
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from '#shared/terminals/frames.ts';
import type { TerminalSize } from '#core/runtimes/runtime.ts';
import { historySlices } from './history-slices.ts';
import type { Snapshot } from './screen-mirror.ts';
import type { EndReason, ViewSink, ViewSource } from './view-ports.ts';

/** So often history is tried with a newer screen, when the two do not fit or the viewer was too slow. */
const MAX_TRIES = 8;
/** Between two tries, in ms: about what a tmux client takes to draw. */
const RETRY_MS = 20;

/**
 * `restoring`: history is under way, output waits for the screen behind it. `stalled`: the viewer is behind and gets nothing.
 */
type State = 'opening' | 'syncing' | 'live' | 'restoring' | 'stalled' | 'ending' | 'closed';

/** One viewer's view. */
export class TerminalView {
  readonly #source: ViewSource;
  readonly #sink: ViewSink;
  #state: State = 'opening';
  #unacknowledged = 0;
  /** What came while the snapshot was made: it follows the screen. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #hasOverflowed = false;
  /** Counts snapshots, so that one which is overtaken is not sent. */
  #round = 0;
  #toldSize: TerminalSize;
  #wake: (() => void) | undefined;
  /** Lines of history that are wanted as soon as the view is live. */
  #wantedHistory = 0;
  /** While restoring: the terminal has got another size than the snapshot has. */
  #isOutdated = false;
  /** Whether the viewer was told of history that has not had its end. */
  #owesScreen = false;
  readonly #shown = Promise.withResolvers<undefined>();

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

  /** Sends the screen, then what follows, and the history behind it. Resolves when that is sent, or the view is over. */
  async start(historyLines: number): Promise<void> {
    this.#wantedHistory = historyLines;
    if (this.#state === 'opening') this.#sync();
    await this.#shown.promise;
  }

  /** Sends at most so many lines from above the screen, as they are now, with another screen behind them. */
  restore(lines: number): void {
    this.#wantedHistory = lines;
    if (this.#state === 'live') this.#goOn();
  }

  /** A batch of output. */
  push(batch: Uint8Array): void {
    if (this.#state === 'live') {
      if (this.#isFull()) this.#state = 'stalled';
      else this.#sendData(batch);
    } else if ((this.#state === 'syncing' || this.#state === 'restoring') && !this.#hasOverflowed) {
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
    else if (this.#state === 'restoring') this.#isOutdated = true;
  }

  /** Nothing more will come: a view that is behind gets the last screen, then every view the reason. Resolves when it has. */
  async end(reason: EndReason): Promise<void> {
    if (this.#state === 'closed' || this.#state === 'ending') return;
    if (this.#state !== 'live') {
      this.#state = 'ending';
      this.#wakeUp();
      this.#dropPending();
      const snapshot = await this.#source.snapshot();
      // Half a history with the last screen below it would look whole.
      if (this.#owesScreen) this.#sink.scrollback(0);
      this.#sendScreen(snapshot);
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
    this.#shown.resolve(undefined);
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
    this.#sendPending();
    this.#goOn();
  }

  /** The view is live: history that is wanted can be had now. */
  #goOn(): void {
    if (this.#wantedHistory === 0) this.#shown.resolve(undefined);
    else this.#restore().catch(() => this.#shown.resolve(undefined));
  }

  /**
   * Sends history and the screen below it. Both have to be of one moment: the snapshot is taken first, output from then on
   * waits, and of the lines captured after it those are sent that stand above it. Without `isLast` two things start it over:
   * a screen that is not found in the captured lines, and a viewer so slow that too much output waits.
   */
  async #restore(): Promise<void> {
    const limit = this.#wantedHistory;
    this.#wantedHistory = 0;
    for (let tries = 1; this.#state === 'live' || this.#state === 'restoring'; tries += 1) {
      const isLast = tries >= MAX_TRIES;
      this.#source.flush();
      this.#state = 'restoring';
      this.#dropPending();
      this.#hasOverflowed = false;
      this.#isOutdated = false;
      const snapshot = await this.#source.snapshot();
      const lines = await this.#source.linesAbove(snapshot, limit, isLast);
      if (!this.#isRestoring()) return;
      if (lines !== undefined && (isLast || this.#isWhole())) {
        await this.#sendHistory(lines);
        if (!this.#isRestoring()) return;
        if (this.#isWhole()) {
          this.#sendScreen(snapshot);
          this.#goLive();
          return;
        }
      }
      if (isLast) break;
      if (!this.#owesScreen && this.#isWhole()) {
        // What waits goes on from what the viewer has: nobody has to wait with it.
        this.#state = 'live';
        this.#sendPending();
      }
      await sleep(RETRY_MS);
    }
    if (this.#isRestoring()) this.#sync();
    // The viewer fell behind between two tries: once it has a new screen.
    else if (this.#state === 'stalled' || this.#state === 'syncing') this.#wantedHistory = limit;
  }

  #isRestoring(): boolean {
    return this.#state === 'restoring';
  }

  /** Whether nothing is missing behind the snapshot under way. */
  #isWhole(): boolean {
    return !this.#hasOverflowed && !this.#isOutdated;
  }

  async #sendHistory(lines: readonly string[]): Promise<void> {
    this.#owesScreen = true;
    this.#sink.scrollback(lines.length);
    for (const slice of historySlices(lines, this.#source.size.rows)) {
      while (this.#isRestoring() && this.#isFull()) await this.#credit();
      if (!this.#isRestoring()) return;
      this.#unacknowledged += slice.length;
      this.#sink.history(slice);
      // Making a slice takes a millisecond: others come in between.
      await turn();
    }
  }

  #sendPending(): void {
    const pending = this.#pending;
    this.#dropPending();
    for (const batch of pending) this.#sendData(batch);
  }

  #sendScreen(snapshot: Snapshot): void {
    if (this.#state === 'closed') return;
    this.#owesScreen = false;
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
