import type { ReactNode } from 'react';
import { useAgents } from '#renderer/store/project-scope.ts';
import { useCounts } from '#renderer/store/use-messages.ts';
import { fullTime } from '#renderer/ui/format-time.ts';
import { useNow } from '#renderer/ui/use-now.ts';
import type { InboxQueue } from '#shared/messages/model.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import { nameOf, spanText } from './message-words.ts';

/** The ages in the list are renewed this often, in milliseconds. */
const NOW_EVERY_MS = 5_000;
/** So many inboxes are listed; the fullest come first. */
const LISTED = 60;
/** Of those in which nothing is, so many are listed beside the others: the room is for what the selected message is about. */
const EMPTY_LISTED = 4;

interface InboxesProps {
  /** The state of a participant as a mark. */
  readonly markOf: (participant: string) => ReactNode;
  /** Whose queue is shown; '' is nobody's. */
  readonly queueOf: string;
  readonly onSelect: (participant: string) => void;
}

/** What stands in the inboxes: how many are queued, and for how long the oldest. */
export function Inboxes({ markOf, queueOf, onSelect }: InboxesProps): ReactNode {
  const counts = useCounts();
  const agents = useAgents();
  const now = useNow(NOW_EVERY_MS);
  const queues = new Map<string, InboxQueue>(counts?.queues.map((queue) => [queue.recipient, queue]));
  const empty = { queued: 0, unread: 0, oldestQueuedAt: null };
  const rows = [OPERATOR, ...agents.map(({ id }) => id as string)]
    .map((name) => ({ ...empty, ...queues.get(name), recipient: name }))
    .toSorted((a, b) => weight(b) - weight(a) || (a.recipient < b.recipient ? -1 : 1));
  const full = rows.filter(({ queued, unread, recipient }) => queued + unread > 0 || recipient === OPERATOR).length;
  const shown = rows.slice(0, Math.min(full + EMPTY_LISTED, LISTED));
  return (
    <section
      aria-labelledby="inboxes"
      // In a low window some rows of it stay in sight; where one of them is opened, the room is for that.
      className={`flex max-h-[30%] wide:max-h-[36%] min-h-28 flex-none flex-col border-t border-hair pt-3 ${queueOf === '' ? '' : '[@media(max-height:680px)]:hidden'}`}
    >
      <h2 id="inboxes" className="flex flex-none justify-between px-4 pb-1 text-12 font-strong">
        Inboxes <span className="font-regular text-tx-3">queued, oldest</span>
      </h2>
      <ul className="min-h-0 overflow-y-auto pb-3">
        {shown.map(({ recipient, queued, unread, oldestQueuedAt }) => (
          <li key={recipient}>
            <button
              type="button"
              title={unread === 0 ? undefined : `${unread} not acknowledged`}
              aria-pressed={recipient === queueOf}
              onClick={() => onSelect(recipient)}
              className="grid h-6 w-full grid-cols-[12px_minmax(0,1fr)_48px_56px] items-center gap-x-2 px-4 text-left text-12 hover:bg-bg-2 aria-pressed:bg-select"
            >
              {markOf(recipient)}
              <span className="truncate">{nameOf(recipient)}</span>
              <span className={`figures text-right ${queued === 0 ? 'text-tx-3' : 'text-tx-1'}`}>{queued}</span>
              <span
                className="figures text-right text-tx-3"
                title={oldestQueuedAt === null ? undefined : `since ${fullTime(oldestQueuedAt)}`}
              >
                {oldestQueuedAt === null ? '–' : spanText(now - oldestQueuedAt)}
              </span>
            </button>
          </li>
        ))}
        {rows.length > shown.length ? (
          <li className="px-4 pt-1 text-12 text-tx-3">
            {rows.length - shown.length} more {full > shown.length ? 'with less in them' : 'are empty'}
          </li>
        ) : null}
      </ul>
    </section>
  );
}

/** The operator stands first, then who has most queued, then most unread. */
function weight({ recipient, queued, unread }: Pick<InboxQueue, 'recipient' | 'queued' | 'unread'>): number {
  return recipient === OPERATOR ? Number.POSITIVE_INFINITY : queued * 1_000_000 + unread;
}
