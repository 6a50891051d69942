import type { ReactNode } from 'react';

interface PanelSectionProps {
  readonly title: string;
  /** Stands at the right of the title. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

/** A part of a side panel, with its title. */
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
