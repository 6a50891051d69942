import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import { useScreenCommands } from '#renderer/commands/use-commands.tsx';
import { goTo } from '#renderer/navigation/use-route.tsx';
import { answeredBy, answeredOf } from '#renderer/store/answer.ts';
import type { Answered } from '#renderer/store/outgoing-message.ts';
import { pageStorage } from '#renderer/store/page-storage.ts';
import { useWindowState } from '#renderer/store/session-context.tsx';
import { useFeed } from '#renderer/store/use-messages.ts';
import { EmptyState } from '#renderer/ui/empty-state.tsx';
import type { Message } from '#shared/messages/model.ts';
import type { ComposerHandle } from './composer.tsx';
import { Composer } from './composer.tsx';
import { keepAnswered, keptAnswered } from './drafts.ts';
import { MessageStream } from './message-stream.tsx';
import { PendingRows } from './pending-rows.tsx';
import { QueueLine } from './queue-line.tsx';
import type { TimelineHandle } from './timeline.tsx';
import { useMessageActions } from './use-message-actions.ts';

/** What one agent was told and said, and where the operator writes to it. Fills its place. */
export function AgentMessages({ agentId }: { readonly agentId: string }): ReactNode {
  const screen = `agent.${agentId}`;
  const isOnline = useWindowState((state) => state.status.kind === 'online');
  const filter = useMemo(() => ({ participant: agentId }), [agentId]);
  const feed = useFeed(filter);
  const [selectedId, setSelectedId] = useState<string>();
  const [answered, setAnsweredState] = useState(() => keptAnswered(pageStorage, screen));
  const timeline = useRef<TimelineHandle>(null);
  const composer = useRef<ComposerHandle>(null);
  const setAnswered = useCallback(
    (next: Answered | undefined): void => {
      setAnsweredState(next);
      keepAnswered(pageStorage, screen, next);
    },
    [screen],
  );
  useEffect(() => {
    if (isOnline && feed.store.getState().phase !== 'ready') feed.showEnd().catch(() => undefined);
  }, [feed, isOnline]);

  const reply = useCallback((message: Message) => setAnswered(answeredBy(message)), [setAnswered]);
  const showThread = useCallback((message: Message) => goTo({ page: 'messages', messageId: message.id }), []);
  const { actions, unfolded } = useMessageActions(feed, { select: setSelectedId, reply, showThread });
  const withSelected = (act: (message: Message) => void) => (): void => {
    const message = feed.store.getState().messages.find(({ id }) => id === selectedId);
    if (message !== undefined) act(message);
  };
  useScreenCommands('Messages of the agent', [
    { id: 'messages.next', title: 'Next message', keys: 'j', isHidden: true, run: () => timeline.current?.step(1) },
    { id: 'messages.previous', title: 'Previous message', keys: 'k', isHidden: true, run: () => timeline.current?.step(-1) },
    { id: 'messages.reply', title: 'Reply to the selected message', keys: 'r', run: withSelected(reply) },
    { id: 'messages.thread', title: 'Show the selected message among all', keys: 't', run: withSelected(showThread) },
    {
      id: 'messages.read',
      title: 'Mark the selected message as read',
      keys: 'e',
      run: withSelected((message) => actions.markRead(message)),
    },
    { id: 'messages.compose', title: `Write to ${agentId}`, keys: 'c', run: () => composer.current?.focus() },
    { id: 'messages.end', title: 'Go to the newest message', keys: 'end', run: () => void feed.showEnd() },
    { id: 'messages.start', title: 'Go to the first message', keys: 'home', run: () => void feed.showStart() },
  ]);

  return (
    <section aria-label={`Messages of ${agentId}`} className="flex h-full min-h-0 min-w-0 flex-col">
      <QueueLine agentId={agentId} />
      <MessageStream
        ref={timeline}
        feed={feed}
        selectedId={selectedId}
        onSelect={actions.select}
        actions={actions}
        unfolded={unfolded}
      >
        <EmptyState title="Nothing was said yet">
          <p>What {agentId} is told and says stands here.</p>
        </EmptyState>
      </MessageStream>
      <PendingRows
        agentId={agentId}
        onEdit={(message) => {
          setAnswered(answeredOf(message));
          composer.current?.giveBack(message);
        }}
      />
      <Composer ref={composer} screen={screen} agentId={agentId} answered={answered} onAnswered={() => setAnswered(undefined)} />
    </section>
  );
}
