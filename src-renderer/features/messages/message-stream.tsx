import type { ReactNode, Ref } from 'react';
import { useMemo } from 'react';
import { useWindowState } from '#renderer/store/session-context.tsx';
import type { TimelineFeed } from '#renderer/store/timeline-feed.ts';
import { useOpenQuestions } from '#renderer/store/use-attention.ts';
import { useOutbox, useTimeline } from '#renderer/store/use-messages.ts';
import { Button } from '#renderer/ui/button.tsx';
import { ErrorState } from '#renderer/ui/error-state.tsx';
import type { Message } from '#shared/messages/model.ts';
import type { MessageActions } from './message-actions.ts';
import type { TimelineHandle } from './timeline.tsx';
import { Timeline } from './timeline.tsx';
import { TimelineSkeleton } from './timeline-skeleton.tsx';

interface MessageStreamProps {
  readonly feed: TimelineFeed;
  readonly selectedId: string | undefined;
  readonly onSelect: (message: Message) => void;
  readonly onOpen?: () => void;
  readonly onView?: (messages: readonly Message[]) => void;
  readonly actions: MessageActions;
  readonly unfolded: ReadonlySet<string>;
  /** What stands here while there is no message. */
  readonly children: ReactNode;
  readonly ref?: Ref<TimelineHandle>;
}

/** A timeline in whatever state it is: loading, empty, failed, or there. */
export function MessageStream({ feed, children, ...rest }: MessageStreamProps): ReactNode {
  const phase = useTimeline(feed, (state) => state.phase);
  const problem = useTimeline(feed, (state) => state.problem);
  const isEmpty = useTimeline(feed, (state) => state.messages.length === 0);
  const isOnline = useWindowState((state) => state.status.kind === 'online');
  const agents = useWindowState((state) => state.crew.agents);
  const waiting = useWindowState((state) => state.inbox);
  const outbox = useOutbox();
  const inbox = useMemo(() => new Set<string>(waiting.map(({ id }) => id)), [waiting]);
  const questions = useOpenQuestions();
  const awaited = useMemo(
    () => new Set<string>(questions.flatMap(({ item, message }) => (item.needsOperator ? [message.id] : []))),
    [questions],
  );
  const answering = useMemo(
    () => new Set<string>(outbox.flatMap(({ message, state }) => (state === 'failed' ? [] : (message.inReplyTo ?? [])))),
    [outbox],
  );
  // Without a line the banner above says why; it is loaded by itself when there is one.
  if (phase === 'loading' || (phase === 'failed' && !isOnline)) return <TimelineSkeleton />;
  if (phase === 'failed') {
    return (
      <div className="min-h-0 flex-1">
        <ErrorState
          title="The messages were not loaded"
          detail={problem ?? ''}
          onRetry={() => void feed.retry()}
          diagnostics={JSON.stringify({ what: 'messages.list', filter: feed.filter, problem }, null, 2)}
        >
          <Button onClick={() => void feed.showEnd()}>Go to the newest</Button>
        </ErrorState>
      </div>
    );
  }
  if (isEmpty) return <div className="min-h-0 flex-1 overflow-y-auto">{children}</div>;
  return <Timeline feed={feed} agents={agents} inbox={inbox} awaited={awaited} answering={answering} {...rest} />;
}
