/** How many cells a box holds, and how small text must be for a terminal of another size. Pure. */
import type { TerminalSize } from '#renderer/connection/terminal-view.ts';

/** The limits of src-shared/terminals/frames.ts. */
const LEAST: TerminalSize = { cols: 10, rows: 2 };
const MOST: TerminalSize = { cols: 500, rows: 300 };

/** Text is made smaller by steps of so many pixels, and never below the least: it would not be read. */
const STEP_PX = 0.25;
const LEAST_PX = 6;

/** Pixels: of a box, or of one cell. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
}

/** The size that fills a box with whole cells. */
export function fittingSize(box: Pixels, cell: Pixels): TerminalSize {
  const within = (value: number, least: number, most: number): number =>
    Number.isFinite(value) ? Math.min(most, Math.max(least, Math.floor(value))) : least;
  return {
    cols: within(box.width / cell.width, LEAST.cols, MOST.cols),
    rows: within(box.height / cell.height, LEAST.rows, MOST.rows),
  };
}

/** Whether a terminal of this size is whole in the box. */
export function isWhole(size: TerminalSize, box: Pixels, cell: Pixels): boolean {
  return size.cols * cell.width <= box.width && size.rows * cell.height <= box.height;
}

/** The size of text, in pixels, at which a terminal that is too large at `basePx` is whole in the box; a guess that may be one step off. */
export function shrunkPx(size: TerminalSize, box: Pixels, cell: Pixels, basePx: number): number {
  const share = Math.min(box.width / (size.cols * cell.width), box.height / (size.rows * cell.height), 1);
  return Math.max(LEAST_PX, Math.floor((basePx * share) / STEP_PX) * STEP_PX);
}

/** One step smaller; undefined when it would not be read. */
export function smallerPx(px: number): number | undefined {
  // NaN, of a box that is not laid out, is not smaller than anything: no step leads out of it.
  return px - STEP_PX >= LEAST_PX ? px - STEP_PX : undefined;
}
