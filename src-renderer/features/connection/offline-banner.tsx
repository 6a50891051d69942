import type { ReactNode } from 'react';
import { Button } from '#renderer/ui/button.tsx';
import { clockTime } from '#renderer/ui/format-time.ts';
import { Notice } from '#renderer/ui/notice.tsx';

interface OfflineBannerProps {
  /** When the line was lost, in ms since the epoch. */
  readonly since: number;
  readonly onRetry: () => void;
}

/** The core is away: what is on the screen is old, what that means, and what happens next. */
export function OfflineBanner({ since, onRetry }: OfflineBannerProps): ReactNode {
  return (
    <Notice
      title="The core does not answer."
      detail={`What you see is from ${clockTime(since)}. Agents in tmux go on working. This window reconnects by itself as soon as the core is back; if it was stopped, start it with "npm start".`}
    >
      <Button size="small" onClick={onRetry}>
        Try now
      </Button>
    </Notice>
  );
}
