/**
 * Where the reader of a terminal is: at its end, or above it with lines coming in below.
 * tmux draws screens, not every line that passes: what stands above the screen in the page may have holes after much output.
 * Whoever goes up to read, or searches, therefore gets all of it from tmux first, and stays at the same distance from the end.
 */
import type { IMarker, Terminal } from '@xterm/xterm';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { DisposableStack, toDisposable } from '#shared/kernel/disposable.ts';

/** History is fetched again at most so often, in milliseconds, however a reader scrolls. */
const FETCH_EVERY_MS = 500;
/** Lines that a turn of the wheel goes up where there was nothing above the screen before. */
const WHEEL_LINES = 3;

interface ScrollPlaceOptions {
  readonly terminal: Terminal;
  readonly holder: HTMLElement;
  /** Fetches history; `drawn` is called when it is on the screen, or never. */
  readonly fetchHistory: (drawn: () => void) => void;
  /** Lines that came since the reader left the end; undefined when the reader is there. */
  readonly onNewLines: (count: number | undefined) => void;
}

/** Follows the reader of one terminal. */
export class ScrollPlace implements Disposable {
  readonly #options: ScrollPlaceOptions;
  readonly #owned = new DisposableStack();
  /** Where the end was when the reader left it. */
  #mark: IMarker | undefined;
  /** Lines counted before history was drawn anew, which takes the mark away. */
  #before = 0;
  #hasNewBytes = false;
  /** Lines between the reader and the end while history is being fetched; undefined while it is not. */
  #above: number | undefined;
  #fetchedAt = Number.NEGATIVE_INFINITY;

  constructor(options: ScrollPlaceOptions) {
    this.#options = options;
    const { terminal, holder } = options;
    this.#owned.add(terminal.onScroll(() => this.look()));
    this.#owned.add(terminal.onWriteParsed(() => this.look()));
    const onWheel = (event: WheelEvent): void => {
      // Where nothing is above the screen, xterm has nothing to scroll.
      if (event.deltaY < 0 && terminal.buffer.active.baseY === 0) this.withHistory(() => terminal.scrollLines(-WHEEL_LINES));
      requestAnimationFrame(() => this.moved());
    };
    holder.addEventListener('wheel', onWheel, { passive: true });
    this.#owned.add(toDisposable(() => holder.removeEventListener('wheel', onWheel)));
  }

  /** Something was printed: the history that is there may have holes from now on. */
  printed(): void {
    this.#hasNewBytes = true;
  }

  /** The view begins anew: what was asked for does not come any more. */
  reset(): void {
    this.#above = undefined;
    this.#before = 0;
    this.#fetchedAt = Number.NEGATIVE_INFINITY;
    this.look();
  }

  /** The reader went elsewhere. */
  moved(): void {
    const { viewportY, baseY } = this.#options.terminal.buffer.active;
    if (this.#above !== undefined) this.#above = baseY - viewportY;
    this.look();
  }

  /** Does something that needs what stands above the screen, when it is there: at once if nothing was printed since. */
  withHistory(act: () => void): void {
    const { viewportY, baseY } = this.#options.terminal.buffer.active;
    if (!this.#fetch(baseY - viewportY, act)) act();
    this.look();
  }

  /** Looks where the reader is, and says so when it changed. */
  look(): void {
    if (this.#above !== undefined) return;
    const { terminal, onNewLines } = this.#options;
    const { viewportY, baseY, cursorY } = terminal.buffer.active;
    if (viewportY >= baseY) {
      this.#mark?.dispose();
      this.#mark = undefined;
      this.#before = 0;
      onNewLines(undefined);
      return;
    }
    if (this.#mark === undefined || this.#mark.isDisposed) {
      this.#mark = terminal.registerMarker(0);
      this.#fetch(baseY - viewportY);
    }
    onNewLines(this.#before + Math.max(0, baseY + cursorY - this.#mark.line));
  }

  dispose(): void {
    this.#mark?.dispose();
    this.#owned.dispose();
  }

  /** Fetches history and then acts; false when there is nothing to fetch. */
  #fetch(above: number, act: () => void = () => undefined): boolean {
    const { terminal, fetchHistory } = this.#options;
    const now = performance.now();
    if (!this.#hasNewBytes || this.#above !== undefined || now - this.#fetchedAt < FETCH_EVERY_MS) return false;
    // A program that has the whole screen to itself has no lines above it.
    if (terminal.buffer.active.type === 'alternate') return false;
    this.#fetchedAt = now;
    this.#above = above;
    this.#hasNewBytes = false;
    fetchHistory(() => {
      if (this.#above === undefined) return;
      const kept = this.#above;
      this.#above = undefined;
      // The bytes of the history itself are not new.
      this.#hasNewBytes = false;
      if (kept > 0) terminal.scrollToLine(Math.max(0, terminal.buffer.active.baseY - kept));
      act();
      this.look();
    });
    return true;
  }
}
