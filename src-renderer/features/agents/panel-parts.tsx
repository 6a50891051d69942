import { useSyncExternalStore } from 'react';
import type { ReactNode } from 'react';
import { Sparkline } from '#renderer/ui/sparkline.tsx';

const wide = matchMedia('(min-width: 1200px)');

function onWideChange(listener: () => void): () => void {
  wide.addEventListener('change', listener);
  return () => wide.removeEventListener('change', listener);
}

interface TrendProps {
  readonly name: string;
  /** Whose: for screen readers. */
  readonly agentId: string;
  readonly values: readonly number[];
  /** The upper edge; the highest value when left out. */
  readonly max?: number | undefined;
  readonly format: (value: number) => string;
  /** The newest value with its scale; what is not known is said. */
  readonly now: string;
}

/** A course of figures: its name, its line, its newest value. */
export function Trend({ name, agentId, values, max, format, now }: TrendProps): ReactNode {
  const isWide = useSyncExternalStore(onWideChange, () => wide.matches);
  return (
    <div className="grid h-6 grid-cols-[72px_minmax(0,1fr)_112px] items-center gap-3 text-12">
      <span className="text-tx-3">{name}</span>
      {values.length < 2 ? (
        <span aria-hidden className="border-b border-hair" />
      ) : (
        <span className="flex border-b border-hair">
          <Sparkline
            label={`${name} of ${agentId}`}
            values={values}
            max={max}
            format={format}
            width={isWide ? 180 : 104}
            height={16}
          />
        </span>
      )}
      <span className="figures text-right whitespace-nowrap text-tx-1">{now}</span>
    </div>
  );
}
