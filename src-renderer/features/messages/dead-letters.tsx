import { ArrowRight } from 'lucide-react';
import { useEffect, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import type { CoreClient } from '#renderer/connection/line.ts';
import { goTo } from '#renderer/navigation/use-route.tsx';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import type { MessageFilter } from '#renderer/store/message-filter.ts';
import { passes } from '#renderer/store/message-filter.ts';
import { useAsked } from '#renderer/store/use-asked.ts';
import { problemOf } from '#renderer/store/use-command.ts';
import { Button } from '#renderer/ui/button.tsx';
import { Checkbox } from '#renderer/ui/checkbox.tsx';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import { ErrorState } from '#renderer/ui/error-state.tsx';
import { clockTime, dayName, fullTime } from '#renderer/ui/format-time.ts';
import { Notice } from '#renderer/ui/notice.tsx';
import { Select } from '#renderer/ui/select.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import { useNow } from '#renderer/ui/use-now.ts';
import { VirtualList } from '#renderer/ui/virtual-list.tsx';
import { visibleText } from '#renderer/ui/visible-text.ts';
import type { MessageId, ProjectId } from '#shared/kernel/ids.ts';
import { DEAD_REASONS } from '#shared/messages/model.ts';
import type { DeadLetter } from './dead-letter.ts';
import { deadLettersOf, tallyText } from './dead-letter.ts';
import { reasonText } from './delivery-path.ts';
import type { MessageActions } from './message-actions.ts';
import { MessageText } from './message-text.tsx';
import { beginningOf } from './text-parts.ts';
import { kindText, nameOf, namesOf, spanText } from './message-words.ts';
import { TimelineSkeleton } from './timeline-skeleton.tsx';

/** So many are loaded at first, and more by each press of the button under them. */
const PAGE = 200;
/** Before a row is measured, in pixels. */
const ROW_PX = 84;

const REASON_CHOICES = [
  { value: '', text: 'any failure' },
  ...DEAD_REASONS.map((value) => ({ value: value as string, text: reasonText(value) })),
];

type Query = Parameters<CoreClient['messages']['dead']>[0];
interface Found {
  readonly letters: readonly DeadLetter[];
  readonly hasMore: boolean;
}

/** The newest dead letters, at least so many where there are: a page may be short. */
async function load(client: CoreClient, query: Query, wanted: number): Promise<Found> {
  const letters: DeadLetter[] = [];
  let before: MessageId | undefined;
  for (;;) {
    const limit = Math.min(500, wanted - letters.length);
    const page = await client.messages.dead({ ...query, limit, ...(before === undefined ? {} : { before }) });
    letters.push(...deadLettersOf(page.messages, page.deliveries));
    if (page.older === null || letters.length >= wanted) return { letters, hasMore: page.older !== null };
    before = page.older;
  }
}

interface DeadLettersProps {
  readonly projectId: ProjectId | undefined;
  /** Only what this participant was to get; '' is anybody. */
  readonly to: string;
  /** What else the list is narrowed down by. */
  readonly filter: MessageFilter;
  readonly selectedId: string | undefined;
  readonly actions: MessageActions;
  /** Shows those of everybody. */
  readonly onClear: () => void;
}

/** Messages that reached somebody not at all: whom, why, since when; and how they are delivered after all. */
export function DeadLetters({ projectId, to, filter, selectedId, actions, onClear }: DeadLettersProps): ReactNode {
  const session = useSession();
  const isOnline = useWindowState((state) => state.status.kind === 'online');
  const [reason, setReason] = useState('');
  const [wanted, setWanted] = useState(PAGE);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [isRetrying, setRetrying] = useState(false);
  const now = useNow(10_000);
  const known = DEAD_REASONS.find((one) => one === reason);
  const query: Query = {
    ...(projectId === undefined ? {} : { projectId }),
    ...(to === '' ? {} : { to: to.slice(0, 64) }),
    ...(known === undefined ? {} : { reason: known }),
  };
  const { answer, problem, ask } = useAsked(JSON.stringify(query), (line) => load(line, query, wanted), {
    isChangedBy: ({ kind }) => kind === 'message.dead' || kind === 'message.retried',
  });
  useEffect(() => {
    if (wanted > PAGE) ask();
  }, [ask, wanted]);
  const letters = useMemo(() => {
    // Whom it was to reach and where its copies stand the core has looked at.
    const { participant: _participant, state: _state, ...narrow } = filter;
    return (answer?.letters ?? []).filter(({ message }) => passes(narrow, message, undefined));
  }, [answer, filter]);
  const isNarrowed = reason !== '' || to !== '' || letters.length < (answer?.letters.length ?? 0);
  const picked = letters.filter(({ message }) => chosen.has(message.id));
  const isAll = picked.length > 0 && picked.length === letters.length;

  const retryPicked = async (): Promise<void> => {
    setRetrying(true);
    let done = 0;
    let failure: string | undefined;
    // One after the other, oldest first: they come back in the order in which they were written.
    for (const { message, copies } of picked.toReversed()) {
      try {
        await session.client.messages.retry({ id: message.id, recipients: copies.map(({ recipient }) => recipient) });
        done += 1;
      } catch (error) {
        failure ??= problemOf(error);
      }
    }
    setRetrying(false);
    setChosen(new Set());
    ask();
    if (failure === undefined) showToast({ title: `${tallyText(done)} delivered again.` });
    else showToast({ title: `${done} of ${picked.length} are delivered again.`, detail: failure, tone: 'failed' });
  };

  if (answer === undefined) {
    if (problem === undefined || !isOnline) return <TimelineSkeleton />;
    return (
      <div className="min-h-0 flex-1">
        <ErrorState title="The dead letters were not loaded" detail={problem} onRetry={ask} />
      </div>
    );
  }
  return (
    <div className="@container flex min-h-0 flex-1 flex-col">
      {problem === undefined || !isOnline ? null : (
        <Notice title="The list may be out of date." detail={problem}>
          <Button size="small" onClick={ask}>
            Try again
          </Button>
        </Notice>
      )}
      <div className="flex min-h-9 flex-none flex-wrap items-center gap-x-3 gap-y-1 border-b border-hair px-4 py-1.5 text-12">
        <Checkbox
          label={picked.length === 0 ? 'Choose all' : `${picked.length} chosen`}
          checked={isAll ? true : picked.length > 0 ? 'mixed' : false}
          disabled={letters.length === 0}
          onChange={(isOn) => setChosen(new Set(isOn ? letters.map(({ message }) => message.id) : []))}
        />
        <Select label="Reason" value={reason} options={REASON_CHOICES} onChange={setReason} className="h-6!" />
        {to === '' ? null : (
          <Button size="small" onClick={onClear}>
            To {nameOf(to)}: show all
          </Button>
        )}
        <Button size="small" className="ml-auto" disabled={picked.length === 0 || isRetrying} onClick={() => void retryPicked()}>
          {picked.length === 0 ? 'Retry the chosen' : `Retry ${picked.length}`}
        </Button>
      </div>
      {letters.length === 0 ? (
        <div className="min-h-0 flex-1 overflow-y-auto">
          {!isNarrowed ? (
            <EmptyState title="No dead letters">
              <p>
                A message ends here when somebody could not be given it: its time was up, it was handed out too often without
                being acknowledged, or its recipient was removed. From here it can be delivered again.
              </p>
            </EmptyState>
          ) : (
            <EmptyState title="No dead letter matches">
              <Button
                onClick={() => {
                  setReason('');
                  onClear();
                }}
              >
                Show all dead letters
              </Button>
            </EmptyState>
          )}
        </div>
      ) : (
        <VirtualList
          role="feed"
          label="Dead letters"
          items={letters}
          keyOf={({ message }) => message.id}
          estimateHeight={ROW_PX}
          className="min-h-0 flex-1"
          renderItem={(letter) => (
            <Letter
              letter={letter}
              now={now}
              isSelected={letter.message.id === selectedId}
              isChosen={chosen.has(letter.message.id)}
              onChoose={(isOn) =>
                setChosen((all) => {
                  const next = new Set(all);
                  if (isOn) next.add(letter.message.id);
                  else next.delete(letter.message.id);
                  return next;
                })
              }
              actions={actions}
            />
          )}
        />
      )}
      {answer.hasMore ? (
        <div className="flex flex-none items-center gap-3 border-t border-hair px-4 py-1.5 text-12 text-tx-3">
          The newest {letters.length.toLocaleString('en-GB')} are listed.
          <Button size="small" onClick={() => setWanted(letters.length + PAGE)}>
            Load older
          </Button>
        </div>
      ) : null}
    </div>
  );
}

interface LetterProps {
  readonly letter: DeadLetter;
  readonly now: number;
  readonly isSelected: boolean;
  readonly isChosen: boolean;
  readonly onChoose: (isChosen: boolean) => void;
  readonly actions: MessageActions;
}

function Letter({ letter, now, isSelected, isChosen, onChoose, actions }: LetterProps): ReactNode {
  const { message, copies, diedAt, reason } = letter;
  const names = copies.map(({ recipient }) => recipient);
  const tries = Math.max(...copies.map(({ attempts }) => attempts));
  return (
    <div
      onClick={() => actions.select(message)}
      className={`relative grid grid-cols-[24px_minmax(0,1fr)] gap-x-2 border-b border-hair px-4 pt-[7px] pb-2 @2xl:grid-cols-[24px_88px_minmax(0,1fr)_minmax(0,228px)] ${isSelected ? 'bg-select' : 'hover:bg-bg-1'}`}
    >
      {isSelected ? <span aria-hidden className="absolute inset-y-0 left-0 w-0.5 bg-tx-1" /> : null}
      <span className="-mt-[3px] -ml-[5px]" onClick={(event) => event.stopPropagation()}>
        <Checkbox
          isLabelHidden
          label={`Choose the message of ${nameOf(message.from.id)} to ${namesOf(names)}, ${clockTime(message.sentAt)}`}
          checked={isChosen}
          onChange={onChoose}
        />
      </span>
      <time
        dateTime={new Date(diedAt).toISOString()}
        title={`sent ${fullTime(message.sentAt)}, died ${fullTime(diedAt)}`}
        className="col-start-2 text-12 leading-[18px] text-tx-3 @2xl:col-start-auto"
      >
        <span className="figures">{clockTime(diedAt)}</span>
        <span className="ml-1.5 @2xl:ml-0 @2xl:block">{dayName(diedAt, now).split(',')[0]}</span>
      </time>
      <div className="col-start-2 min-w-0 @2xl:col-start-auto">
        <div className="flex items-center gap-1.5 overflow-hidden text-12 leading-[18px] whitespace-nowrap text-tx-3">
          <strong className="max-w-[24ch] flex-none truncate text-13 font-strong text-tx-1">{nameOf(message.from.id)}</strong>
          <ArrowRight role="img" aria-label="to" className="size-3 flex-none" />
          <strong className="min-w-0 truncate text-13 font-strong text-tx-1">{namesOf(names)}</strong>
          <span className="min-w-0 flex-[0_9999_auto] truncate">{kindText(message)}</span>
          {message.subject === null ? null : <span className="min-w-0 truncate text-tx-2">{visibleText(message.subject)}</span>}
        </div>
        <p className="mt-px line-clamp-3 max-w-[74ch] leading-[18px] [overflow-wrap:anywhere] whitespace-pre-wrap text-tx-2">
          <MessageText text={beginningOf(message.body.trim())} isName={actions.isName} />
        </p>
        <div className="mt-1.5 flex flex-wrap gap-1.5" onClick={(event) => event.stopPropagation()}>
          <Button
            size="small"
            aria-label={`Retry: deliver again to ${namesOf(names)}`}
            onClick={() => actions.retry(message, names)}
          >
            Retry
          </Button>
          <Button size="small" look="quiet" onClick={() => goTo({ page: 'messages', messageId: message.id })}>
            Show in the timeline
          </Button>
        </div>
      </div>
      <p className="col-start-2 text-12 leading-[18px] text-tx-3 @2xl:col-start-auto @2xl:text-right">
        <span className={reason === 'cancelled' ? 'text-tx-2' : 'text-st-failed'}>{reasonText(reason)}</span>
        <span className="ml-2 @2xl:ml-0 @2xl:block">
          after <span className="figures">{spanText(diedAt - message.sentAt)}</span>
          {tries === 0 ? ', never handed out' : ` · handed out ${tries === 1 ? 'once' : `${tries} times`}`}
        </span>
      </p>
    </div>
  );
}
