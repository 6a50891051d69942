import { ArrowRight, CircleX, Clock, Paperclip } from 'lucide-react';
import type { ReactNode } from 'react';
import type { OutboxEntry } from '#renderer/store/outbox.ts';
import type { OutgoingMessage } from '#renderer/store/outgoing-message.ts';
import { useOutbox } from '#renderer/store/use-messages.ts';
import { useSession } from '#renderer/store/session-context.tsx';
import { Button } from '#renderer/ui/button.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import { namesOf } from './message-words.ts';

interface PendingRowsProps {
  /** Only what goes to this agent. */
  readonly agentId?: string | undefined;
  /** A refused message goes back to where it was written. */
  readonly onEdit: (message: OutgoingMessage) => void;
}

/** What was sent and is not confirmed, at the end of the timeline: on its way, waiting for a line, or refused. */
export function PendingRows({ agentId, onEdit }: PendingRowsProps): ReactNode {
  const { outbox } = useSession().messages;
  const entries = useOutbox().filter(
    ({ message }) => agentId === undefined || message.to.some((address) => address === agentId || address === '*'),
  );
  return (
    <ul aria-label="On their way" aria-live="polite" className="@container max-h-52 flex-none overflow-y-auto">
      {entries.map((entry) => (
        <PendingRow
          key={entry.message.key}
          entry={entry}
          onRetry={() => void outbox.retry(entry.message.key)}
          onDiscard={() => outbox.discard(entry.message.key)}
          onEdit={() => {
            const lost = outbox.discard(entry.message.key);
            if (lost !== undefined) onEdit(lost);
          }}
        />
      ))}
    </ul>
  );
}

interface PendingRowProps {
  readonly entry: OutboxEntry;
  readonly onRetry: () => void;
  readonly onDiscard: () => void;
  readonly onEdit: () => void;
}

function PendingRow({ entry: { message, state, problem }, onRetry, onDiscard, onEdit }: PendingRowProps): ReactNode {
  const isFailed = state === 'failed';
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-3 border-t border-hair px-4 pt-[7px] pb-2 @2xl:grid-cols-[60px_minmax(0,1fr)_204px]">
      <span className="hidden @2xl:block" />
      <div className="min-w-0">
        <div className="flex items-center gap-1.5 text-12 leading-[18px] whitespace-nowrap text-tx-3">
          <strong className="text-13 font-strong text-tx-1">you</strong>
          <ArrowRight role="img" aria-label="to" className="size-3 flex-none" />
          <strong className="truncate text-13 font-strong text-tx-1">{namesOf(message.to)}</strong>
          <span>{message.kind}</span>
        </div>
        <p className="mt-px line-clamp-3 max-w-[74ch] leading-[18px] [overflow-wrap:anywhere] whitespace-pre-wrap text-tx-2">
          {visibleText(message.body)}
        </p>
        {message.files.length === 0 ? null : (
          <p className="mt-0.5 flex min-w-0 items-center gap-1 text-12 text-tx-3">
            <Paperclip aria-hidden className="size-3 flex-none" />
            <span className="min-w-0 truncate">{message.files.map(({ name }) => visibleText(name)).join(', ')}</span>
          </p>
        )}
        {state === 'sending' || problem === undefined ? null : (
          <p className={`mt-1 max-w-[74ch] text-12 text-pretty ${isFailed ? 'text-st-failed' : 'text-tx-2'}`}>
            {isFailed ? problem : 'No answer came. It is sent again, once, as soon as the core answers.'}
          </p>
        )}
        {state === 'sending' ? null : (
          <div className="mt-1.5 flex flex-wrap gap-1.5">
            <Button size="small" onClick={onRetry}>
              Try again
            </Button>
            {isFailed ? (
              <Button size="small" onClick={onEdit}>
                Edit
              </Button>
            ) : null}
            <Button size="small" look="quiet" onClick={onDiscard}>
              Discard
            </Button>
          </div>
        )}
      </div>
      <div className={`text-12 leading-[18px] @2xl:text-right ${isFailed ? 'text-st-failed' : 'text-tx-2'}`}>
        <span className="inline-flex items-center gap-[5px]">
          {isFailed ? <CircleX aria-hidden className="size-3" /> : <Clock aria-hidden className="size-3" />}
          {isFailed ? 'not sent' : state === 'sending' ? 'sending' : 'waits for the core'}
        </span>
      </div>
    </li>
  );
}
