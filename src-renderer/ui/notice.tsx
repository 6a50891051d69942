import { CircleX, Info, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';

/** failed: something went wrong. info: something to know. needs: the operator's answer is given here. */
export type NoticeTone = 'failed' | 'info' | 'needs';

interface NoticeProps {
  /** What happened, in a few words. */
  readonly title: string;
  /** Why, and what to do. */
  readonly detail?: ReactNode;
  readonly tone?: NoticeTone;
  /** A button that does it, or puts the notice away. */
  readonly children?: ReactNode;
}

const FRAMES: Readonly<Record<NoticeTone, string>> = {
  failed: 'border-failed-line bg-failed-bg',
  info: 'border-hair bg-bg-2',
  needs: 'border-needs-line bg-needs-bg',
};

const MARKS: Readonly<Record<NoticeTone, ReactNode>> = {
  failed: <CircleX aria-hidden className="size-3.5 flex-none text-st-failed" />,
  info: <Info aria-hidden className="size-3.5 flex-none text-tx-2" />,
  needs: <TriangleAlert aria-hidden className="size-3.5 flex-none text-needs-mark" />,
};

/** A line across the top of what it is about: what happened, why, and what to do. Announced when it appears. */
export function Notice({ title, detail, tone = 'failed', children }: NoticeProps): ReactNode {
  return (
    <div
      role={tone === 'failed' ? 'alert' : 'status'}
      className={`flex min-h-9 flex-wrap items-center gap-x-2.5 gap-y-1 border-b px-4 py-1.5 text-12 ${FRAMES[tone]}`}
    >
      {MARKS[tone]}
      <p className="min-w-0 flex-1 basis-48 leading-[18px] break-words text-tx-1">
        <strong className="font-strong">{title}</strong>
        {detail === undefined ? null : <span className="text-tx-2"> {detail}</span>}
      </p>
      {children}
    </div>
  );
}
