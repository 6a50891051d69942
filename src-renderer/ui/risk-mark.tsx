import type { ReactNode } from 'react';

/** How bad something would be. */
export type Risk = 'LOW' | 'MEDIUM' | 'HIGH' | 'CRITICAL';

const BARS: Readonly<Record<Risk, number>> = { LOW: 1, MEDIUM: 2, HIGH: 3, CRITICAL: 4 };

/** Four bars and a word: readable without colours. */
export function RiskMark({ risk }: { readonly risk: Risk }): ReactNode {
  const tone = risk === 'HIGH' || risk === 'CRITICAL' ? 'text-st-failed' : 'text-tx-2';
  return (
    <span
      className={`inline-flex flex-none items-center gap-1.5 text-11 font-strong tracking-[0.03em] whitespace-nowrap ${tone}`}
    >
      <svg viewBox="0 0 17 10" aria-hidden className="h-2.5 w-[17px] flex-none">
        {[0, 1, 2, 3].map((bar) => (
          <rect
            key={bar}
            x={bar * 4.5}
            width={3}
            height={10}
            className={bar < BARS[risk] ? 'fill-current' : 'fill-hair-strong'}
          />
        ))}
      </svg>
      {risk}
    </span>
  );
}
