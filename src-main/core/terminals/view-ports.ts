/** What a view of a terminal looks at, and where what it gets goes. */
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
  /** So many lines of history follow. */
  scrollback(lines: number): void;
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
  /**
   * The lines above the screen of a snapshot just taken, at most `limit`, oldest first, with the sequences of `AnsiLines`.
   * Undefined when they cannot be told for this snapshot: a newer one may do. With `isLast` it gives what comes nearest.
   */
  linesAbove(snapshot: Snapshot, limit: number, isLast: boolean): Promise<readonly string[] | undefined>;
}
