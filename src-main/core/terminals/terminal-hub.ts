/**
 * One window of one run, for any number of viewers: one stream from the runtime, always read at once, one mirror of the
 * screen, and a view for each viewer.
 *
 * Size: one for all. A terminal program draws for one size, so viewers with other sizes show the same cells scaled or
 * scrolled. Whoever has control decides, and while nobody has, whoever resized last; looking alone never changes what others see.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { DisposableStack } from '#shared/kernel/disposable.ts';
import { MAX_FRAME_BYTES } from '#shared/terminals/frames.ts';
import type { Run, RunEnd, TerminalSize, TerminalStream } from '#core/runtimes/runtime.ts';
import type { Snapshot } from './screen-mirror.ts';
import { ScreenMirror } from './screen-mirror.ts';
import { countAbove } from './scrollback.ts';
import { SequenceSplitter } from './sequence-splitter.ts';
import type { EndReason, ViewSink, ViewSource } from './view-ports.ts';
import { TerminalView } from './terminal-view.ts';

/** Output is gathered this long after it was last sent, in ms; after a silence it goes at once. Measured: echo 1.5 ms, against 10 ms when always gathered. */
const BATCH_MS = 8;
/** How long to wait for the first output of a new stream, in ms: a tmux client takes keys from then on. */
const FIRST_OUTPUT_MS = 500;
/**
 * How long to wait, from its first output, until a tmux client has drawn the screen, in ms: it draws in pieces, and half a screen
 * would stand there until the history behind it has come. In a flood the screen is never the one that was asked for.
 */
const FIRST_SCREEN_MS = 100;
/** Between two looks whether it has, in ms. */
const FIRST_SCREEN_LOOK_MS = 4;
/** After the end, output may still be under way: for this long at most, in ms. */
const LAST_OUTPUT_MS = 2_000;
/** Between two looks whether the last output has come, in ms. */
const LAST_OUTPUT_LOOK_MS = 30;
/** How long after a stream's end the run's end may come, in ms. */
const RUN_END_WAIT_MS = 2_000;

/** What an end is called on the link. */
export function endReason(end: RunEnd): EndReason {
  if (end.kind === 'lost') return { code: 'LOST', message: `The end of the agent was not seen: ${end.reason}` };
  if (end.exit.signal !== undefined) return { code: 'SIGNALLED', message: `The agent was ended by ${end.exit.signal}.` };
  return { code: 'EXITED', message: `The agent exited with code ${end.exit.code ?? 0}.` };
}

const DETACHED: EndReason = {
  code: 'DETACHED',
  message: 'This view of the terminal was closed from outside; the agent runs on. Open it again.',
};

/** A viewer's place in a hub. */
export interface HubSeat extends Disposable {
  readonly view: TerminalView;
  /** Remembers the viewer's size; undefined when it may not decide the terminal's. */
  wish: TerminalSize | undefined;
  /** Makes the viewer's size the terminal's. */
  applySize(): void;
}

/** One window of one run. */
export class TerminalHub implements ViewSource, Disposable {
  readonly run: Run;
  readonly window: string;
  readonly #stream: TerminalStream;
  readonly #mirror: ScreenMirror;
  readonly #splitter: SequenceSplitter;
  readonly #views = new Set<TerminalView>();
  readonly #owned = new DisposableStack();
  readonly #closing = new AbortController();
  readonly #firstOutput = Promise.withResolvers<undefined>();
  #size: TerminalSize;
  #batch: Uint8Array[] = [];
  #batchBytes = 0;
  #flushTimer: NodeJS.Timeout | undefined;
  #lastFlushAt = 0;
  #isEnding = false;
  #onOver: (() => void) | undefined;

  private constructor(run: Run, window: string, size: TerminalSize, stream: TerminalStream) {
    this.run = run;
    this.window = window;
    this.#size = size;
    this.#splitter = new SequenceSplitter({ hasOneScreen: run.kind !== 'pty' });
    this.#stream = this.#owned.add(stream);
    this.#mirror = this.#owned.add(new ScreenMirror(size));
    this.#owned.add(stream.onData((chunk) => this.#read(chunk)));
    this.#owned.add(
      stream.onEnd(() => {
        this.#firstOutput.resolve(undefined);
        this.#streamEnded().catch(() => undefined);
      }),
    );
  }

  /** Attaches to a window of a run that has not ended. Rejects as `Run.attach` does. */
  static async open(run: Run, window: string, size: TerminalSize): Promise<TerminalHub> {
    const hub = new TerminalHub(run, window, size, await run.attach(size, window));
    await hub.#settle(hub.#firstOutput.promise, FIRST_OUTPUT_MS);
    if (run.kind !== 'pty') await hub.#firstScreen();
    return hub;
  }

  get size(): TerminalSize {
    return this.#size;
  }

  /** Whether the window's end has been noticed: nobody new is let in. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** Calls `listener` once, when the hub has ended by itself. */
  onOver(listener: () => void): void {
    this.#onOver = listener;
  }

  /** Bytes that wait to be read by the mirror; for tests and figures. */
  get backlog(): number {
    return this.#mirror.backlog;
  }

  /** Lets a viewer in. `wish` is its size if it may decide the terminal's. The caller starts the view. */
  join(sink: ViewSink, wish: TerminalSize | undefined): HubSeat {
    const view = new TerminalView(this, sink);
    this.#views.add(view);
    const seat: HubSeat = {
      view,
      wish,
      applySize: () => {
        if (seat.wish !== undefined) this.resize(seat.wish);
      },
      dispose: () => {
        view.close();
        this.#views.delete(view);
      },
    };
    return seat;
  }

  /** Types bytes into the terminal. */
  type(bytes: Uint8Array): void {
    if (!this.#closing.signal.aborted) this.#stream.write(bytes);
  }

  /** Changes the size for all. */
  resize(size: TerminalSize): void {
    if (this.#closing.signal.aborted || (size.cols === this.#size.cols && size.rows === this.#size.rows)) return;
    this.flush();
    this.#size = size;
    this.#mirror.resize(size);
    for (const view of this.#views) view.resized(size);
    this.#stream.resize(size);
  }

  snapshot(): Promise<Snapshot> {
    return this.#mirror.snapshot();
  }

  async linesAbove(snapshot: Snapshot, limit: number, isLast: boolean): Promise<readonly string[] | undefined> {
    const { window } = this;
    const capture = await this.run.capture({ historyLines: limit, ansi: true, window }).catch(() => undefined);
    // A terminal that cannot be read has no history either.
    if (capture === undefined) return [];
    const above = countAbove(capture, snapshot) ?? (isLast ? capture.lines.length - capture.size.rows : undefined);
    return above === undefined ? undefined : capture.lines.slice(0, Math.max(0, above));
  }

  flush(): void {
    clearTimeout(this.#flushTimer);
    this.#flushTimer = undefined;
    if (this.#batch.length === 0) return;
    const [first = new Uint8Array(0)] = this.#batch;
    const batch = this.#batch.length === 1 ? first : Buffer.concat(this.#batch);
    this.#batch = [];
    this.#batchBytes = 0;
    this.#lastFlushAt = performance.now();
    for (const view of this.#views) view.push(batch);
  }

  /** The run has ended: the views get what is left, then the reason. */
  async runEnded(end: RunEnd): Promise<void> {
    await this.#end(endReason(end), true);
  }

  /** Closes the stream and everything else. Views that are left get nothing more. */
  dispose(): void {
    this.#closing.abort();
    clearTimeout(this.#flushTimer);
    for (const view of this.#views) view.close();
    this.#views.clear();
    this.#batch = [];
    this.#owned.dispose();
  }

  #read(chunk: Uint8Array): void {
    this.#firstOutput.resolve(undefined);
    const bytes = this.#splitter.feed(chunk);
    if (bytes.length === 0) return;
    this.#mirror.write(bytes);
    if (this.#views.size === 0) return;
    this.#batch.push(bytes);
    this.#batchBytes += bytes.length;
    if (this.#batchBytes >= MAX_FRAME_BYTES) {
      this.flush();
      return;
    }
    if (this.#flushTimer !== undefined) return;
    const idleMs = performance.now() - this.#lastFlushAt;
    if (idleMs >= BATCH_MS) this.flush();
    else this.#flushTimer = setTimeout(() => this.flush(), BATCH_MS - idleMs);
  }

  async #streamEnded(): Promise<void> {
    if (this.#closing.signal.aborted || this.#isEnding) return;
    const end = await this.#settle(this.run.ended, RUN_END_WAIT_MS);
    await this.#end(end === undefined ? DETACHED : endReason(end), false);
  }

  async #end(reason: EndReason, isStreamOpen: boolean): Promise<void> {
    if (this.#isEnding || this.#closing.signal.aborted) return;
    this.#isEnding = true;
    if (isStreamOpen) await this.#lastOutput();
    if (this.#closing.signal.aborted) return;
    this.flush();
    await Promise.all([...this.#views].map((view) => view.end(reason)));
    this.#onOver?.();
    this.dispose();
  }

  /** Waits until the screen that the runtime tells is on the mirror, or it takes too long. */
  async #firstScreen(): Promise<void> {
    const deadline = performance.now() + FIRST_SCREEN_MS;
    while (performance.now() < deadline && !this.#closing.signal.aborted) {
      if ((await this.#compare()) === 'same') return;
      await this.#pause(FIRST_SCREEN_LOOK_MS);
    }
  }

  /**
   * Waits until what the agent wrote last has come through: until the mirror shows what the runtime says the screen is.
   * A runtime whose screen cannot be had any more, or has another size, gets no such comparison.
   */
  async #lastOutput(): Promise<void> {
    const deadline = performance.now() + LAST_OUTPUT_MS;
    while (performance.now() < deadline && !this.#closing.signal.aborted) {
      await this.#pause(LAST_OUTPUT_LOOK_MS);
      if ((await this.#compare()) !== 'other') return;
    }
  }

  /** Holds the mirror against the screen as the runtime has it; `incomparable` when that cannot be had or has another size. */
  async #compare(): Promise<'same' | 'other' | 'incomparable'> {
    const truth = await this.run.capture({ historyLines: 0, ansi: false, window: this.window }).catch(() => undefined);
    if (truth === undefined || truth.size.cols !== this.#size.cols || truth.size.rows !== this.#size.rows) return 'incomparable';
    const shown = await this.#settle(this.#mirror.lines(), LAST_OUTPUT_MS);
    if (shown === undefined) return 'incomparable';
    return shown.every((line, y) => line.trimEnd() === (truth.lines[y] ?? '').trimEnd()) ? 'same' : 'other';
  }

  /** The value, or undefined when it takes too long or the hub is closed. */
  async #settle<T>(value: Promise<T>, withinMs: number): Promise<T | undefined> {
    const done = new AbortController();
    const signal = AbortSignal.any([done.signal, this.#closing.signal]);
    const result = await Promise.race([value, sleep(withinMs, undefined, { signal }).catch(() => undefined)]);
    done.abort();
    return result;
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined);
  }
}
