import type { ReactNode } from 'react';
import { Skeleton } from '#renderer/ui/skeleton.tsx';

/** Room for skeleton rows at an end that is not the history's end, in pixels. */
export const SKELETON_PX = 120;

/** Stand at an end of a timeline that goes on there. */
export function SkeletonRows({ className }: { readonly className: string }): ReactNode {
  return (
    <div aria-hidden className={`absolute right-0 left-0 flex flex-col ${className}`} style={{ height: SKELETON_PX }}>
      {[0, 1].map((row) => (
        <SkeletonRow key={row} width={row === 0 ? '62%' : '44%'} />
      ))}
    </div>
  );
}

function SkeletonRow({ width }: { readonly width: string }): ReactNode {
  return (
    <div className="flex h-15 gap-3 border-t border-hair px-4 pt-2.5">
      <Skeleton className="h-3 w-[60px]" />
      <div className="flex-1">
        <Skeleton className="h-3 w-44" />
        <div style={{ width }}>
          <Skeleton className="mt-2.5 h-3 w-full" />
        </div>
      </div>
      <Skeleton className="h-3 w-24" />
    </div>
  );
}

/** What stands in a timeline's place while its first page is loaded. */
export function TimelineSkeleton(): ReactNode {
  return (
    <div role="status" aria-label="Loading the messages" className="min-h-0 flex-1 overflow-hidden">
      {['70%', '38%', '54%', '62%', '46%', '66%', '30%', '58%'].map((width) => (
        <SkeletonRow key={width} width={width} />
      ))}
    </div>
  );
}
