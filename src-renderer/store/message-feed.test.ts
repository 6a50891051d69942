import { describe, expect, it } from 'vitest';
import { sampleMessage } from '#renderer/testing/sample-events.ts';
import { addDeliveries, addMessages, EMPTY_FEED, MESSAGES_KEPT, unsettled } from './message-feed.ts';

describe('the feed of messages', () => {
  it('keeps each message once, in the order they were sent, whatever way they come', () => {
    const [a, b, c] = [sampleMessage(), sampleMessage(), sampleMessage()];
    const feed = addMessages(addMessages(EMPTY_FEED, [c, a]), [a, b, c]);
    expect(feed.messages.map(({ id }) => id)).toEqual([a.id, b.id, c.id]);
    expect(addMessages(feed, [b])).toBe(feed);
  });

  it('drops the oldest with what is known of them', () => {
    const all = Array.from({ length: MESSAGES_KEPT + 5 }, () => sampleMessage());
    const [first] = all;
    let feed = addMessages(EMPTY_FEED, all.slice(0, MESSAGES_KEPT));
    feed = addDeliveries(feed, [{ messageId: first?.id ?? '', recipient: 'ben', state: 'read' }]);
    expect(feed.hasOlder).toBe(false);
    feed = addMessages(feed, all);
    expect(feed.messages).toHaveLength(MESSAGES_KEPT);
    expect(feed).toMatchObject({ hasOlder: true, deliveries: {} });
  });

  it('never takes a delivery back', () => {
    const message = sampleMessage({ recipients: ['ben', 'cleo'] });
    let feed = addMessages(EMPTY_FEED, [message]);
    for (const state of ['delivered', 'queued', 'read', 'delivered'] as const) {
      feed = addDeliveries(feed, [{ messageId: message.id, recipient: 'ben', state }]);
    }
    expect(feed.deliveries).toEqual({ [message.id]: { ben: 'read' } });
    expect(unsettled(feed, 10)).toEqual([message]);
    feed = addDeliveries(feed, [{ messageId: message.id, recipient: 'cleo', state: 'read' }]);
    expect(unsettled(feed, 10)).toEqual([]);
  });
});
