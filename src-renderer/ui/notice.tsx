import { CircleX } from 'lucide-react';
import type { ReactNode } from 'react';

interface NoticeProps {
  /** What failed, in a few words. */
  readonly title: string;
  /** Why, and what to do. */
  readonly detail?: string;
  /** A button that does it, or puts the notice away. */
  readonly children?: ReactNode;
}

/** Something failed: what happened, why, and what to do. Announced to screen readers when it appears. */
export function Notice({ title, detail, children }: NoticeProps): ReactNode {
  return (
    <div role="alert" className="flex items-center gap-2.5 border-b border-failed-line bg-failed-bg min-h-9 px-4 py-1.5 text-12">
      <CircleX aria-hidden className="size-3.5 flex-none text-st-failed" />
      <p className="min-w-0 flex-1 leading-[18px] break-words text-tx-1">
        <strong className="font-strong">{title}</strong>
        {detail === undefined ? null : <span className="text-tx-2"> {detail}</span>}
      </p>
      {children}
    </div>
  );
}
