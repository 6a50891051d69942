import type { ReactNode } from 'react';

/** What stands where there is nothing yet: what would be here, and how it gets here. In the middle of its box. */
export function EmptyState({ title, children }: { readonly title: string; readonly children?: ReactNode }): ReactNode {
  return (
    <div className="flex h-full items-center justify-center px-6 py-8">
      <div className="flex max-w-[56ch] min-w-0 flex-col items-start gap-2">
        <h2 className="text-14 font-strong">{title}</h2>
        <div className="flex max-w-full flex-col items-start gap-3 text-13 text-pretty text-tx-2">{children}</div>
      </div>
    </div>
  );
}
