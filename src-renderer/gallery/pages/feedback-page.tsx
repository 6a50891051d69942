import type { ReactNode } from 'react';
import { Button } from '#renderer/ui/button.tsx';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import { ErrorState } from '#renderer/ui/error-state.tsx';
import { Notice } from '#renderer/ui/notice.tsx';
import { Progress } from '#renderer/ui/progress.tsx';
import { Skeleton, SkeletonText } from '#renderer/ui/skeleton.tsx';
import { Specimen } from '../specimen.tsx';

export function FeedbackPage(): ReactNode {
  return (
    <>
      <Specimen title="Progress">
        <div className="stack">
          <Progress label="Building the agent image" value={0.6} detail="step 3 of 5, 3 s left" />
          <Progress label="Copying files" value={0.25} />
          <Progress label="Waiting for Docker" value={null} />
        </div>
      </Specimen>
      <Specimen title="What is being loaded">
        <div className="stack">
          <div style={{ width: 160 }}>
            <Skeleton />
          </div>
          <SkeletonText lines={4} />
        </div>
      </Specimen>
      <Specimen title="Nothing yet" isFlush ground="page">
        <EmptyState title="No agents yet">
          <p>An agent is a coding agent or a worker that runs on this machine. Start the sample crew to see three at work.</p>
          <Button look="ink" size="large">
            Start the sample crew
          </Button>
        </EmptyState>
      </Specimen>
      <Specimen title="Could not be shown" isFlush>
        <ErrorState
          title="The messages could not be read."
          detail="The core answered that its database is locked by another process (pid 4711). Stop that process, or wait until it ends."
          onRetry={() => undefined}
          diagnostics="messages.list: SQLITE_BUSY"
        />
      </Specimen>
      <Specimen title="Failed beside what is shown" isFlush>
        <Notice title="The message was not sent." detail="webhooks was deleted 4 s ago. Choose another recipient.">
          <Button size="small">Dismiss</Button>
        </Notice>
        <Notice tone="info" title="Reconnecting." detail="What you see is from 14:02:11." />
        <Notice tone="needs" title="Claude Code is not logged in." detail="Its token expired on 9 November.">
          <Button size="small" look="ink">
            Log in
          </Button>
        </Notice>
      </Specimen>
    </>
  );
}
