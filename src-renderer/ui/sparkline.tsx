import { useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { createPortal } from 'react-dom';
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

/** A course of values in one path. What it says (now, highest, upper edge) is its name, and comes on hover. */
export function Sparkline({ values, max, label, format, width = 40, height = 14 }: SparklineProps): ReactNode {
  // Hundreds stand on a page: what is shown on hover is made only for the one that is asked.
  const [hovered, setHovered] = useState<DOMRect>();
  const measured = useMemo(() => values.filter((value) => value !== null), [values]);
  const highest = measured.length === 0 ? 0 : Math.max(...measured);
  const top = max ?? highest;
  const path = useMemo(() => sparkPath(values, top, width, height), [values, top, width, height]);
  const now = measured.at(-1);
  const scale =
    now === undefined
      ? 'not measured'
      : `now ${format(now)}, highest ${format(highest)}${max === undefined ? '' : `, scale to ${format(max)}`}`;
  return (
    <>
      <svg
        role="img"
        aria-label={`${label}: ${scale}`}
        viewBox={`0 0 ${width} ${height}`}
        width={width}
        height={height}
        onPointerEnter={(event) => setHovered(event.currentTarget.getBoundingClientRect())}
        onPointerLeave={() => setHovered(undefined)}
        className="flex-none overflow-visible text-tx-3 hover:text-tx-1"
      >
        <rect width={width} height={height} fill="none" pointerEvents="all" />
        <path d={path} fill="none" stroke="currentColor" strokeWidth={1.25} strokeLinejoin="round" strokeLinecap="round" />
      </svg>
      {hovered === undefined ? null : <Scale box={hovered} label={label} scale={scale} />}
    </>
  );
}

/** The widest that a scale gets, in pixels. */
const SCALE_WIDTH = 320;

function Scale({ box, label, scale }: { readonly box: DOMRect; readonly label: string; readonly scale: string }): ReactNode {
  const left = Math.max(8, Math.min(box.left, innerWidth - SCALE_WIDTH - 8));
  const isLow = box.bottom + 60 > innerHeight;
  return createPortal(
    <div
      aria-hidden
      style={{ left, maxWidth: SCALE_WIDTH, ...(isLow ? { bottom: innerHeight - box.top + 6 } : { top: box.bottom + 6 }) }}
      className="appear pointer-events-none fixed z-50 rounded-2 border border-hair-strong bg-bg-2 px-2 py-1 text-12 text-tx-1"
    >
      <p>{label}</p>
      <p className="figures text-tx-2">{scale}</p>
    </div>,
    document.body,
  );
}
