import { useState } from 'react';
import type { ReactNode } from 'react';
import { Button } from '#renderer/ui/button.tsx';
import { CopyButton } from '#renderer/ui/copy-button.tsx';
import { shortDuration } from '#renderer/ui/format-time.ts';
import { Notice } from '#renderer/ui/notice.tsx';
import { Progress } from '#renderer/ui/progress.tsx';
import { reachableScroller } from '#renderer/ui/reachable-scroller.ts';
import { useNow } from '#renderer/ui/use-now.ts';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { ImageJob } from '#shared/runtimes/model.ts';

/** Of the output so many lines are shown: the last ones. */
const LINES_SHOWN = 12;

interface ImageJobViewProps {
  readonly job: ImageJob;
  /** Starts it again; undefined where that is done elsewhere. */
  readonly onRetry?: (() => void) | undefined;
}

/** Making or fetching an image: how far it is, what it is at, what it prints, and what to do when it failed. */
export function ImageJobView({ job, onRetry }: ImageJobViewProps): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const what = job.kind === 'build' ? 'Making the agent image' : `Fetching ${job.reference}`;
  if (job.state === 'done') return null;
  const log = job.log.slice(-LINES_SHOWN).map(visibleText).join('\n');
  return (
    <div className="flex min-w-0 flex-col gap-2" aria-label={what} role="group">
      {job.state === 'failed' ? (
        <div className="overflow-hidden rounded-2 border border-failed-line">
          <Notice
            title={job.kind === 'build' ? 'The agent image was not made.' : `${job.reference} was not fetched.`}
            detail={job.problem}
          >
            {onRetry === undefined ? null : (
              <Button size="small" onClick={onRetry}>
                Try again
              </Button>
            )}
            <CopyButton size="small" text={`${job.problem ?? ''}\n\n${job.log.join('\n')}`} label="Copy diagnostics" />
          </Notice>
        </div>
      ) : (
        <JobProgress job={job} what={what} />
      )}
      {job.log.length === 0 ? null : (
        <>
          <Button size="small" look="quiet" className="self-start" aria-expanded={isOpen} onClick={() => setOpen((was) => !was)}>
            {isOpen ? 'Hide what it prints' : 'Show what it prints'}
          </Button>
          {isOpen ? (
            <pre
              ref={reachableScroller}
              aria-label="Output"
              className="font-code max-h-52 overflow-auto rounded-2 border border-hair bg-well px-2.5 py-1.5 text-11 leading-4 text-t-fg"
            >
              {log}
            </pre>
          ) : null}
        </>
      )}
    </div>
  );
}

function JobProgress({ job, what }: { readonly job: ImageJob; readonly what: string }): ReactNode {
  const now = useNow(1_000);
  const percent = job.progress === null ? '' : `${Math.round(job.progress * 100)}%, `;
  return (
    <Progress
      label={`${what}: ${job.step}`}
      value={job.progress}
      detail={`${percent}${shortDuration(now - job.startedAt)} so far`}
    />
  );
}
