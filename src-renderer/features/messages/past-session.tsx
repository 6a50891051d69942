import type { ReactNode } from 'react';
import { Button } from '#renderer/ui/button.tsx';
import type { SessionSummary } from '#shared/sessions/model.ts';
import { sessionSpan } from './session-words.ts';

interface PastSessionProps {
  readonly session: SessionSummary;
  readonly onLeave: () => void;
}

/** Stands where one writes while an earlier session is shown: nothing can be added to it. */
export function PastSession({ session, onLeave }: PastSessionProps): ReactNode {
  return (
    <div
      role="status"
      className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1 border-t border-hair bg-bg-1 px-4 py-2 text-12 text-tx-2"
    >
      <p className="min-w-0 flex-1 basis-64">
        <strong className="font-strong text-tx-1">An earlier session, read-only:</strong> {sessionSpan(session)},{' '}
        {session.messages.toLocaleString('en-GB')} message{session.messages === 1 ? '' : 's'}. What you write goes into the
        present one.
      </p>
      <Button size="small" onClick={onLeave}>
        Show all sessions
      </Button>
    </div>
  );
}
