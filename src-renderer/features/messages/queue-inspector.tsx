import { X } from 'lucide-react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Button, IconButton } from '#renderer/ui/button.tsx';
import { ErrorState } from '#renderer/ui/error-state.tsx';
import { fullTime } from '#renderer/ui/format-time.ts';
import { reachableScroller } from '#renderer/ui/reachable-scroller.ts';
import { SkeletonText } from '#renderer/ui/skeleton.tsx';
import { useNow } from '#renderer/ui/use-now.ts';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { Delivery, Message, QueueInspection } from '#shared/messages/model.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import type { MessageActions } from './message-actions.ts';
import { MessageText } from './message-text.tsx';
import { beginningOf } from './text-parts.ts';
import { nameOf, spanText } from './message-words.ts';
import { fillOf, fillText, isReady, standText } from './queue-words.ts';
import { useQueue } from './use-queue.ts';

/** So many are shown at first, and more by each press of the button under them. */
const PAGE = 50;
/** Leases end and delays pass without an event: where messages stand is looked at so often, in milliseconds. */
const NOW_EVERY_MS = 1_000;
/** From here on, of 0 to 1, it is worth seeing how full a queue is. */
const NEARLY_FULL = 0.8;

interface QueueInspectorProps {
  /** An agent's id, or "operator". */
  readonly recipient: string;
  readonly actions: MessageActions;
  readonly onClose: () => void;
  /** Shows what died in this inbox. */
  readonly onShowDead: () => void;
}

/** One inbox: what is not acknowledged in it, in the order in which it is handed out. */
export function QueueInspector({ recipient, actions, onClose, onShowDead }: QueueInspectorProps): ReactNode {
  const [wanted, setWanted] = useState(PAGE);
  const { answer, problem, ask } = useQueue(recipient, wanted);
  return (
    <section aria-labelledby="queue" className="flex min-h-0 flex-[1_1_50%] flex-col">
      <div className="flex h-9 flex-none items-center gap-2 border-b border-hair px-4">
        <h2 id="queue" className="min-w-0 flex-1 truncate text-12 font-strong">
          {recipient === OPERATOR ? 'Your queue' : `Queue of ${recipient}`}
        </h2>
        <Button size="small" look="quiet" onClick={onShowDead}>
          Dead letters
        </Button>
        <IconButton label="Close the queue" size="small" icon={<X aria-hidden className="size-3.5" />} onClick={onClose} />
      </div>
      {answer === undefined ? (
        problem === undefined ? (
          <div className="px-4 py-3">
            <SkeletonText lines={6} />
          </div>
        ) : (
          <div className="min-h-0 flex-1 overflow-y-auto">
            <ErrorState title="The queue was not loaded" detail={problem} onRetry={ask} />
          </div>
        )
      ) : (
        <Queue queue={answer} actions={actions} onMore={() => setWanted(wanted + PAGE)} />
      )}
    </section>
  );
}

interface QueueProps {
  readonly queue: QueueInspection;
  readonly actions: MessageActions;
  readonly onMore: () => void;
}

function Queue({ queue, actions, onMore }: QueueProps): ReactNode {
  const now = useNow(NOW_EVERY_MS);
  const { counts, messages, deliveries, next, limits } = queue;
  const nextAt = deliveries.findIndex((copy) => isReady(copy, now));
  const isNearlyFull = fillOf(queue) >= NEARLY_FULL;
  const parts = [
    counts.queued === 0 ? '' : `${counts.queued.toLocaleString('en-GB')} to be handed out`,
    counts.unread > counts.queued ? `${(counts.unread - counts.queued).toLocaleString('en-GB')} handed out` : '',
    counts.delayed === 0 ? '' : `${counts.delayed.toLocaleString('en-GB')} held back`,
  ].filter((part) => part !== '');
  return (
    <>
      <div className="flex-none border-b border-hair px-4 py-2 text-12 leading-[18px]">
        <p className="text-tx-1">
          {parts.length === 0 ? 'Empty' : parts.join(' · ')}
          {counts.oldestQueuedAt === null ? null : (
            <span className="text-tx-3" title={`since ${fullTime(counts.oldestQueuedAt)}`}>
              {' '}
              · the oldest waits for {spanText(now - counts.oldestQueuedAt)}
            </span>
          )}
        </p>
        <p className={isNearlyFull ? 'text-st-failed' : 'text-tx-3'}>
          {fillText(queue)}
          {isNearlyFull ? '. A full inbox is sent nothing more, and senders are told.' : ''}
        </p>
      </div>
      <div ref={reachableScroller} className="relative min-h-0 flex-1 overflow-y-auto">
        {messages.length === 0 ? (
          <p className="px-4 py-3 text-12 text-tx-3">Everything that was sent here is acknowledged.</p>
        ) : (
          <ol aria-label="In the order in which it is handed out">
            {messages.map((message, index) => {
              const copy = deliveries[index];
              if (copy === undefined) return null;
              return (
                <Entry
                  key={message.id}
                  place={index + 1}
                  message={message}
                  copy={copy}
                  now={now}
                  isNext={index === nextAt}
                  attempts={limits.attempts}
                  actions={actions}
                />
              );
            })}
          </ol>
        )}
        {next === null ? null : (
          <div className="px-4 py-2">
            <Button size="small" onClick={onMore}>
              Show more
            </Button>
          </div>
        )}
      </div>
    </>
  );
}

interface EntryProps {
  readonly place: number;
  readonly message: Message;
  readonly copy: Delivery;
  readonly now: number;
  readonly isNext: boolean;
  /** After so many tries it is a dead letter. */
  readonly attempts: number;
  readonly actions: MessageActions;
}

function Entry({ place, message, copy, now, isNext, attempts, actions }: EntryProps): ReactNode {
  const about = `message ${place} of ${nameOf(message.from.id)}`;
  return (
    <li className="group/entry grid grid-cols-[24px_minmax(0,1fr)] border-b border-hair px-4 pt-1.5 pb-1 text-12 leading-[18px] hover:bg-bg-1">
      <span className="figures text-tx-3">{place}</span>
      <div className="min-w-0">
        <div className="flex items-baseline gap-1.5 whitespace-nowrap">
          <strong className="min-w-0 truncate font-strong">{nameOf(message.from.id)}</strong>
          <span className="flex-none text-tx-3">{message.kind}</span>
          {message.priority === 'normal' ? null : (
            <span
              className={`flex-none text-11 font-strong tracking-[0.03em] uppercase ${message.priority === 'low' ? 'text-tx-3' : 'text-tx-2'}`}
            >
              {message.priority}
            </span>
          )}
          <span className={`ml-auto min-w-0 truncate pl-2 ${isNext ? 'text-tx-1' : 'text-tx-3'}`}>
            {standText(copy, now, isNext)}
          </span>
        </div>
        <p className="line-clamp-2 [overflow-wrap:anywhere] text-tx-2">
          {message.subject === null ? (
            <MessageText text={beginningOf(message.body.trim())} isName={actions.isName} />
          ) : (
            visibleText(message.subject)
          )}
        </p>
        <div className="flex flex-wrap items-center gap-x-1 text-tx-3">
          <span title={`queued ${fullTime(copy.queuedAt)}`}>
            for {spanText(now - copy.queuedAt)}
            {copy.attempts === 0 ? '' : `, try ${copy.attempts} of ${attempts}`}
          </span>
          <span className="-mr-2 ml-auto flex">
            <Button size="small" look="quiet" aria-label={`Show ${about}`} onClick={() => actions.show(message.id)}>
              Show
            </Button>
            <Button
              size="small"
              look="quiet"
              aria-label={`Take back ${about}`}
              title="Whoever has not acknowledged it is not handed it any more"
              onClick={() => actions.cancel(message)}
            >
              Take back
            </Button>
          </span>
        </div>
      </div>
    </li>
  );
}
