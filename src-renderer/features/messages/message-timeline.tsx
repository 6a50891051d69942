import { ArrowDown } from 'lucide-react';
import { Fragment, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { ReactNode } from 'react';
import type { MessageFeed } from '#renderer/store/message-feed.ts';
import { Button } from '#renderer/ui/button.tsx';
import { dayName } from '#renderer/ui/format-time.ts';
import { useNow } from '#renderer/ui/use-now.ts';
import type { InboxMessage, Message } from '#shared/messages/model.ts';
import { MessageRow } from './message-row.tsx';

/** Within so many pixels of the end the list counts as being at its end, and stays there when messages come. */
const NEAR_END_PX = 40;

interface MessageTimelineProps {
  readonly feed: MessageFeed;
  readonly inbox: readonly InboxMessage[];
  readonly onReply: (message: Message) => void;
  readonly onAcknowledge: (message: Message) => void;
}

/** Everything said lately, oldest first, following the newest while the reader is at the end. */
export function MessageTimeline({ feed, inbox, onReply, onAcknowledge }: MessageTimelineProps): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const [seenId, setSeenId] = useState<string>();
  const unread = useMemo(() => new Set<string>(inbox.map(({ id }) => id)), [inbox]);
  const { messages } = feed;
  const now = useNow(60_000);
  const newestId = messages.at(-1)?.id;
  const isEmpty = messages.length === 0;

  if (isAtEnd && seenId !== newestId) setSeenId(newestId);
  const behind = isAtEnd || seenId === undefined ? 0 : messages.filter(({ id }) => id > seenId).length;

  useLayoutEffect(() => {
    if (isAtEnd && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [isAtEnd, newestId, unread, feed]);

  // A box that gets lower, by a banner or a smaller window, would hide the newest behind its edge.
  useLayoutEffect(() => {
    const shown = box.current;
    if (!isAtEnd || !shown) return undefined;
    const observer = new ResizeObserver(() => {
      shown.scrollTop = shown.scrollHeight;
    });
    observer.observe(shown);
    return () => observer.disconnect();
  }, [isAtEnd, isEmpty]);

  if (isEmpty) {
    return (
      <p className="flex-1 px-4 py-3 text-12 text-pretty text-tx-3">
        {feed.isLoaded
          ? 'None yet. What agents say to one another and to you stands here, in the order it was said.'
          : 'Loading the messages'}
      </p>
    );
  }

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={box}
        role="log"
        aria-label="Messages"
        // A scrolling region must be reachable to be scrolled by keys.
        tabIndex={0}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) =>
          setAtEnd(scrollHeight - scrollTop - clientHeight < NEAR_END_PX)
        }
        className="relative h-full overflow-y-auto"
      >
        {feed.hasOlder ? (
          <p className="px-4 py-2 text-12 text-tx-3">The latest {messages.length} messages. Older ones are kept.</p>
        ) : null}
        <ol>
          {messages.map((message, index) => {
            const day = dayName(message.sentAt, now);
            const previous = messages[index - 1];
            return (
              <Fragment key={message.id}>
                {previous && dayName(previous.sentAt, now) === day ? null : (
                  <li className="flex h-7 items-center gap-3 px-4 text-12 text-tx-3 after:flex-1 after:border-t after:border-hair">
                    {day}
                  </li>
                )}
                <MessageRow
                  message={message}
                  deliveries={feed.deliveries[message.id]}
                  isUnread={unread.has(message.id)}
                  onReply={onReply}
                  onAcknowledge={onAcknowledge}
                />
              </Fragment>
            );
          })}
        </ol>
      </div>
      {behind > 0 ? (
        <Button
          className="absolute bottom-3 left-1/2 -translate-x-1/2 bg-bg-1"
          icon={<ArrowDown aria-hidden className="size-3.5" />}
          onClick={() => setAtEnd(true)}
        >
          {behind} new
        </Button>
      ) : null}
    </div>
  );
}
