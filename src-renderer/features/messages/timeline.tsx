import { ArrowDown } from 'lucide-react';
import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent, ReactNode, Ref } from 'react';
import type { TimelineFeed } from '#renderer/store/timeline-feed.ts';
import { useTimeline } from '#renderer/store/use-messages.ts';
import { Button } from '#renderer/ui/button.tsx';
import { dayName, fullTime } from '#renderer/ui/format-time.ts';
import { Notice } from '#renderer/ui/notice.tsx';
import { useNow } from '#renderer/ui/use-now.ts';
import type { Agent } from '#shared/agents/model.ts';
import type { Message } from '#shared/messages/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import { MessageRow } from './message-row.tsx';
import type { MessageActions } from './message-actions.ts';
import { nameOf, namesOf } from './message-words.ts';
import { NewMessages } from './new-messages.tsx';
import { dayStartsOf, threadFacts } from './timeline-facts.ts';
import { SKELETON_PX, SkeletonRows } from './timeline-skeleton.tsx';

/** Within so many pixels of the end the reader counts as being there, and stays there when messages come. */
const NEAR_END_PX = 40;
/** A further page is loaded when fewer rows than this are left ahead of the reader: several screens. */
const AHEAD = 80;
/** Rows made beyond what is seen. */
const OVERSCAN = 12;
/** Before a row is measured; most have one or two lines of text. */
const ROW_PX = 62;
const DAY_PX = 28;
/** The messages in sight are told when the scrolling rests for so long, in milliseconds. */
const VIEW_RESTS_MS = 120;
/** Waiting times are renewed this often, in milliseconds. */
const NOW_EVERY_MS = 10_000;

/** What a screen may ask of its timeline. */
export interface TimelineHandle {
  /** Selects the message so many rows from the selected one, and moves the focus there. */
  readonly step: (rows: number) => void;
  readonly focus: () => void;
}

/** What a timeline shows and does. */
export interface TimelineProps {
  readonly feed: TimelineFeed;
  readonly agents: Readonly<Record<string, Agent>>;
  /** Ids of what waits in the operator's inbox. */
  readonly inbox: ReadonlySet<string>;
  /** Ids of the questions among them that somebody waits for an answer to. */
  readonly awaited: ReadonlySet<string>;
  /** Messages to which an answer is on its way. */
  readonly answering: ReadonlySet<string>;
  readonly selectedId: string | undefined;
  readonly onSelect: (message: Message) => void;
  /** Enter: what belongs to the selected message is to be seen. */
  readonly onOpen?: () => void;
  /** Told which messages are in sight, when that settles. */
  readonly onView?: (messages: readonly Message[]) => void;
  readonly actions: MessageActions;
  /** Texts and data that are unfolded, as `<id> text` and `<id> data`. */
  readonly unfolded: ReadonlySet<string>;
  readonly ref?: Ref<TimelineHandle>;
}

/** Everything said, oldest first. At its end it follows; elsewhere nothing moves under the reader. */
export function Timeline(props: TimelineProps): ReactNode {
  const { feed, agents, inbox, awaited, answering, selectedId, onSelect, onOpen, onView, actions, unfolded, ref } = props;
  const box = useRef<HTMLDivElement>(null);
  const [isAtEnd, setAtEnd] = useState(true);
  const state = useTimeline(feed, (all) => all);
  const { messages, deliveries, older, newer, jump, behind, pageProblem } = state;
  const now = useNow(NOW_EVERY_MS);
  const wasLive = useRef(false);
  const isLive = newer === null;
  const facts = useMemo(() => threadFacts(messages), [messages]);
  const selectedIndex = useMemo(
    () => (selectedId === undefined ? -1 : messages.findIndex(({ id }) => id === selectedId)),
    [messages, selectedId],
  );
  const dayStarts = useMemo(() => dayStartsOf(messages), [messages]);

  // oxlint-disable-next-line react/incompatible-library -- no compiler here
  const virtualizer = useVirtualizer({
    count: messages.length,
    getScrollElement: () => box.current,
    estimateSize: (index) => ROW_PX + (dayStarts.has(index) ? DAY_PX : 0),
    getItemKey: (index) => messages[index]?.id ?? index,
    // The selected row stays made wherever one scrolls: it may hold the focus.
    rangeExtractor: (range) => {
      const shown = defaultRangeExtractor(range);
      return selectedIndex === -1 || shown.includes(selectedIndex) ? shown : [...shown, selectedIndex].toSorted((a, b) => a - b);
    },
    overscan: OVERSCAN,
    paddingStart: older === null ? 0 : SKELETON_PX,
    paddingEnd: newer === null ? 12 : SKELETON_PX,
    anchorTo: 'end',
    // A page that joins the end is no news: only what comes after the end was there is followed.
    followOnAppend: wasLive.current && isLive,
    scrollEndThreshold: NEAR_END_PX,
  });
  useEffect(() => {
    wasLive.current = isLive;
  });

  useEffect(() => {
    const watch = feed.watch();
    return () => watch.dispose();
  }, [feed]);

  // Who is at the end stays there until scrolling away from it: rows that came, and were not measured yet, take nobody away.
  const following = useRef(true);
  const lastTop = useRef(0);
  const look = useCallback((): void => {
    const shown = box.current;
    if (shown === null || messages.length === 0) return;
    const { scrollTop, scrollHeight, clientHeight } = shown;
    const isNear = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (!isLive || (!isNear && scrollTop < lastTop.current - 1)) following.current = false;
    else if (isNear) following.current = true;
    lastTop.current = scrollTop;
    setAtEnd(following.current);
    feed.setFollowing(following.current);
    // By where the box stands: the virtualizer hears of that later, and a list that was just made says it stands at its start.
    // Older pages would be loaded then, and push the newest out.
    const first = virtualizer.getVirtualItemForOffset(scrollTop)?.index ?? 0;
    const last = virtualizer.getVirtualItemForOffset(scrollTop + clientHeight)?.index ?? messages.length - 1;
    if (first < AHEAD) feed.loadOlder();
    if (last >= messages.length - AHEAD) feed.loadNewer();
  }, [feed, isLive, messages.length, virtualizer]);

  // Taken somewhere: to the end, the start, a message.
  const jumped = useRef(-1);
  useLayoutEffect(() => {
    if (jumped.current === jump.number || messages.length === 0) return;
    jumped.current = jump.number;
    following.current = jump.messageId === null && jump.align === 'end';
    const index = jump.messageId === null ? -1 : messages.findIndex(({ id }) => id === jump.messageId);
    if (index !== -1) virtualizer.scrollToIndex(index, { align: jump.align });
    else if (jump.align === 'start') virtualizer.scrollToOffset(0);
    else virtualizer.scrollToEnd();
  }, [jump, messages, virtualizer]);

  // So many may come at once that none of the rows that were there is left to hold on to.
  const newestId = messages.at(-1)?.id;
  useLayoutEffect(() => {
    if (newestId !== undefined && isLive && wasLive.current && following.current) virtualizer.scrollToEnd();
  }, [newestId, isLive, virtualizer]);

  useEffect(look, [look, jump, older, newer]);

  // A box that gets lower, by a banner or a growing draft, would hide the newest behind its edge.
  useLayoutEffect(() => {
    const shown = box.current;
    if (shown === null || !isAtEnd) return undefined;
    const observer = new ResizeObserver(() => virtualizer.scrollToEnd());
    observer.observe(shown);
    return () => observer.disconnect();
  }, [isAtEnd, virtualizer]);

  const select = (index: number): void => {
    const message = messages[Math.min(Math.max(index, 0), messages.length - 1)];
    if (message === undefined) return;
    onSelect(message);
    virtualizer.scrollToIndex(messages.indexOf(message), { align: 'auto' });
    // The row is there after the next paint at the latest; then the focus can follow.
    requestAnimationFrame(() =>
      box.current?.querySelector<HTMLElement>(`[data-message="${message.id}"]`)?.focus({ preventScroll: true }),
    );
  };
  const step = (rows: number): void =>
    select(selectedIndex === -1 ? (virtualizer.calculateRange()?.endIndex ?? messages.length - 1) : selectedIndex + rows);
  useImperativeHandle(ref, () => ({ step, focus: () => box.current?.focus() }));

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!(event.target instanceof HTMLElement) || event.target.closest('button, pre, code, a') !== null) return;
    if (event.key === 'Enter' && event.target.matches('article, [role="feed"]')) {
      event.preventDefault();
      if (selectedIndex === -1) step(0);
      onOpen?.();
      return;
    }
    const rows = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (rows === undefined) return;
    event.preventDefault();
    step(rows);
  };

  const rows = virtualizer.getVirtualItems();
  const { startIndex: seenFirst, endIndex: seenLast } = virtualizer.range ?? { startIndex: 0, endIndex: 0 };
  useEffect(() => {
    if (onView === undefined) return undefined;
    const timer = setTimeout(() => onView(messages.slice(seenFirst, seenLast + 1)), VIEW_RESTS_MS);
    return () => clearTimeout(timer);
  }, [onView, messages, seenFirst, seenLast]);

  return (
    <div className="@container relative flex min-h-0 flex-1 flex-col">
      {pageProblem === undefined ? null : (
        <Notice title="A part of the history was not loaded." detail={pageProblem}>
          <Button size="small" onClick={look}>
            Try again
          </Button>
        </Notice>
      )}
      <div
        ref={box}
        role="feed"
        aria-label="Messages"
        aria-busy={state.phase === 'loading'}
        // A scrolling region must be reachable to be scrolled by keys.
        tabIndex={0}
        onScroll={look}
        onKeyDown={onKeyDown}
        className="relative min-h-0 flex-1 overflow-y-auto [overflow-anchor:none]"
      >
        <div role="none" className="relative" style={{ height: virtualizer.getTotalSize() }}>
          {older === null ? null : <SkeletonRows className="top-0" />}
          {rows.map((row) => {
            const message = messages[row.index];
            if (message === undefined) return null;
            const previous = messages[row.index - 1];
            const isForYou = inbox.has(message.id);
            const [only] = message.recipients;
            const agentId = isForYou ? message.from.id : message.recipients.length === 1 ? (only ?? '') : '';
            return (
              <article
                key={row.key}
                ref={virtualizer.measureElement}
                data-index={row.index}
                data-message={message.id}
                tabIndex={-1}
                aria-setsize={isLive && older === null ? messages.length : -1}
                aria-posinset={row.index + 1}
                aria-current={message.id === selectedId ? 'true' : undefined}
                aria-label={`${nameOf(message.from.id)} to ${namesOf(message.to)}, ${fullTime(message.sentAt)}`}
                className="absolute top-0 left-0 w-full contain-layout"
                style={{ transform: `translateY(${row.start}px)` }}
              >
                {dayStarts.has(row.index) ? (
                  <div className="flex h-7 items-center gap-3 px-4 text-12 text-tx-3 after:flex-1 after:border-t after:border-hair">
                    {dayName(message.sentAt, now)}
                  </div>
                ) : null}
                <MessageRow
                  message={message}
                  copies={deliveries[message.id]}
                  repliedAt={facts.repliedAt.get(message.id)}
                  answered={message.inReplyTo === null ? undefined : facts.byId.get(message.inReplyTo)}
                  isJoined={previous?.threadId === message.threadId}
                  isForYou={isForYou}
                  isAwaited={awaited.has(message.id)}
                  status={ownEntry(agents, agentId)?.state.status}
                  isSelected={message.id === selectedId}
                  isWhole={unfolded.has(`${message.id} text`)}
                  isDataShown={unfolded.has(`${message.id} data`)}
                  isAnswering={answering.has(message.id)}
                  now={isForYou || message.notBefore !== null ? now : 0}
                  actions={actions}
                />
              </article>
            );
          })}
          {newer === null ? null : <SkeletonRows className="bottom-0" />}
        </div>
      </div>
      <NewMessages messages={messages} isLive={isLive} />
      {behind > 0 || !isLive ? (
        <Button
          className="absolute bottom-3 left-1/2 -translate-x-1/2 bg-bg-1"
          icon={<ArrowDown aria-hidden className="size-3.5" />}
          onClick={() => void feed.showEnd()}
        >
          {behind > 0 ? `${behind.toLocaleString('en-GB')} new` : 'Newest'}
        </Button>
      ) : null}
    </div>
  );
}
