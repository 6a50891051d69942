/** The screen of an agent in tmux (on this machine or in a container), shown while its terminal is still being attached to. */
import type { Run, TerminalSize } from '#core/runtimes/runtime.ts';
import { CapturedTerminal } from './captured-terminal.ts';
import type { ViewSink } from './view-ports.ts';

/** What a viewer was shown before its view stood: a screen of this size, or nothing. */
export interface Glimpse {
  size: TerminalSize | undefined;
}

/** Whether two terminals are of one size. */
export function isSameSize(a: TerminalSize, b: TerminalSize): boolean {
  return a.cols === b.cols && a.rows === b.rows;
}

/**
 * Shows the screen as tmux has it while its client is still being started: some 30 ms sooner. Only where the terminal has the
 * viewer's size already, or what is shown would be drawn anew in another shape.
 */
export async function showGlimpse(
  run: Run,
  window: string,
  wish: TerminalSize,
  sink: ViewSink,
  opening: Promise<unknown>,
  glimpse: Glimpse,
): Promise<void> {
  if (run.kind === 'pty') return;
  const none = (): undefined => undefined;
  const capture = await Promise.race([
    run.capture({ historyLines: 0, ansi: true, window }).catch(none),
    opening.then(none, none),
  ]);
  if (capture === undefined || !isSameSize(capture.size, wish)) return;
  const { bytes, size } = await new CapturedTerminal(capture).snapshot();
  glimpse.size = size;
  sink.opened(size, window);
  sink.screen(bytes);
}
