/** How a timeline grows by what comes live, or was missed. Pure: takes what is shown, returns what of it changes. */
import type { JournalEvent } from '#shared/journal/model.ts';
import type { Message } from '#shared/messages/model.ts';
import type { MessageDetails } from './detail-queue.ts';
import type { HistoryPage } from './history-pages.ts';
import type { CopyChange, MessageFeed } from './message-feed.ts';
import { addDeliveries, addNewer, insertMessage, joinEnd, MESSAGES_KEPT, newCopies } from './message-feed.ts';
import type { MessageFilter } from './message-filter.ts';
import { passes } from './message-filter.ts';
import type { TimelineState } from './timeline-state.ts';

/** What events of the journal say to a timeline: messages that pass its filter, copies that died and copies that were brought back. */
export function newsFor(
  filter: MessageFilter,
  events: readonly JournalEvent[],
): { readonly came: readonly Message[]; readonly copies: readonly CopyChange[] } {
  const came: Message[] = [];
  const copies: CopyChange[] = [];
  for (const event of events) {
    if (event.kind === 'message.sent' && passes(filter, event.data.message, undefined)) came.push(event.data.message);
    if (event.kind === 'message.dead') {
      const { recipients, reason, deadAt } = event.data;
      for (const recipient of recipients)
        copies.push({ messageId: event.subject, recipient, state: 'dead', deadReason: reason, deadAt });
    }
    if (event.kind === 'message.retried') {
      for (const recipient of event.data.recipients)
        copies.push({ messageId: event.subject, recipient, state: 'queued', attempts: 0, isRetry: true });
    }
  }
  return { came, copies };
}

/** Adds messages that came at the end of a run that reaches the newest. */
export function withCame(state: TimelineState, came: readonly Message[], isFollowing: boolean): Partial<TimelineState> {
  const behind = state.behind + came.length;
  // Somebody reads what would have to be let go: the end is left instead, and loaded again when it is gone to.
  if (!isFollowing && state.messages.length + came.length > MESSAGES_KEPT)
    return { newer: state.messages.at(-1)?.id ?? null, behind };
  const next = addNewer(state, { messages: came, deliveries: came.flatMap(newCopies), newer: null });
  const grew = next.messages.at(-1)?.id !== state.messages.at(-1)?.id || next.messages.length !== state.messages.length;
  return { ...next, behind: isFollowing || !grew ? 0 : behind };
}

/** Joins the newest page after a line was down: what was missed, and where copies stand by now. */
export function withNewest(
  state: TimelineState,
  page: HistoryPage,
  filter: MessageFilter,
  isFollowing: boolean,
): Partial<TimelineState> {
  const known = idsOf(state);
  const fresh = page.messages.filter(({ id }) => !known.has(id));
  // What passes by its state may have begun to pass anywhere, not only at the end.
  const grown =
    filter.state === undefined
      ? joinEnd(state, page)
      : fresh.reduce<MessageFeed>((feed, message) => insertMessage(feed, message, []), state);
  const held = idsOf(grown);
  const copies = page.deliveries.filter(({ messageId }) => held.has(messageId));
  return { ...addDeliveries(grown, copies), behind: isFollowing ? 0 : state.behind + fresh.length };
}

/** Takes answers about messages: where their copies stand, and whether they pass by now. */
export function withDetails(state: MessageFeed, answers: readonly MessageDetails[], filter: MessageFilter): MessageFeed {
  const known = idsOf(state);
  let feed = state;
  for (const { message, deliveries } of answers) {
    if (known.has(message.id)) feed = addDeliveries(feed, deliveries);
    else if (passes(filter, message, Object.fromEntries(deliveries.map((copy) => [copy.recipient, copy]))))
      feed = insertMessage(feed, message, deliveries);
  }
  return feed;
}

function idsOf({ messages }: MessageFeed): ReadonlySet<string> {
  return new Set<string>(messages.map(({ id }) => id));
}
