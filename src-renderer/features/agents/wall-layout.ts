/** How terminals stand side by side. Pure; all measures in pixels. */

/** The most terminals that a wall shows: more cannot be followed, nor sent. */
export const MOST_PANES = 16;
/** Between panes. */
const GAP = 8;
/** What a pane holds besides its terminal: its head, and margins. */
const AROUND = { width: 18, height: 36 } as const;
/** A pane smaller than this can be looked at, not read: unless asked for, no more are shown than fit at this size. */
const LEAST_PANE = { width: 440, height: 212 } as const;
/** The terminal that the panes are shaped for: an agent's own until somebody gives it another size. */
const SCREEN = { cols: 80, rows: 24 } as const;
/** Of the code face: the width of a character and the height of a line, of the size of the type. */
const FACE = { width: 0.6, height: 1.35 } as const;
/** Type in a pane: never smaller than on a card. What is too wide for it is cut at the right, as it is there. */
const TYPE = { least: 10.5, most: 13 } as const;

/** How panes stand. */
export interface WallLayout {
  readonly columns: number;
  readonly rows: number;
  readonly paneWidth: number;
  readonly paneHeight: number;
}

/** The arrangement of `count` panes in which a terminal is shown largest. */
export function layOutWall(count: number, width: number, height: number): WallLayout {
  let best: WallLayout = { columns: 1, rows: Math.max(1, count), paneWidth: width, paneHeight: height };
  let bestScale = -1;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const paneWidth = Math.floor((width - (columns - 1) * GAP) / columns);
    const paneHeight = Math.floor((height - (rows - 1) * GAP) / rows);
    const scale = Math.min(
      (paneWidth - AROUND.width) / (SCREEN.cols * FACE.width),
      (paneHeight - AROUND.height) / (SCREEN.rows * FACE.height),
    );
    if (scale <= bestScale) continue;
    bestScale = scale;
    best = { columns, rows, paneWidth, paneHeight };
  }
  return best;
}

/** How many panes to show when nobody chose: as many as can be read, at least one. */
export function panesThatFit(count: number, width: number, height: number): number {
  for (let panes = Math.min(count, MOST_PANES); panes > 1; panes -= 1) {
    const { paneWidth, paneHeight } = layOutWall(panes, width, height);
    if (paneWidth >= LEAST_PANE.width && paneHeight >= LEAST_PANE.height) return panes;
  }
  return Math.min(count, 1);
}

/** Size of type and height of a line for all panes of a wall: as large as lets a usual terminal fit the width of a pane, and always readable. */
export function typeFor(paneWidth: number): { readonly size: number; readonly line: number } {
  const fitting = (paneWidth - AROUND.width) / (SCREEN.cols * FACE.width);
  const size = Math.floor(Math.min(TYPE.most, Math.max(TYPE.least, fitting)) * 4) / 4;
  return { size, line: Math.round(size * FACE.height) };
}
