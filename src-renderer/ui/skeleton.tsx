import type { ReactNode } from 'react';

/** The place of something that is being loaded; `className` gives it its size. */
export function Skeleton({ className = 'h-4 w-full' }: { readonly className?: string }): ReactNode {
  return <div aria-hidden className={`rounded-1 bg-bg-2 ${className}`} />;
}

const WIDTHS = ['92%', '78%', '86%', '64%'] as const;

/** The place of so many lines of text. */
export function SkeletonText({ lines }: { readonly lines: number }): ReactNode {
  return (
    <div aria-hidden className="flex flex-col gap-2 py-1">
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} className="h-3 rounded-1 bg-bg-2" style={{ width: WIDTHS[line % WIDTHS.length] }} />
      ))}
    </div>
  );
}
