import type { ReactNode } from 'react';
import { readableKeys } from './readable-keys.ts';

/** The keys that do the same as the control they stand in, as written for commands ("ctrl+k", "g f") or for people. */
export function KeyHint({ children }: { readonly children: ReactNode }): ReactNode {
  return (
    <kbd className="inline-flex h-[18px] min-w-[18px] flex-none items-center justify-center rounded-1 border border-current/30 px-1 font-ui text-11 leading-none font-medium whitespace-nowrap">
      {typeof children === 'string' ? readableKeys(children) : children}
    </kbd>
  );
}
