import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { Tooltip } from './tooltip.tsx';
import { sparkPath } from './spark-path.ts';

interface SparklineProps {
  /** Oldest first; null where nothing was measured. */
  readonly values: readonly (number | null)[];
  /** The value at the upper edge. Without, the highest of the values. */
  readonly max?: number | undefined;
  /** What is measured: "CPU of ada". */
  readonly label: string;
  /** A value as people read it, with its unit. */
  readonly format: (value: number) => string;
  /** Pixels. */
  readonly width?: number;
  readonly height?: number;
}

/** A course of values in one path. Its scale (now, highest, upper edge) comes on hover and focus of what holds it. */
export function Sparkline({ values, max, label, format, width = 40, height = 14 }: SparklineProps): ReactNode {
  const [isHovered, setHovered] = useState(false);
  const measured = useMemo(() => values.filter((value) => value !== null), [values]);
  const highest = measured.length === 0 ? 0 : Math.max(...measured);
  const top = max ?? highest;
  const path = useMemo(() => sparkPath(values, top, width, height), [values, top, width, height]);
  const now = measured.at(-1);
  const scale =
    now === undefined
      ? 'not measured'
      : `now ${format(now)}, highest ${format(highest)}${max === undefined ? '' : `, scale to ${format(max)}`}`;
  const drawing = (
    <svg
      role="img"
      aria-label={`${label}: ${scale}`}
      viewBox={`0 0 ${width} ${height}`}
      width={width}
      height={height}
      onPointerEnter={() => setHovered(true)}
      className="flex-none overflow-visible text-tx-3"
    >
      <path d={path} fill="none" stroke="currentColor" strokeWidth={1.25} strokeLinejoin="round" strokeLinecap="round" />
    </svg>
  );
  // Hundreds stand on a page: a tooltip is made only for the one that is asked.
  return isHovered ? (
    <Tooltip
      label={
        <span className="flex flex-col">
          <span>{label}</span>
          <span className="figures text-tx-2">{scale}</span>
        </span>
      }
    >
      {drawing}
    </Tooltip>
  ) : (
    drawing
  );
}
