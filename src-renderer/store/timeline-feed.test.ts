import { describe, expect, it } from 'vitest';
import { SAMPLE_PROJECT_ID, sampleEvent, sampleMessage } from '#renderer/testing/sample-events.ts';
import type { Message } from '#shared/messages/model.ts';
import { KEEP_EVERYTHING } from '#shared/retention/model.ts';
import { MESSAGES_KEPT } from './message-feed.ts';
import type { MessageFilter } from './message-filter.ts';
import { passes } from './message-filter.ts';
import type { HistoryClient } from './history-pages.ts';
import { TimelineFeed } from './timeline-feed.ts';

/** A history as the core answers pages of it; messages may be added, and the next answer may be held back. */
class History {
  readonly all: Message[] = [];
  filter: MessageFilter = {};
  asked = 0;
  /** Resolves when the next answer may be given; undefined: at once. */
  gate: Promise<void> | undefined;

  add(count: number, changes: Partial<Message> = {}): Message[] {
    const added = Array.from({ length: count }, (_, index) =>
      sampleMessage({
        sentAt: (this.all.length + index + 1) * 1_000,
        body: `message ${this.all.length + index + 1}`,
        ...changes,
      }),
    );
    this.all.push(...added);
    return added;
  }

  readonly client: HistoryClient = {
    messages: {
      list: async ({ before, after, around, limit = 100 }) => {
        this.asked += 1;
        const matching = this.all.filter((message) => passes(this.filter, message, undefined));
        const { gate } = this;
        await gate;
        const at = (id: string | undefined): number => matching.findIndex((message) => message.id === id);
        const answer = (messages: Message[], from: number, to: number, isAfter: boolean) => ({
          messages,
          deliveries: [],
          hasMore: isAfter ? to < matching.length : from > 0,
          older: from > 0 ? (matching[from]?.id ?? matching.at(-1)?.id ?? null) : null,
          newer: to < matching.length ? (matching[to - 1]?.id ?? null) : null,
        });
        if (after !== undefined) {
          const from = at(after) + 1;
          const to = Math.min(from + limit, matching.length);
          return answer(matching.slice(from, to), from, to, true);
        }
        if (around !== undefined) {
          const middle = matching.findIndex(({ sentAt }) => sentAt >= around);
          const from = Math.max(0, (middle === -1 ? matching.length : middle) - limit / 2);
          const to = Math.min((middle === -1 ? matching.length : middle) + limit / 2, matching.length);
          return answer(matching.slice(from, to).toReversed(), from, to, false);
        }
        const to = before === undefined ? matching.length : at(before);
        const from = Math.max(0, to - limit);
        return answer(matching.slice(from, to).toReversed(), from, to, false);
      },
      get: async ({ id }) => {
        const message = this.all.find((each) => each.id === id);
        if (message === undefined) throw new Error(`There is no message ${id}.`);
        return { message, deliveries: [] };
      },
    },
  };
}

let seq = 0;
const sent = (messages: readonly Message[]) =>
  messages.map((message) => sampleEvent((seq += 1), 'message.sent', message.id, { message }));

function opened(history: History, filter: MessageFilter = {}): TimelineFeed {
  history.filter = filter;
  return new TimelineFeed(filter, () => history.client);
}

const bodies = (feed: TimelineFeed): readonly string[] => feed.store.getState().messages.map(({ body }) => body);
const settled = (feed: TimelineFeed, is: (state: ReturnType<TimelineFeed['store']['getState']>) => boolean): Promise<void> =>
  new Promise((resolve) => {
    if (is(feed.store.getState())) {
      resolve();
      return;
    }
    const stop = feed.store.subscribe((state) => {
      if (!is(state)) return;
      stop();
      resolve();
    });
  });

describe('a timeline', () => {
  it('begins at the newest, and takes what comes', async () => {
    const history = new History();
    history.add(450);
    const feed = opened(history);
    await feed.showEnd();
    expect(bodies(feed)).toHaveLength(200);
    feed.takeEvents(sent(history.add(2)));
    expect(bodies(feed).slice(-3)).toEqual(['message 450', 'message 451', 'message 452']);
    expect(feed.store.getState()).toMatchObject({ newer: null, behind: 0, phase: 'ready' });
  });

  it('goes back to the very first and forward to the newest without a gap, and holds a part only', async () => {
    const history = new History();
    history.add(2_500);
    const feed = opened(history);
    await feed.showEnd();
    while (feed.store.getState().older !== null) {
      const { older } = feed.store.getState();
      feed.loadOlder();
      await settled(feed, (state) => state.older !== older);
    }
    expect(bodies(feed)[0]).toBe('message 1');
    expect(bodies(feed)).toHaveLength(MESSAGES_KEPT);
    expect(feed.store.getState().newer).not.toBeNull();
    while (feed.store.getState().newer !== null) {
      const { newer } = feed.store.getState();
      feed.loadNewer();
      await settled(feed, (state) => state.newer !== newer);
    }
    expect(bodies(feed)).toEqual(Array.from({ length: MESSAGES_KEPT }, (_, index) => `message ${index + 1_501}`));
  });

  it('loses nothing that comes while the end is being loaded, and shows nothing twice', async () => {
    const history = new History();
    history.add(200);
    const feed = opened(history);
    await feed.showStart();
    let open: () => void = () => undefined;
    history.gate = new Promise((resolve) => {
      open = resolve;
    });
    // Read before the gate, so not in the page; and one that the page holds and the event tells too.
    const [both] = history.add(1);
    feed.loadNewer();
    const late = history.add(2);
    feed.takeEvents(sent([...(both === undefined ? [] : [both]), ...late]));
    open();
    history.gate = undefined;
    await settled(feed, (state) => state.newer === null);
    expect(bodies(feed)).toEqual(Array.from({ length: 203 }, (_, index) => `message ${index + 1}`));
  });

  it('loses no step of a copy that is told while a page is being loaded', async () => {
    const history = new History();
    history.add(3);
    const feed = opened(history);
    const step = (message: Message | undefined) => ({
      messageId: message?.id ?? '',
      recipient: 'ben',
      state: 'delivered' as const,
      attempts: 1,
    });
    const stateOf = (message: Message | undefined) => feed.store.getState().deliveries[message?.id ?? '']?.['ben']?.state;
    const answer = Promise.withResolvers<void>();
    history.gate = answer.promise;
    const showing = feed.showEnd();
    // Of one that the page has, read before the step; and of one that comes while the page is on its way.
    feed.takeDeliveries([step(history.all[2])]);
    const [late] = history.add(1);
    feed.takeEvents(sent(late ? [late] : []));
    feed.takeDeliveries([step(late)]);
    answer.resolve();
    await showing;
    expect([stateOf(history.all[2]), stateOf(late)]).toEqual(['delivered', 'delivered']);
    expect(stateOf(history.all[1])).toBeUndefined();
    // And while it goes elsewhere.
    const again = Promise.withResolvers<void>();
    history.gate = again.promise;
    const moving = feed.showTime(1);
    feed.takeDeliveries([step(history.all[1])]);
    again.resolve();
    await moving;
    expect(stateOf(history.all[1])).toBe('delivered');
  });

  it('lets nothing go that is being read: it leaves the end instead, and counts', async () => {
    const history = new History();
    history.add(10);
    const feed = opened(history);
    await feed.showEnd();
    feed.setFollowing(false);
    feed.takeEvents(sent(history.add(MESSAGES_KEPT)));
    expect(bodies(feed)).toHaveLength(10);
    expect(feed.store.getState()).toMatchObject({ behind: MESSAGES_KEPT });
    expect(feed.store.getState().newer).not.toBeNull();
    await feed.showEnd();
    expect(bodies(feed).at(-1)).toBe(`message ${MESSAGES_KEPT + 10}`);
    expect(feed.store.getState()).toMatchObject({ behind: 0, newer: null });
  });

  it('opens around a message and at a time', async () => {
    const history = new History();
    const all = history.add(1_000);
    const feed = opened(history);
    const wanted = all[499];
    if (wanted === undefined) throw new Error('no such message');
    await feed.showMessage(wanted.id);
    expect(bodies(feed)[0]).toBe('message 400');
    expect(bodies(feed).at(-1)).toBe('message 600');
    expect(feed.store.getState().jump).toMatchObject({ messageId: wanted.id, align: 'center' });
    await feed.showTime(700_000);
    expect(feed.store.getState().jump.messageId).toBe(all[699]?.id);
  });

  it('drops the answer of a move that was left for another', async () => {
    const history = new History();
    history.add(600);
    const feed = opened(history);
    let open: () => void = () => undefined;
    history.gate = new Promise((resolve) => {
      open = resolve;
    });
    const first = feed.showStart();
    history.gate = undefined;
    await feed.showEnd();
    open();
    await first;
    expect(bodies(feed).at(-1)).toBe('message 600');
  });

  it('takes only what passes its filter, and fetches what a broken line cost', async () => {
    const history = new History();
    history.add(5, { kind: 'request' });
    const feed = opened(history, { kind: 'request' });
    await feed.showEnd();
    feed.takeEvents(sent(history.add(1)));
    expect(bodies(feed)).toHaveLength(5);
    history.add(3, { kind: 'request' });
    await feed.refresh();
    expect(bodies(feed)).toHaveLength(8);
    history.add(700, { kind: 'request' });
    await feed.refresh();
    expect(bodies(feed)).toHaveLength(200);
    expect(bodies(feed).at(-1)).toBe('message 709');
  });

  it('puts what a broken line cost before what came since', async () => {
    const history = new History();
    history.add(5);
    const feed = opened(history);
    await feed.showEnd();
    history.add(3);
    let open: () => void = () => undefined;
    history.gate = new Promise((resolve) => {
      open = resolve;
    });
    const refreshed = feed.refresh();
    feed.takeEvents(sent(history.add(2)));
    open();
    await refreshed;
    expect(bodies(feed)).toEqual(history.all.map(({ body }) => body));
  });

  it('stays where somebody reads when more was missed than a page', async () => {
    const history = new History();
    const [first] = history.add(300);
    const feed = opened(history);
    await feed.showMessage(first?.id ?? history.all[0]?.id ?? sampleMessage({}).id);
    await feed.showEnd();
    const { jump } = feed.store.getState();
    const before = bodies(feed);
    feed.setFollowing(false);
    history.add(500);
    await feed.refresh();
    expect(bodies(feed)).toEqual(before);
    expect(feed.store.getState().jump).toBe(jump);
    expect(feed.store.getState().newer).toBe(history.all[299]?.id);
    await feed.showEnd();
    feed.setFollowing(true);
    history.add(500);
    await feed.refresh();
    expect(bodies(feed).at(-1)).toBe('message 1300');
  });

  it('asks where every unsettled copy stands, some at a time, although one cannot be had', async () => {
    const history = new History();
    history.add(70, { recipients: ['ben'] });
    const [gone] = history.all;
    const feed = new TimelineFeed({}, () => ({
      messages: {
        ...history.client.messages,
        get: async ({ id }) => {
          if (id === gone?.id) throw new Error('It is gone.');
          const answer = await history.client.messages.get({ id });
          const settledAt = { queuedAt: 1, deliveredAt: 2, readAt: 3, deadAt: null, deadReason: null };
          const lease = { attempts: 1, leasedUntil: null, availableAt: 1 };
          return {
            ...answer,
            deliveries: [{ messageId: answer.message.id, recipient: 'ben', state: 'read' as const, ...settledAt, ...lease }],
          };
        },
      },
    }));
    await feed.showEnd();
    await feed.refresh();
    await settled(feed, ({ deliveries }) => Object.keys(deliveries).length === 69);
    expect(feed.store.getState().deliveries).not.toHaveProperty(gone?.id ?? '');
    feed.dispose();
  });

  it('puts what began to pass by its state into its place, while somebody looks and after', async () => {
    const history = new History();
    const [first, second, third] = history.add(3);
    if (first === undefined || second === undefined || third === undefined) throw new Error('no such message');
    const dead = new Set<string>([first.id, third.id]);
    const copies = (messages: readonly Message[]) =>
      messages.map((message) => ({
        messageId: message.id,
        recipient: 'ben',
        state: dead.has(message.id) ? ('dead' as const) : ('queued' as const),
        queuedAt: 1,
        deliveredAt: null,
        readAt: null,
        deadAt: null,
        deadReason: null,
        attempts: 0,
        leasedUntil: null,
        availableAt: 1,
      }));
    const feed = new TimelineFeed({ state: 'dead' }, () => ({
      messages: {
        list: async () => {
          const messages = history.all.filter(({ id }) => dead.has(id)).toReversed();
          return { messages, deliveries: copies(messages), hasMore: false, older: null, newer: null };
        },
        get: async ({ id }) => {
          const message = history.all.find((each) => each.id === id) ?? first;
          return { message, deliveries: copies([message]) };
        },
      },
    }));
    await feed.showEnd();
    expect(bodies(feed)).toEqual(['message 1', 'message 3']);
    dead.add(second.id);
    feed.takeDeliveries([{ messageId: second.id, recipient: 'ben', state: 'dead' }]);
    expect(bodies(feed)).toHaveLength(2);
    const watch = feed.watch();
    await settled(feed, ({ messages }) => messages.length === 3);
    expect(bodies(feed)).toEqual(['message 1', 'message 2', 'message 3']);
    expect(feed.store.getState().deliveries[second.id]?.['ben']?.state).toBe('dead');
    const [fourth] = history.add(1);
    dead.add(fourth?.id ?? '');
    feed.takeDeliveries([{ messageId: fourth?.id ?? '', recipient: 'ben', state: 'dead' }]);
    await settled(feed, ({ messages }) => messages.length === 4);
    watch.dispose();
    feed.dispose();
  });

  it('says why it could not load, and does when it can', async () => {
    const history = new History();
    history.add(3);
    let isDown = true;
    const feed = new TimelineFeed({}, () => {
      if (isDown) throw new Error('The core does not answer');
      return history.client;
    });
    await feed.showEnd();
    expect(feed.store.getState()).toMatchObject({ phase: 'failed' });
    expect(feed.store.getState().problem).toContain('The core does not answer');
    isDown = false;
    await feed.refresh();
    expect(bodies(feed)).toHaveLength(3);
  });
});

describe('messages that retention removed', () => {
  const applied = () => {
    const report = {
      projectId: SAMPLE_PROJECT_ID,
      policy: { ...KEEP_EVERYTHING, maxMessages: 20 },
      messages: 30,
      bytes: 1,
      sessions: 1,
      wholeSessions: 0,
      oldestAt: 1,
      newestAt: 2,
      kept: { unread: 0, 'unread-thread': 0, 'open-request': 0, 'not-mirrored': 0 },
    };
    return sampleEvent((seq += 1), 'retention.applied', SAMPLE_PROJECT_ID, { report, isCut: false, removedMirrors: [] });
  };

  it('are not shown any more', async () => {
    const history = new History();
    history.add(50);
    const feed = opened(history);
    await feed.showEnd();
    history.all.splice(0, 30);
    feed.takeEvents([applied()]);
    await settled(feed, ({ messages }) => messages.length === 20);
    expect(feed.store.getState()).toMatchObject({ phase: 'ready', older: null, newer: null });
  });

  it('are left for the newest where a link had led to one', async () => {
    const history = new History();
    const [first] = history.add(500);
    const feed = opened(history);
    if (first === undefined) throw new Error('There is no message.');
    await feed.showMessage(first.id);
    history.all.splice(0, 450);
    feed.takeEvents([applied()]);
    await settled(feed, ({ phase, messages }) => phase === 'ready' && messages.length === 50);
    expect(feed.store.getState().newer).toBe(null);
  });
});
