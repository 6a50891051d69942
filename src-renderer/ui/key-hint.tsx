import type { ReactNode } from 'react';

/** The keys that do the same as the control they stand in. */
export function KeyHint({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <kbd className="inline-flex h-[18px] items-center rounded-1 border border-current/40 px-1 font-ui text-11 leading-none font-medium">
      {children}
    </kbd>
  );
}
