import type { ReactNode } from 'react';

/** The mark of the product: a mast, its yard, and the deck. */
export function Logo(): ReactNode {
  return (
    <svg viewBox="0 0 16 16" aria-hidden className="size-4 flex-none text-tx-1">
      <path d="M8 1.5v9M4 4.5h8M2 11.5h12M4 14.5h8" fill="none" stroke="currentColor" strokeWidth="1.75" strokeLinecap="round" />
    </svg>
  );
}
