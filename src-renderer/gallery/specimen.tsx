import type { ReactNode } from 'react';

interface SpecimenProps {
  readonly title: string;
  /** panel: on what lies on the page. page: on the page itself. */
  readonly ground?: 'panel' | 'page';
  /** Without room around it. */
  readonly isFlush?: boolean;
  readonly children: ReactNode;
}

/** One kind of use of a primitive, under its name. */
export function Specimen({ title, ground = 'panel', isFlush = false, children }: SpecimenProps): ReactNode {
  return (
    <section className="specimen" aria-label={title}>
      <h2>{title}</h2>
      <div data-ground={ground} data-flush={isFlush ? '' : undefined}>
        {children}
      </div>
    </section>
  );
}
