/** Finds out which captured lines stand above a screen that was seen a moment before they were captured. */
import type { TerminalCapture } from '#core/runtimes/runtime.ts';
import { plainText } from './ansi-lines.ts';
import type { Snapshot } from './screen-mirror.ts';

/** So many lines at most are looked through for the screen: what a flood prints while it is captured, and some ms of work. */
const MAX_SHIFT = 4_000;

/**
 * How many of the captured lines stand above the screen of `snapshot`, which is at most some milliseconds older. Meanwhile the
 * terminal may have printed: lines of that screen have moved up then, the one of the cursor may have grown, and those below
 * it may have been written. Undefined when the screen is not found: it was caught half drawn, or was changed in place.
 */
export function countAbove(capture: TerminalCapture, snapshot: Snapshot): number | undefined {
  if (capture.size.cols !== snapshot.size.cols || capture.size.rows !== snapshot.size.rows) return undefined;
  const newest = Math.max(0, capture.lines.length - capture.size.rows);
  const texts = new Map<number, string>();
  const textAt = (index: number): string => {
    let text = texts.get(index);
    if (text === undefined) texts.set(index, (text = plainText(capture.lines[index] ?? '').trimEnd()));
    return text;
  };
  const screen = snapshot.lines.map((line) => line.trimEnd());
  const isAt = (above: number): boolean => {
    for (let y = 0; y < snapshot.cursorRow; y += 1) if (textAt(above + y) !== screen[y]) return false;
    return textAt(above + snapshot.cursorRow).startsWith(screen[snapshot.cursorRow] ?? '');
  };
  // A program that draws its screen in place has content below the cursor: it must not pass for one that printed on.
  const isSame = screen.every((line, y) => textAt(newest + y) === line);
  if (isSame) return newest;
  // Next to nothing would be found anywhere.
  if (screen.slice(0, snapshot.cursorRow).every((line) => line === '')) return undefined;
  for (let above = newest; above >= Math.max(0, newest - MAX_SHIFT); above -= 1) if (isAt(above)) return above;
  return undefined;
}
