import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { AgentId, MessageId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import type { DeliveryChange } from './delivery-changes.ts';
import type { SendInput } from './message-draft.ts';
import type { InboxActivity } from './inboxes.ts';
import type { SendResult } from './messages-service.ts';
import type { TestMessages } from './testing/open-messages.ts';
import { openMessages, OPERATOR_CALLER } from './testing/open-messages.ts';
import type { InboxPage } from './waiters.ts';

let t: TestMessages;
let alice: Caller;
let bob: Caller;

beforeEach(async () => {
  // What may share a commit does, however slow the machine.
  t = await openMessages({ maxBatchMs: Number.POSITIVE_INFINITY });
  alice = t.addAgent('alice');
  bob = t.addAgent('bob');
});

afterEach(async () => {
  expect(t.service.waiting, 'every waiter is gone').toBe(0);
  await t.dispose();
});

/** Longer than any test: a wait that is not served fails the test by its own limit. */
const LONG_MS = 55_000;

function send(more: Partial<SendInput> = {}): Promise<SendResult> {
  return t.service.send({ to: AgentId.parse('bob'), body: 'text', kind: 'note', priority: 'normal', ...more }, alice);
}

function wait(timeoutMs = LONG_MS, limit = 50, signal = new AbortController().signal, caller = bob): Promise<InboxPage> {
  return t.service.wait({ timeoutMs, limit }, caller, signal);
}

async function statesOf(id: MessageId) {
  return (await t.service.get({ id })).deliveries.map((delivery) => delivery.state);
}

/** Resolves when the condition holds; the test's own limit is the deadline. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('wait', () => {
  it('hands out what is queued at once, most urgent first, and only once', async () => {
    await send({ subject: 'later' });
    await send({ subject: 'first', priority: 'critical' });
    const page = await wait();
    expect(page.messages.map((message) => [message.subject, message.state])).toEqual([
      ['first', 'delivered'],
      ['later', 'delivered'],
    ]);
    expect(page.unread).toBe(2);
    expect(await wait(0)).toEqual({ messages: [], unread: 2 });
  });

  it('takes no more than its limit', async () => {
    for (const subject of ['1', '2', '3']) await send({ subject });
    expect((await wait(0, 2)).messages.map((message) => message.subject)).toEqual(['1', '2']);
    expect((await wait(0, 2)).messages.map((message) => message.subject)).toEqual(['3']);
  });

  it('waits for the next message', async () => {
    const waiting = wait();
    await until(() => t.service.waiting === 1);
    const { messageId } = await send();
    expect(await waiting).toMatchObject({ messages: [{ id: messageId, state: 'delivered' }], unread: 1 });
    expect(await statesOf(messageId)).toEqual(['delivered']);
  });

  it('is served in the commit of the send, so that nothing is queued when the send is answered', async () => {
    const waiting = wait();
    const commits = t.test.store.stats().commits;
    const { messageId } = await send();
    expect(t.test.store.stats().commits).toBe(commits + 1);
    expect((await waiting).messages).toMatchObject([{ id: messageId }]);
  });

  it('ends empty after its time', async () => {
    expect(await wait(0)).toEqual({ messages: [], unread: 0 });
    expect(await wait(5)).toEqual({ messages: [], unread: 0 });
    expect(await statesOf((await send()).messageId)).toEqual(['queued']);
  });

  it('hands nothing to a caller that has gone away', async () => {
    const gone = new AbortController();
    const waiting = wait(LONG_MS, 50, gone.signal);
    await until(() => t.service.waiting === 1);
    // Queued, then aborted before the write runs: the write must see that nobody waits.
    const sending = send();
    gone.abort();
    expect((await waiting).messages).toEqual([]);
    expect(await statesOf((await sending).messageId)).toEqual(['queued']);
    expect((await wait(LONG_MS, 50, gone.signal)).messages).toEqual([]);
    expect((await wait()).messages).toHaveLength(1);
  });

  it('hands nothing to a caller that goes away while what was queued is on its way', async () => {
    const { messageId } = await send();
    const gone = new AbortController();
    const waiting = wait(LONG_MS, 50, gone.signal);
    gone.abort();
    expect((await waiting).messages).toEqual([]);
    expect(await statesOf(messageId)).toEqual(['queued']);
  });

  it('hands each delivery to one of several callers, the longest waiting first', async () => {
    const waits = [wait(LONG_MS, 1), wait(LONG_MS, 1), wait(LONG_MS, 1)];
    const sent = await Promise.all([send({ subject: '1' }), send({ subject: '2' }), send({ subject: '3' })]);
    const pages = await Promise.all(waits);
    expect(pages.map((page) => page.messages.map((message) => message.id))).toEqual(sent.map(({ messageId }) => [messageId]));
  });

  it('gives messages of one commit in their order', async () => {
    const waiting = wait(LONG_MS, 2);
    await Promise.all([
      send({ priority: 'low', subject: 'l' }),
      send({ priority: 'critical', subject: 'c' }),
      send({ priority: 'high', subject: 'h' }),
    ]);
    expect((await waiting).messages.map((message) => message.subject)).toEqual(['c', 'h']);
    expect((await wait(0)).messages.map((message) => message.subject)).toEqual(['l']);
  });

  it('gives a caller one page, whatever else the commit that serves it brings', async () => {
    const first = await send();
    // In the queue of one transaction: the serving of what is there, then another send.
    const waiting = wait(LONG_MS, 1);
    const next = wait(LONG_MS, 5);
    const [second, third] = await Promise.all([send(), send()]);
    expect((await waiting).messages.map((message) => message.id)).toEqual([first.messageId]);
    expect((await next).messages.map((message) => message.id)).toEqual([second.messageId, third.messageId]);
  });

  it(
    'loses no wake-up when sends and waits interleave in any way',
    async () => {
      const got: string[] = [];
      const sent: Promise<SendResult>[] = [];
      const gone: AbortController[] = [];
      const consume = async (): Promise<void> => {
        while (got.length < effort.messages) {
          // Now and then a caller goes away at once, or in the middle: what it was not given goes to the next.
          const controller = new AbortController();
          gone.push(controller);
          const waiting = wait(200, 3, controller.signal);
          if (gone.length % 7 === 0) controller.abort();
          const page = await waiting;
          got.push(...page.messages.map((message) => message.id));
        }
      };
      const consumers = [consume(), consume(), consume()];
      for (let i = 0; i < effort.messages; i += 1) {
        sent.push(send({ subject: String(i) }));
        if (i % 5 === 0) await sent.at(-1);
        if (i % 11 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      const ids = (await Promise.all(sent)).map(({ messageId }) => messageId);
      await Promise.all(consumers);
      expect([...got].sort()).toEqual([...ids].sort());
    },
    effort.roundsTimeoutMs,
  );

  it('serves the operator’s inbox to whoever holds that role', async () => {
    const waiting = wait(LONG_MS, 50, new AbortController().signal, OPERATOR_CALLER);
    await send({ to: 'operator' });
    expect((await waiting).messages).toHaveLength(1);
  });

  it('ends with an error when the core ends', async () => {
    const waiting = wait().catch((error: unknown) => error);
    await until(() => t.service.waiting === 1);
    t.service.dispose();
    expect(await waiting).toMatchObject({ code: 'UNAVAILABLE' });
    await expect(wait()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('tells the caller when nothing can be handed out, and keeps what is queued', async () => {
    await send();
    // A real failure of the database: the update that marks the delivery is refused.
    await t.test.store.write((tx) =>
      tx.prepare("CREATE TRIGGER refuse BEFORE UPDATE ON deliveries BEGIN SELECT RAISE(FAIL, 'disk I/O error'); END").run(),
    );
    await expect(wait()).rejects.toThrow('disk I/O error');
    await t.test.store.write((tx) => tx.prepare('DROP TRIGGER refuse').run());
    expect((await wait()).messages).toHaveLength(1);
  });
});

describe('counts and notices', () => {
  it('counts unread and held by inbox, also after a restart', async () => {
    await send({ kind: 'task' });
    await send({ kind: 'request' });
    await send();
    expect([t.service.unreadOf('bob'), t.service.heldBy('bob')]).toEqual([3, 0]);
    const page = await wait(0, 2);
    expect([t.service.unreadOf('bob'), t.service.heldBy('bob')]).toEqual([3, 2]);
    const dir = t.test.dir;
    await t.close();
    t = await openMessages({ dir });
    t.addAgent('bob');
    expect([t.service.unreadOf('bob'), t.service.heldBy('bob'), t.service.unreadOf('alice')]).toEqual([3, 2, 0]);
    await t.service.markRead({ messageIds: page.messages.map((message) => MessageId.parse(message.id)) }, bob);
    expect([t.service.unreadOf('bob'), t.service.heldBy('bob')]).toEqual([1, 0]);
    expect((await wait(0)).messages).toHaveLength(1);
  });

  it('tells what owners of inboxes do, with what they hold', async () => {
    const seen: InboxActivity[] = [];
    const listening = t.service.onActivity((activity) => seen.push(activity));
    const waiting = wait();
    const { messageId } = await send({ kind: 'task' });
    await waiting;
    await t.service.markRead({ messageIds: [messageId] }, bob);
    await t.service.markRead({ messageIds: [messageId] }, bob);
    await wait(0);
    listening.dispose();
    await wait(1);
    expect(seen).toEqual([
      { recipient: 'bob', kind: 'waiting', held: 0 },
      { recipient: 'bob', kind: 'taken', held: 1 },
      { recipient: 'bob', kind: 'acknowledged', held: 0 },
    ]);
  });

  it('tells deliveries that changed in batches, the newest state of each', async () => {
    const batches: (readonly DeliveryChange[])[] = [];
    const listening = t.service.onDeliveries((changes) => batches.push(changes));
    const first = await send();
    const second = await send();
    await t.service.markRead({ messageIds: [first.messageId] }, bob);
    const newest = (): Map<string, string> => new Map(batches.flat().map((change) => [change.messageId, change.state]));
    await until(() => newest().get(first.messageId) === 'read' && newest().size === 2);
    expect(newest().get(second.messageId)).toBe('queued');
    expect(batches.length).toBeLessThanOrEqual(3);
    listening.dispose();
  });
});
