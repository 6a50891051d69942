import type { ReactNode } from 'react';

interface ProgressProps {
  /** What goes on. */
  readonly label: string;
  /** The share that is done, 0 to 1; null while nobody knows. */
  readonly value: number | null;
  /** How much of what, or what is left: "step 3 of 5", "3 s left". */
  readonly detail?: string | undefined;
  readonly className?: string;
}

/** How far something is. */
export function Progress({ label, value, detail, className = '' }: ProgressProps): ReactNode {
  const percent = value === null ? undefined : Math.round(Math.min(Math.max(value, 0), 1) * 100);
  return (
    <div className={`flex min-w-0 flex-col gap-1.5 text-12 ${className}`}>
      <div className="flex min-w-0 items-baseline gap-3">
        <span className="min-w-0 flex-1 truncate text-tx-2">{label}</span>
        {detail === undefined ? null : <span className="flex-none text-tx-2">{detail}</span>}
        {percent === undefined || detail !== undefined ? null : <span className="figures flex-none text-tx-2">{percent}%</span>}
      </div>
      <div
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={detail}
        className="h-1 overflow-hidden rounded-full bg-hair"
      >
        {percent === undefined ? (
          <div className="waiting h-full w-1/3 rounded-full bg-tx-3" />
        ) : (
          <div className="h-full rounded-full bg-tx-2" style={{ width: `${percent}%` }} />
        )}
      </div>
    </div>
  );
}
