import type { ReactNode } from 'react';

/** What stands where there is nothing yet: what would be here, and how it gets here. */
export function EmptyState({ title, children }: { readonly title: string; readonly children?: ReactNode }): ReactNode {
  return (
    <div className="flex h-full flex-col items-start justify-center gap-2 px-6 py-8">
      <h2 className="text-14 font-strong">{title}</h2>
      <div className="flex max-w-[56ch] flex-col items-start gap-3 text-13 text-pretty text-tx-2">{children}</div>
    </div>
  );
}
