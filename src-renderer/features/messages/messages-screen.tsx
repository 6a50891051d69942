import { X } from 'lucide-react';
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useScreenCommands } from '#renderer/commands/use-commands.tsx';
import { pathOf } from '#renderer/navigation/routes.ts';
import { changeQuery, goTo, useQueryParameter, useQueryText } from '#renderer/navigation/use-route.tsx';
import { answeredBy, answeredOf } from '#renderer/store/answer.ts';
import type { Answered } from '#renderer/store/outgoing-message.ts';
import { pageStorage } from '#renderer/store/page-storage.ts';
import { useProject } from '#renderer/store/project-scope.ts';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import type { TimelineFeed } from '#renderer/store/timeline-feed.ts';
import { problemOf } from '#renderer/store/use-command.ts';
import { useFeed } from '#renderer/store/use-messages.ts';
import { Button, IconButton } from '#renderer/ui/button.tsx';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import { SearchField } from '#renderer/ui/search-field.tsx';
import { showToast } from '#renderer/ui/toast.tsx';
import { MessageId } from '#shared/kernel/ids.ts';
import type { Message } from '#shared/messages/model.ts';
import { TOPIC_PREFIX } from '#shared/messages/model.ts';
import type { ComposerHandle } from './composer.tsx';
import { Composer } from './composer.tsx';
import { DayDialog } from './day-dialog.tsx';
import { DeadLetters } from './dead-letters.tsx';
import { keepAnswered, keptAnswered } from './drafts.ts';
import { FilterBar } from './filter-bar.tsx';
import type { FilterTexts } from './message-filters.ts';
import { FILTER_NAMES, filterOf, textsOf } from './message-filters.ts';
import { MessageSearch } from './message-search.tsx';
import { MessageStream } from './message-stream.tsx';
import { isQuestion } from './message-words.ts';
import { PastSession } from './past-session.tsx';
import { PendingRows } from './pending-rows.tsx';
import { SidePanel } from './side-panel.tsx';
import type { TimelineHandle } from './timeline.tsx';
import { TopicsView } from './topics-view.tsx';
import { useMessageActions } from './use-message-actions.ts';
import { useSessions } from './use-sessions.ts';

const NO_FILTER: Partial<FilterTexts> = Object.fromEntries(FILTER_NAMES.map((name) => [name, '']));

/** Where drafts of this screen are kept. */
const SCREEN = 'messages';

interface MessagesScreenProps {
  /** The message that the address names. */
  readonly messageId: string | undefined;
  /** The state of a participant as a mark. */
  readonly markOf: (participant: string) => ReactNode;
}

/** Everything said in a project: read, followed, filtered, answered. */
export function MessagesScreen({ messageId, markOf }: MessagesScreenProps): ReactNode {
  const session = useSession();
  const search = useQueryText();
  const projectId = useProject()?.id;
  const isOnline = useWindowState((state) => state.status.kind === 'online');
  const inbox = useWindowState((state) => state.inbox);
  const texts = useMemo(() => textsOf(search), [search]);
  const filter = useMemo(() => ({ ...filterOf(texts), ...(projectId === undefined ? {} : { projectId }) }), [texts, projectId]);
  const feed = useFeed(filter);
  const isNoMessage = messageId !== undefined && !MessageId.safeParse(messageId).success;
  const [selection, setSelection] = useState({ of: messageId, id: messageId });
  // Another message in the address is selected at once; what is selected by hand stays as long as the address does.
  if (selection.of !== messageId) setSelection({ of: messageId, id: messageId ?? selection.id });
  const selectedId = selection.id;
  const setSelectedId = useCallback((id: string) => setSelection((now) => ({ ...now, id })), []);
  const [inView, setInView] = useState<readonly Message[]>([]);
  const [answered, setAnsweredState] = useState(() => keptAnswered(pageStorage, SCREEN));
  const [isPanelOpen, setPanelOpen] = useState(false);
  const [isPickingDay, setPickingDay] = useState(false);
  const timeline = useRef<TimelineHandle>(null);
  const composer = useRef<ComposerHandle>(null);
  const [query, setQuery] = useQueryParameter('q');
  const [queueOf, setQueueOf] = useQueryParameter('queue');
  const isPanelShown = isPanelOpen || queueOf !== '';
  const closePanel = (): void => {
    setPanelOpen(false);
    setQueueOf('');
  };
  const searchField = useRef<HTMLInputElement>(null);
  const stage = useRef<HTMLElement>(null);

  const setAnswered = useCallback((next: Answered | undefined): void => {
    setAnsweredState(next);
    keepAnswered(pageStorage, SCREEN, next);
  }, []);

  // The address names a message: it is shown among what was said around it. Otherwise the newest, or where one was.
  const gone = useRef<{ readonly feed: TimelineFeed; readonly id: string }>(undefined);
  useEffect(() => {
    if (!isOnline) return;
    const isReady = feed.store.getState().phase === 'ready';
    const id = MessageId.safeParse(messageId);
    if (!id.success) {
      if (!isReady) feed.showEnd().catch(() => undefined);
      return;
    }
    // Who has gone on reading from there is not taken back by a line that was down.
    if (isReady && gone.current?.feed === feed && gone.current.id === id.data) return;
    gone.current = { feed, id: id.data };
    feed.showMessage(id.data).catch(() => undefined);
  }, [feed, isOnline, messageId]);

  // "Write to these", from elsewhere: used up at once, so that going back does not do it again.
  const to = new URLSearchParams(search).get('to') ?? '';
  useEffect(() => {
    if (to === '') return;
    // oxlint-disable-next-line react/set-state-in-effect -- the address is outside of React, and used up here
    setAnswered(undefined);
    composer.current?.address(to.split(',').filter((name) => name !== ''));
    changeQuery({ to: '' });
  }, [to, setAnswered]);

  // Another filter is another place: the address names no message then.
  const change = useCallback(
    (changes: Partial<FilterTexts>): void => changeQuery({ ...changes }, pathOf({ page: 'messages' })),
    [],
  );
  /** Somebody's queue, and beside it everything that was said to and by them; once more puts both away. */
  const showQueue = (participant: string): void => {
    const next = queueOf === participant ? '' : participant;
    change({ agent: next, view: '' });
    setQueueOf(next);
  };
  const sessions = useSessions();
  const past = sessions.find(({ id, isCurrent }) => id === texts.session && !isCurrent);
  const reply = useCallback(
    (message: Message) => {
      // In an earlier session nothing is written: the answer belongs to the present one.
      changeQuery({ session: '' });
      setAnswered(answeredBy(message));
    },
    [setAnswered],
  );
  const showThread = useCallback(
    (message: Message) => {
      setSelectedId(message.id);
      change({ ...NO_FILTER, thread: message.threadId });
    },
    [change, setSelectedId],
  );
  const { actions, unfolded } = useMessageActions(feed, { select: setSelectedId, reply, showThread });
  const selected = (): Message | undefined => feed.store.getState().messages.find(({ id }) => id === selectedId);
  const withSelected = (act: (message: Message) => void) => (): void => {
    const message = selected();
    if (message !== undefined) act(message);
  };

  useScreenCommands('Messages', [
    { id: 'messages.next', title: 'Next message', keys: 'j', isHidden: true, run: () => timeline.current?.step(1) },
    { id: 'messages.previous', title: 'Previous message', keys: 'k', isHidden: true, run: () => timeline.current?.step(-1) },
    { id: 'messages.reply', title: 'Reply to the selected message', keys: 'r', run: withSelected(reply) },
    {
      id: 'messages.thread',
      title: texts.thread === '' ? 'Show the thread of the selected message' : 'Show all threads',
      keys: 't',
      run: texts.thread === '' ? withSelected(showThread) : () => change({ thread: '' }),
    },
    {
      id: 'messages.read',
      title: 'Mark the selected message as read',
      keys: 'e',
      run: withSelected((message) => actions.markRead(message)),
    },
    {
      id: 'messages.cancel',
      title: 'Take the selected message back',
      run: withSelected((message) => actions.cancel(message)),
    },
    {
      id: 'messages.read-all',
      title: 'Mark everything in your inbox as read, but for questions',
      run: () =>
        void session
          .acknowledge(inbox.filter((message) => !isQuestion(message)).map(({ id }) => id))
          .catch((error: unknown) =>
            showToast({ title: 'The messages were not marked as read.', detail: problemOf(error), tone: 'failed' }),
          ),
    },
    { id: 'messages.search', title: 'Search messages', keys: '/', run: () => searchField.current?.focus() },
    { id: 'messages.topics', title: 'Topics and subscriptions', run: () => change({ ...NO_FILTER, view: 'topics' }) },
    { id: 'messages.dead', title: 'Dead letters', run: () => change({ ...NO_FILTER, state: 'dead' }) },
    { id: 'messages.compose', title: 'Write a message', keys: 'c', run: () => composer.current?.focus() },
    { id: 'messages.end', title: 'Go to the newest message', keys: 'end', run: () => void feed.showEnd() },
    { id: 'messages.start', title: 'Go to the first message', keys: 'home', run: () => void feed.showStart() },
    { id: 'messages.day', title: 'Go to a day', keys: 'd', run: () => setPickingDay(true) },
    {
      id: 'messages.panel',
      title: 'Show or hide sequence and delivery',
      keys: 'i',
      run: () => setPanelOpen((isOpen) => !isOpen),
    },
    ...(isPanelShown
      ? [{ id: 'messages.panel-close', title: 'Close the panel', keys: 'escape', isHidden: true, run: closePanel }]
      : []),
  ]);

  const isFiltered = FILTER_NAMES.some((name) => texts[name] !== '');
  return (
    <div className="flex h-full min-h-0 flex-col">
      <FilterBar
        texts={texts}
        onChange={change}
        sessions={sessions}
        search={
          <SearchField
            ref={searchField}
            label="Search messages"
            shortcut="/"
            value={query}
            onChange={setQuery}
            onKeyDown={(event) => {
              if (event.key !== 'Enter' && event.key !== 'ArrowDown') return;
              event.preventDefault();
              stage.current?.querySelector<HTMLElement>('[aria-label="Messages found"] a')?.focus();
            }}
            className="h-6! w-48 max-w-full"
          />
        }
        onPickDay={() => setPickingDay(true)}
        isPanelOpen={isPanelShown}
        onTogglePanel={() => (isPanelShown ? closePanel() : setPanelOpen(true))}
      />
      <div className="relative grid min-h-0 flex-1 grid-cols-[minmax(0,1fr)] grid-rows-[minmax(0,1fr)_auto] wide:grid-cols-[minmax(0,1fr)_396px]">
        <section
          ref={stage}
          aria-label={query === '' ? 'Timeline' : 'Search'}
          className="col-start-1 row-start-1 flex min-h-0 min-w-0 flex-col"
        >
          {query !== '' ? (
            <MessageSearch
              query={query}
              filter={filter}
              onWiden={Object.keys(filterOf(texts)).length > 0 ? () => change(NO_FILTER) : undefined}
              onLeave={() => searchField.current?.focus()}
            />
          ) : isNoMessage ? (
            <div className="min-h-0 flex-1 overflow-y-auto">
              <EmptyState title="There is no such message">
                <p>
                  <code className="font-code text-12 break-all">{messageId}</code> names no message. The link may be cut off, or
                  from another program.
                </p>
                <Button onClick={() => goTo({ page: 'messages' })}>Show all messages</Button>
              </EmptyState>
            </div>
          ) : texts.view === 'topics' ? (
            <TopicsView
              onShow={(topic) => change({ ...NO_FILTER, topic })}
              onWrite={(topic) => {
                setAnswered(undefined);
                composer.current?.address([`${TOPIC_PREFIX}${topic}`]);
              }}
            />
          ) : texts.state === 'dead' ? (
            <DeadLetters
              projectId={projectId}
              to={texts.agent}
              filter={filter}
              selectedId={selectedId}
              actions={actions}
              onClear={() => change({ ...NO_FILTER, state: 'dead' })}
            />
          ) : (
            <MessageStream
              ref={timeline}
              feed={feed}
              selectedId={selectedId}
              onSelect={actions.select}
              onOpen={() => setPanelOpen(true)}
              onView={setInView}
              actions={actions}
              unfolded={unfolded}
            >
              {isFiltered ? (
                <EmptyState title="No message matches">
                  <Button onClick={() => change(NO_FILTER)}>Show all messages</Button>
                </EmptyState>
              ) : (
                <EmptyState title="Nothing was said yet">
                  <p>
                    What agents say to one another and to you stands here, in the order it was said, with its way to whom it was
                    for.
                  </p>
                </EmptyState>
              )}
            </MessageStream>
          )}
          <PendingRows
            onEdit={(message) => {
              setAnswered(answeredOf(message));
              composer.current?.giveBack(message);
            }}
          />
        </section>
        <div className="col-start-1 row-start-2 min-w-0">
          {past === undefined ? (
            <Composer ref={composer} screen={SCREEN} answered={answered} onAnswered={() => setAnswered(undefined)} />
          ) : (
            <PastSession session={past} onLeave={() => change({ session: '' })} />
          )}
        </div>
        <div
          // Where there is no room beside the timeline it lies over it, and never over what is being written.
          className={`relative z-20 col-start-1 row-start-1 min-h-0 w-99 max-w-full justify-self-end border-l border-hair-strong wide:static wide:col-start-2 wide:row-span-2 wide:block wide:w-auto wide:justify-self-stretch wide:border-hair ${isPanelShown ? 'block' : 'hidden'}`}
        >
          <SidePanel
            feed={feed}
            selectedId={selectedId}
            inView={inView}
            markOf={markOf}
            actions={actions}
            onSelectInbox={showQueue}
            queueOf={queueOf}
            onCloseQueue={closePanel}
            onShowDead={(agent) => change({ ...NO_FILTER, state: 'dead', agent })}
          />
          <span className={`absolute top-1 right-1 wide:hidden ${queueOf === '' ? '' : 'hidden'}`}>
            <IconButton label="Close" icon={<X aria-hidden className="size-4" />} onClick={closePanel} className="bg-bg-0" />
          </span>
        </div>
      </div>
      <DayDialog
        isOpen={isPickingDay}
        onClose={() => setPickingDay(false)}
        onPick={(at) => void feed.showTime(at)}
        onStart={() => void feed.showStart()}
      />
    </div>
  );
}
