import type { ReactNode } from 'react';
import { Skeleton, SkeletonText } from '#renderer/ui/skeleton.tsx';

/** So many places of cards fill most windows. */
const CARDS = 12;

/** The fleet before anything is known about it. */
export function FleetSkeleton(): ReactNode {
  return (
    <div role="status" aria-label="Loading the agents" className="flex h-full min-h-0 flex-col">
      <div className="flex h-11 flex-none items-center gap-3 border-b border-hair px-4">
        <h1 className="text-14 font-strong">Agents</h1>
        <Skeleton className="h-5 w-80" />
      </div>
      <div className="grid min-h-0 flex-1 auto-rows-[252px] grid-cols-[repeat(auto-fill,minmax(296px,1fr))] content-start gap-3 overflow-hidden px-4 pt-3">
        {Array.from({ length: CARDS }, (_, index) => (
          <div key={index} className="flex flex-col overflow-hidden rounded-3 border border-hair bg-bg-1">
            <div className="flex h-[55px] flex-none flex-col gap-2 px-3 pt-3">
              <Skeleton className="h-3 w-36" />
              <Skeleton className="h-3 w-52" />
            </div>
            <div className="min-h-0 flex-1 border-y border-hair bg-t-bg px-3 pt-2">
              <SkeletonText lines={5} />
            </div>
            <div className="h-13 flex-none px-3 pt-2.5">
              <Skeleton className="h-3 w-48" />
            </div>
          </div>
        ))}
      </div>
    </div>
  );
}
