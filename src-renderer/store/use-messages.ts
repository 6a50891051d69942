/** The messages of this window, in React. */
import { useEffect, useMemo } from 'react';
import { useStore } from 'zustand';
import type { MessageCounts } from '#shared/messages/model.ts';
import type { MessageFilter } from './message-filter.ts';
import { filterKey } from './message-filter.ts';
import type { OutboxEntry } from './outbox.ts';
import { useProject } from './project-scope.ts';
import { useSession } from './session-context.tsx';
import type { TimelineFeed } from './timeline-feed.ts';
import type { TimelineState } from './timeline-state.ts';

/** The timeline of a filter. It is empty until it is moved somewhere. */
export function useFeed(filter: MessageFilter): TimelineFeed {
  const { messages } = useSession();
  const key = filterKey(filter);
  // oxlint-disable-next-line react-hooks/exhaustive-deps -- the key says all of the filter
  return useMemo(() => messages.feed(filter), [messages, key]);
}

/** A part of what a timeline shows. `select` must return the same value for the same state. */
export function useTimeline<T>(feed: TimelineFeed, select: (state: TimelineState) => T): T {
  return useStore(feed.store, select);
}

/** How many messages there are in the project that is shown; undefined until it is known. */
export function useCounts(): MessageCounts | undefined {
  const { messages } = useSession();
  const projectId = useProject()?.id;
  useEffect(() => {
    if (projectId === undefined) return undefined;
    const watch = messages.watchCounts(projectId);
    return () => watch.dispose();
  }, [messages, projectId]);
  return useStore(messages.counts, (table) => table[projectId ?? '']);
}

/** What is on its way to the core. */
export function useOutbox(): readonly OutboxEntry[] {
  return useStore(useSession().messages.outbox.store, ({ entries }) => entries);
}
