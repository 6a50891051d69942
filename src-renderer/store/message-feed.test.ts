import { describe, expect, it } from 'vitest';
import { sampleMessage } from '#renderer/testing/sample-events.ts';
import type { Delivery, Message } from '#shared/messages/model.ts';
import type { MessageFeed } from './message-feed.ts';
import { addDeliveries, addNewer, addOlder, EMPTY_FEED, insertMessage, MESSAGES_KEPT, unsettled } from './message-feed.ts';
import { passes } from './message-filter.ts';

let clock = 0;
const sample = (changes: Partial<Message> = {}): Message => sampleMessage({ sentAt: (clock += 1), ...changes });
const page = (messages: readonly Message[], deliveries: readonly Delivery[] = []) => ({ messages, deliveries });
const ids = ({ messages }: MessageFeed): readonly string[] => messages.map(({ id }) => id);

function copy(message: Message, changes: Partial<Delivery> = {}): Delivery {
  return {
    messageId: message.id,
    recipient: 'ben',
    state: 'queued',
    queuedAt: 1,
    deliveredAt: null,
    readAt: null,
    deadAt: null,
    deadReason: null,
    attempts: 0,
    leasedUntil: null,
    availableAt: 1,
    ...changes,
  };
}

describe('the run of messages', () => {
  it('grows at both ends, and holds each message once', () => {
    const [a, b, c, d] = [sample(), sample(), sample(), sample()];
    let feed = addOlder(EMPTY_FEED, { ...page([c, b]), older: b.id });
    feed = addOlder(feed, { ...page([b, a]), older: null });
    feed = addNewer(feed, { ...page([c, d]), newer: null });
    expect(ids(feed)).toEqual([a.id, b.id, c.id, d.id]);
    expect(feed).toMatchObject({ older: null, newer: null });
  });

  it('takes an agent called as something every object has for what it is: a name', () => {
    const message = sample({ recipients: ['ben', 'constructor'] });
    const copies = [copy(message), copy(message, { recipient: 'constructor' })];
    const feed = addNewer(EMPTY_FEED, { ...page([message], copies), newer: null });
    expect(feed.deliveries[message.id]).toEqual({ ben: copies[0], constructor: copies[1] });
  });

  it('lets go of what is far from the reader, and knows where it goes on', () => {
    const all = Array.from({ length: MESSAGES_KEPT + 5 }, () => sample());
    const [first] = all;
    let feed = addNewer(EMPTY_FEED, { ...page(all.slice(0, MESSAGES_KEPT)), newer: null });
    if (first) feed = addDeliveries(feed, [copy(first, { state: 'read' })]);
    feed = addNewer(feed, { ...page(all.slice(MESSAGES_KEPT)), newer: null });
    expect(feed.messages).toHaveLength(MESSAGES_KEPT);
    expect(feed).toMatchObject({ older: all[5]?.id, newer: null, deliveries: {} });
    feed = addOlder(feed, { ...page(all.slice(0, 5).toReversed()), older: null });
    expect(feed.messages).toHaveLength(MESSAGES_KEPT);
    expect(feed).toMatchObject({ older: null, newer: all[MESSAGES_KEPT - 1]?.id });
  });

  it('puts what begins to pass later into its place, unless that is not loaded', () => {
    const [a, b, c] = [sample(), sample(), sample()];
    const feed = addNewer(EMPTY_FEED, { ...page([a, c]), newer: null });
    expect(ids(insertMessage(feed, b, []))).toEqual([a.id, b.id, c.id]);
    expect(ids(insertMessage({ ...addNewer(EMPTY_FEED, { ...page([b, c]), newer: null }), older: b.id }, a, []))).toEqual([
      b.id,
      c.id,
    ]);
  });
});

describe('where copies stand', () => {
  it('never goes back, and gains the times that a push does not say', () => {
    const message = sample({ recipients: ['ben', 'cleo'] });
    let feed = addNewer(EMPTY_FEED, { ...page([message], [copy(message)]), newer: null });
    for (const state of ['delivered', 'queued', 'read', 'delivered'] as const) {
      feed = addDeliveries(feed, [{ messageId: message.id, recipient: 'ben', state }]);
    }
    expect(feed.deliveries[message.id]?.['ben']?.state).toBe('read');
    expect(unsettled(feed, 10)).toEqual([message]);
    feed = addDeliveries(feed, [copy(message, { state: 'read', deliveredAt: 5, readAt: 7 })]);
    expect(feed.deliveries[message.id]?.['ben']).toMatchObject({ state: 'read', deliveredAt: 5, readAt: 7 });
    expect(addDeliveries(feed, [copy(message)])).toBe(feed);
    feed = addDeliveries(feed, [{ messageId: message.id, recipient: 'cleo', state: 'dead', deadReason: 'expired', deadAt: 9 }]);
    expect(unsettled(feed, 10)).toEqual([]);
  });

  it('goes back to its inbox when a lease ends, and begins anew when it is retried; a late answer undoes neither', () => {
    const message = sampleMessage();
    const standing = (feed: MessageFeed) => feed.deliveries[message.id]?.['ben'];
    let feed = addNewer(EMPTY_FEED, { ...page([message], [copy(message)]), newer: null });
    const held = copy(message, { state: 'delivered', attempts: 1, deliveredAt: 2, leasedUntil: 9 });
    const back = { messageId: message.id, recipient: 'ben', state: 'queued', attempts: 1, leasedUntil: null } as const;
    feed = addDeliveries(feed, [held]);
    feed = addDeliveries(feed, [back]);
    expect(standing(feed)).toMatchObject({ state: 'queued', attempts: 1, deliveredAt: null, leasedUntil: null });
    expect(addDeliveries(feed, [held])).toBe(feed);
    feed = addDeliveries(feed, [{ messageId: message.id, recipient: 'ben', state: 'dead', deadReason: 'attempts', deadAt: 5 }]);
    expect(addDeliveries(feed, [back])).toBe(feed);
    feed = addDeliveries(feed, [{ ...back, attempts: 0, isRetry: true }]);
    expect(standing(feed)).toMatchObject({ state: 'queued', attempts: 0, deadAt: null, deadReason: null });
  });
});

describe('a filter', () => {
  it('lets live messages pass by the rules of the core', () => {
    const message = sample({ kind: 'request', priority: 'high', recipients: ['operator', 'ben'] });
    expect(passes({}, message, undefined)).toBe(true);
    expect(passes({ participant: 'ada', kind: 'request', priority: 'high', forOperator: true }, message, undefined)).toBe(true);
    expect(passes({ participant: 'cleo' }, message, undefined)).toBe(false);
    expect(passes({ forOperator: false }, message, undefined)).toBe(false);
    expect(passes({ state: 'unsettled' }, message, undefined)).toBe(true);
    expect(passes({ state: 'dead' }, message, undefined)).toBe(false);
    const dead = { ben: copy(message, { state: 'dead' }) };
    expect(passes({ state: 'dead' }, message, dead)).toBe(true);
    expect(passes({ state: 'dead', forOperator: true }, message, dead)).toBe(false);
  });
});
