/** How a measurement is stated: a figure against a limit or a peer of the same run, with the ratio and a verdict. */

/** One figure. */
export interface Figure {
  /** Which target of docs/performance.md. */
  readonly id: string;
  readonly what: string;
  readonly figure: number;
  readonly unit: string;
  /** The limit or the peer's figure, in the same unit. */
  readonly against: number;
  readonly againstWhat: string;
  /** Whether less is better. */
  readonly isLessBetter: boolean;
  readonly runs: number;
}

/** Figure divided by what it is held against. */
export function ratioOf(figure: Figure): number {
  return figure.against === 0 ? Number.POSITIVE_INFINITY : figure.figure / figure.against;
}

/** Whether the target is met. */
export function isMet(figure: Figure): boolean {
  return figure.isLessBetter ? figure.figure <= figure.against : figure.figure >= figure.against;
}

function rounded(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toFixed(digits);
}

/** A line of JSON for machines. */
export function toJsonLine(figure: Figure): string {
  return JSON.stringify({
    id: figure.id,
    what: figure.what,
    figure: figure.figure,
    unit: figure.unit,
    against: figure.againstWhat,
    ratio: Number(ratioOf(figure).toFixed(3)),
    target: `${figure.isLessBetter ? '<=' : '>='} ${figure.against} ${figure.unit}`,
    pass: isMet(figure),
    runs: figure.runs,
  });
}

/** A line for people. */
export function toTextLine(figure: Figure): string {
  const verdict = isMet(figure) ? 'pass ' : 'SHORT';
  const bound = `${figure.isLessBetter ? '≤' : '≥'} ${rounded(figure.against)} ${figure.unit}`;
  return `${verdict}  ${figure.id.padEnd(4)} ${figure.what.padEnd(58)} ${`${rounded(figure.figure)} ${figure.unit}`.padStart(14)}   ${bound.padEnd(14)} ×${rounded(ratioOf(figure)).padEnd(6)} ${figure.againstWhat}`;
}

/** The value below which `share` (0 to 1) of the sorted values lie. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The middle value. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}
