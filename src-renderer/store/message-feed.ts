/** The newest messages and where their copies stand. Pure: takes what is known and what is new, returns what is known then. */
import type { DeliveryState, Message } from '#shared/messages/model.ts';

/** How many messages the window keeps; older ones are pages of the history. */
export const MESSAGES_KEPT = 200;

/** Where each recipient's copy of a message stands, by message and recipient. */
export type DeliveryTable = Readonly<Record<string, Readonly<Record<string, DeliveryState>>>>;

/** The newest messages, oldest first. */
export interface MessageFeed {
  readonly messages: readonly Message[];
  readonly deliveries: DeliveryTable;
  /** Whether the newest page was loaded; before that the feed holds only what came live. */
  readonly isLoaded: boolean;
  /** Whether there are older ones than those kept. */
  readonly hasOlder: boolean;
}

/** Nothing is known yet. */
export const EMPTY_FEED: MessageFeed = { messages: [], deliveries: {}, isLoaded: false, hasOlder: false };

/** Adds messages, in whatever order and however often they come. Ids sort by the time they were made. */
export function addMessages(feed: MessageFeed, incoming: readonly Message[]): MessageFeed {
  const byId = new Map(feed.messages.map((message) => [message.id, message]));
  for (const message of incoming) byId.set(message.id, message);
  if (byId.size === feed.messages.length) return feed;
  const sorted = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const messages = sorted.slice(-MESSAGES_KEPT);
  const kept = new Set<string>(messages.map((message) => message.id));
  const deliveries = Object.fromEntries(Object.entries(feed.deliveries).filter(([id]) => kept.has(id)));
  return { ...feed, messages, deliveries, hasOlder: feed.hasOlder || sorted.length > messages.length };
}

const ORDER: readonly DeliveryState[] = ['queued', 'delivered', 'read'];

/** Takes over delivery states. A copy never goes back: a late answer cannot undo a newer push. */
export function addDeliveries(
  feed: MessageFeed,
  changes: readonly { messageId: string; recipient: string; state: DeliveryState }[],
): MessageFeed {
  const deliveries: Record<string, Readonly<Record<string, DeliveryState>>> = { ...feed.deliveries };
  for (const { messageId, recipient, state } of changes) {
    const known = deliveries[messageId]?.[recipient];
    if (known !== undefined && ORDER.indexOf(known) >= ORDER.indexOf(state)) continue;
    deliveries[messageId] = { ...deliveries[messageId], [recipient]: state };
  }
  return { ...feed, deliveries };
}

/** The newest messages whose copies are not all known to be acknowledged, at most `limit`. */
export function unsettled(feed: MessageFeed, limit: number): Message[] {
  return feed.messages
    .filter(({ id, recipients }) => recipients.some((recipient) => feed.deliveries[id]?.[recipient] !== 'read'))
    .slice(-limit);
}
