import type { ReactNode } from 'react';
import { changeQuery, goTo } from '#renderer/navigation/use-route.tsx';
import { useCounts } from '#renderer/store/use-messages.ts';
import { Button } from '#renderer/ui/button.tsx';
import { fullTime } from '#renderer/ui/format-time.ts';
import { useNow } from '#renderer/ui/use-now.ts';
import { spanText } from './message-words.ts';

/** The age of the oldest is renewed so often, in milliseconds. */
const NOW_EVERY_MS = 5_000;

/** What waits in an agent's inbox, in a line, with the way to it. Nothing while the inbox is empty. */
export function QueueLine({ agentId }: { readonly agentId: string }): ReactNode {
  const queue = useCounts()?.queues.find(({ recipient }) => recipient === agentId);
  const now = useNow(NOW_EVERY_MS);
  if (queue === undefined) return null;
  const { queued, unread, delayed, oldestQueuedAt } = queue;
  const words = [
    queued === 0 ? '' : `${queued.toLocaleString('en-GB')} queued`,
    unread > queued ? `${(unread - queued).toLocaleString('en-GB')} handed out` : '',
    delayed === 0 ? '' : `${delayed.toLocaleString('en-GB')} held back`,
  ].filter((part) => part !== '');
  return (
    <div className="flex min-h-9 flex-none items-center gap-2 border-b border-hair px-4 text-12">
      <p className="min-w-0 flex-1 truncate text-tx-2">
        {words.join(', ')}
        {oldestQueuedAt === null ? null : (
          <span className="text-tx-3" title={`since ${fullTime(oldestQueuedAt)}`}>
            , the oldest for {spanText(now - oldestQueuedAt)}
          </span>
        )}
      </p>
      <Button
        size="small"
        look="quiet"
        onClick={() => {
          goTo({ page: 'messages' });
          changeQuery({ agent: agentId, queue: agentId });
        }}
      >
        Open the queue
      </Button>
    </div>
  );
}
