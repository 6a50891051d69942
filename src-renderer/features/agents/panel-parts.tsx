import { useSyncExternalStore } from 'react';
import type { ReactNode } from 'react';
import { Sparkline } from '#renderer/ui/sparkline.tsx';

interface PanelSectionProps {
  readonly title: string;
  /** Stands at the right of the title. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

/** A part of the panel beside a terminal. */
export function PanelSection({ title, aside, children }: PanelSectionProps): ReactNode {
  return (
    <section aria-label={title} className="border-b border-hair px-4 py-3 last:border-b-0">
      <h2 className="mb-1.5 flex items-baseline gap-2 text-12 font-strong">
        {title}
        {aside === undefined ? null : <span className="ml-auto min-w-0 truncate font-regular text-tx-3">{aside}</span>}
      </h2>
      {children}
    </section>
  );
}

/** Facts with their names, one a row. */
export function Facts({ children }: { readonly children: ReactNode }): ReactNode {
  return <dl className="grid grid-cols-[96px_minmax(0,1fr)] gap-x-3 text-12 leading-5">{children}</dl>;
}

interface FactProps {
  readonly name: string;
  /** Figures and code line up. */
  readonly isFigure?: boolean;
  readonly children: ReactNode;
}

/** One fact. */
export function Fact({ name, isFigure = false, children }: FactProps): ReactNode {
  return (
    <>
      <dt className="text-tx-3">{name}</dt>
      <dd className={`min-w-0 break-words text-tx-1 ${isFigure ? 'figures' : ''}`}>{children}</dd>
    </>
  );
}

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
