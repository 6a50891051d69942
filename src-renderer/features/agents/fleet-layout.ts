/** Where cards stand: how many beside each other, how high, and where arrow keys lead. Pure; all measures in pixels. */

/** A card is at least this wide; wider ones share what is left over. */
const LEAST_WIDTH = 296;
/** Wider than a terminal of 80 columns needs in the type of the cards, a card only looks empty. */
const MOST_WIDTH = 548;
/** Between cards. */
export const GAP = 12;
/** A card with nine rows of its terminal. */
const BASE_HEIGHT = 252;
/** A row of a card's terminal. */
export const ROW = 14;
/** What a card holds besides its terminal's rows: head, foot, edges and the terminal's margins. */
const AROUND_TERMINAL = BASE_HEIGHT - 9 * ROW;
/** Rows that a card may get when there is room: enough to follow what happens; higher ones mostly stand empty. */
const MOST_ROWS = 16;
/** What the strip with a question or a failure takes, in whole rows of the terminal: with them it keeps its nine. */
const STRIP = 4 * ROW;

/** How the cards of a fleet stand. */
export interface FleetLayout {
  readonly columns: number;
  /** Width of a card. */
  readonly cardWidth: number;
  /** Height of each row of cards. */
  readonly heights: readonly number[];
}

/**
 * Lays out cards. `hasStrip` says of each, in order, whether it holds a strip besides its terminal. Rows of cards with
 * strips are higher, so that nobody's terminal is cut short by a question, unless all cards are in sight and would not be
 * then. When all are in sight with room to spare, their terminals get it.
 */
export function layOut(hasStrip: readonly boolean[], width: number, height: number): FleetLayout {
  const most = Math.max(1, Math.floor((width + GAP) / (LEAST_WIDTH + GAP)));
  const columns = Math.max(1, Math.min(most, hasStrip.length));
  const cardWidth = Math.min(MOST_WIDTH, (width - (columns - 1) * GAP) / columns);
  const rows = Math.ceil(hasStrip.length / columns);
  const strips = Array.from({ length: rows }, (_, row) => hasStrip.slice(row * columns, (row + 1) * columns).some(Boolean));
  const gaps = Math.max(0, rows - 1) * GAP;
  const plain = rows * BASE_HEIGHT + gaps;
  const withStrips = plain + strips.filter(Boolean).length * STRIP;
  const spare = height - withStrips;
  if (rows === 0 || (plain <= height && spare < 0)) return { columns, cardWidth, heights: strips.map(() => BASE_HEIGHT) };
  const more = Math.min(MOST_ROWS - 9, Math.max(0, Math.floor(spare / rows / ROW))) * ROW;
  return { columns, cardWidth, heights: strips.map((isHigh) => BASE_HEIGHT + more + (isHigh ? STRIP : 0)) };
}

/** The most rows of a terminal that a card of this height can show. */
export function terminalRows(height: number): number {
  return Math.max(2, Math.floor((height - AROUND_TERMINAL) / ROW));
}

/** Which card a key leads to from card `at`, of `count` in `columns`; undefined when the key is none that moves. `page` in rows of cards. */
export function cardAfter(key: string, at: number, count: number, columns: number, page: number): number | undefined {
  const last = count - 1;
  if (count === 0) return undefined;
  const within = (index: number): number => Math.min(last, Math.max(0, index));
  // Up and down stay in their column; from the last full row down leads to the last card.
  const below = (rows: number): number => {
    const to = at + rows * columns;
    if (to <= last) return to;
    return Math.floor(at / columns) < Math.floor(last / columns) ? last : at;
  };
  const above = (rows: number): number => {
    const to = at - rows * columns;
    return to >= 0 ? to : rows === 1 ? at : at % columns;
  };
  switch (key) {
    case 'ArrowRight':
      return within(at + 1);
    case 'ArrowLeft':
      return within(at - 1);
    case 'ArrowDown':
      return below(1);
    case 'ArrowUp':
      return above(1);
    case 'PageDown':
      return below(page);
    case 'PageUp':
      return above(page);
    case 'Home':
      return 0;
    case 'End':
      return last;
    default:
      return undefined;
  }
}
