/**
 * The part of a timeline that is held in memory: a run of messages without gaps, and where their copies stand. It grows at
 * both ends and is cut at the end that is not looked at. Pure: takes what is known and what is new, returns what is known then.
 */
import type { MessageId } from '#shared/kernel/ids.ts';
import type { Delivery, DeliveryState, Message } from '#shared/messages/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import type { Copies } from './message-filter.ts';

/** So many messages are held at most; further ones are pages of the history. */
export const MESSAGES_KEPT = 1_000;

/** Where each recipient's copy of a message stands, by message and recipient. */
export type DeliveryTable = Readonly<Record<string, Copies>>;

/** A run of messages, oldest first. */
export interface MessageFeed {
  readonly messages: readonly Message[];
  readonly deliveries: DeliveryTable;
  /** Where older ones go on; null at the very first. */
  readonly older: MessageId | null;
  /** Where newer ones go on; null when the run reaches the newest, so that what comes belongs to its end. */
  readonly newer: MessageId | null;
}

/** Nothing is known yet. */
export const EMPTY_FEED: MessageFeed = { messages: [], deliveries: {}, older: null, newer: null };

/** A page of the history. */
export interface FeedPage {
  readonly messages: readonly Message[];
  readonly deliveries: readonly Delivery[];
}

/** Ids sort by the time they were made; a clock that was set back between two runs of a core is the exception. */
function isBefore(a: Message, b: Message): boolean {
  return a.sentAt === b.sentAt ? a.id < b.id : a.sentAt < b.sentAt;
}

/** Puts a page of older messages, newest first, before the run; cuts newer ones when there are too many. */
export function addOlder(feed: MessageFeed, page: FeedPage & { readonly older: MessageId | null }): MessageFeed {
  const known = new Set<string>(feed.messages.map(({ id }) => id));
  const fresh = page.messages.filter(({ id }) => !known.has(id)).toReversed();
  const all = [...fresh, ...feed.messages];
  const messages = all.slice(0, MESSAGES_KEPT);
  const isCut = messages.length < all.length;
  return trimmed(
    { ...feed, messages, older: page.older, newer: isCut ? (messages.at(-1)?.id ?? null) : feed.newer },
    page.deliveries,
  );
}

/** Puts newer messages, oldest first, after the run; cuts older ones when there are too many. */
export function addNewer(feed: MessageFeed, page: FeedPage & { readonly newer: MessageId | null }): MessageFeed {
  const known = new Set<string>(feed.messages.map(({ id }) => id));
  const fresh = page.messages.filter(({ id }) => !known.has(id));
  const all = [...feed.messages, ...fresh];
  const messages = all.slice(-MESSAGES_KEPT);
  const isCut = messages.length < all.length;
  return trimmed(
    { ...feed, messages, newer: page.newer, older: isCut ? (messages[0]?.id ?? null) : feed.older },
    page.deliveries,
  );
}

/**
 * Joins a page of the newest messages, newest first, to the end of a run that may lack some of them: between what was known
 * and what came live while the page was on its way.
 */
export function joinEnd(feed: MessageFeed, page: FeedPage & { readonly older: MessageId | null }): MessageFeed {
  const inPage = new Set<string>(page.messages.map(({ id }) => id));
  const joint = feed.messages.findIndex(({ id }) => inPage.has(id));
  const before = feed.messages.slice(0, Math.max(0, joint));
  const after = feed.messages.slice(before.length).filter(({ id }) => !inPage.has(id));
  return addNewer(
    { ...feed, messages: before, older: joint === -1 ? page.older : feed.older },
    { messages: [...page.messages.toReversed(), ...after], deliveries: page.deliveries, newer: null },
  );
}

/** Puts a message that began to pass the filter later into its place; one that lies outside the run changes nothing. */
export function insertMessage(feed: MessageFeed, message: Message, deliveries: readonly Delivery[]): MessageFeed {
  if (feed.messages.some(({ id }) => id === message.id)) return addDeliveries(feed, deliveries);
  const found = feed.messages.findIndex((each) => isBefore(message, each));
  const at = found === -1 ? feed.messages.length : found;
  if ((at === 0 && feed.older !== null) || (at === feed.messages.length && feed.newer !== null)) return feed;
  return trimmed({ ...feed, messages: feed.messages.toSpliced(at, 0, message) }, deliveries);
}

function trimmed(feed: MessageFeed, deliveries: readonly Delivery[]): MessageFeed {
  const kept = new Set<string>(feed.messages.map(({ id }) => id));
  const left = Object.fromEntries(Object.entries(feed.deliveries).filter(([id]) => kept.has(id)));
  return addDeliveries(
    { ...feed, deliveries: left },
    deliveries.filter(({ messageId }) => kept.has(messageId)),
  );
}

/** How far a copy has come: handed out, given back, handed out again, and so on until it is settled. */
function progressOf(state: DeliveryState, attempts: number): number {
  if (state === 'queued') return 2 * attempts;
  return state === 'delivered' ? 2 * Math.max(1, attempts) - 1 : Number.POSITIVE_INFINITY;
}

/** A change of a copy; a push says only the state and the lease, a page the times too. */
export type CopyChange = Pick<Delivery, 'recipient' | 'state'> &
  Partial<Omit<Delivery, 'messageId'>> & {
    readonly messageId: string;
    /** It was dead, and begins anew. */
    readonly isRetry?: boolean;
  };

/** Takes over where copies stand. A copy never goes back in its progress: a late answer cannot undo a newer push. */
export function addDeliveries(feed: MessageFeed, changes: readonly CopyChange[]): MessageFeed {
  if (changes.length === 0) return feed;
  const deliveries: Record<string, Copies> = { ...feed.deliveries };
  let isChanged = false;
  for (const change of changes) {
    const copies = deliveries[change.messageId];
    const known = ownEntry(copies ?? {}, change.recipient);
    const merged = mergedCopy(known, change);
    if (merged === undefined) continue;
    isChanged = true;
    deliveries[change.messageId] = { ...copies, [change.recipient]: merged };
  }
  return isChanged ? { ...feed, deliveries } : feed;
}

/** A copy after a change; undefined when the change says nothing new. */
function mergedCopy(known: Delivery | undefined, change: CopyChange): Delivery | undefined {
  if (known === undefined) {
    return {
      messageId: change.messageId as MessageId,
      recipient: change.recipient,
      state: change.state,
      queuedAt: change.queuedAt ?? 0,
      deliveredAt: change.deliveredAt ?? null,
      readAt: change.readAt ?? null,
      deadAt: change.deadAt ?? null,
      deadReason: change.deadReason ?? null,
      attempts: change.attempts ?? 0,
      leasedUntil: change.leasedUntil ?? null,
      availableAt: change.availableAt ?? change.queuedAt ?? 0,
    };
  }
  const attempts = change.attempts ?? (change.state === 'delivered' ? Math.max(1, known.attempts) : known.attempts);
  const isBehind = progressOf(change.state, attempts) < progressOf(known.state, known.attempts);
  if (isBehind && !(change.isRetry === true && known.state === 'dead')) return undefined;
  const merged: Delivery = {
    ...known,
    state: change.state,
    queuedAt: change.queuedAt ?? known.queuedAt,
    deliveredAt: change.state === 'queued' ? null : (change.deliveredAt ?? known.deliveredAt),
    readAt: change.readAt ?? known.readAt,
    deadAt: change.state === 'dead' ? (change.deadAt ?? known.deadAt) : null,
    deadReason: change.state === 'dead' ? (change.deadReason ?? known.deadReason) : null,
    attempts,
    leasedUntil: change.state === 'delivered' ? (change.leasedUntil ?? known.leasedUntil) : null,
    availableAt: change.availableAt ?? known.availableAt,
  };
  const isSame = (Object.keys(merged) as (keyof Delivery)[]).every((key) => merged[key] === known[key]);
  return isSame ? undefined : merged;
}

/** The newest messages of which a copy is not settled: what may have changed while the line was down. */
export function unsettled(feed: MessageFeed, limit: number): readonly Message[] {
  const open = feed.messages.filter(({ id, recipients }) => {
    const copies = feed.deliveries[id];
    return recipients.some((recipient) => !isSettled(copies?.[recipient]));
  });
  return open.slice(-limit);
}

/** Whether nothing more will happen to a copy. */
function isSettled(copy: Delivery | undefined): boolean {
  return copy?.state === 'read' || copy?.state === 'dead';
}

/** The copies of a message at the moment it is sent. */
export function newCopies(message: Message): readonly Delivery[] {
  return message.recipients.map((recipient) => ({
    messageId: message.id,
    recipient,
    state: 'queued',
    queuedAt: message.sentAt,
    deliveredAt: null,
    readAt: null,
    deadAt: null,
    deadReason: null,
    attempts: 0,
    leasedUntil: null,
    availableAt: message.notBefore ?? message.sentAt,
  }));
}
