import type { ReactNode } from 'react';

/** Facts with their names. */
export function FactList({ children }: { readonly children: ReactNode }): ReactNode {
  return <dl className="grid grid-cols-[92px_minmax(0,1fr)] gap-x-4 text-12 leading-5">{children}</dl>;
}

interface FactProps {
  readonly name: string;
  /** Something is wrong: said in the colour of failures. */
  readonly isFailed?: boolean;
  readonly children: ReactNode;
}

/** One of them. */
export function Fact({ name, isFailed = false, children }: FactProps): ReactNode {
  return (
    <>
      <dt className="text-tx-3">{name}</dt>
      <dd className={`min-w-0 break-words ${isFailed ? 'text-st-failed' : 'text-tx-1'}`}>{children}</dd>
    </>
  );
}
