import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MessageId, mintId } from '#shared/kernel/ids.ts';
import { agentId, ClockedCrew, MINUTE_MS } from './testing/clocked-crew.ts';
import { OPERATOR_CALLER, tokenCaller } from './testing/open-messages.ts';

let crew: ClockedCrew;
const BEN = agentId('ben');
const CLEO = agentId('cleo');
const UNKNOWN = MessageId.parse(mintId('msg'));

beforeEach(async () => {
  crew = await ClockedCrew.open();
  crew.t.addAgent('cleo');
});

afterEach(async () => {
  expect(crew.t.service.waiting, 'every waiter is gone').toBe(0);
  await crew.t.dispose();
});

describe('cancel_message', () => {
  it('lets die what is not acknowledged, and tells whoever held it', async () => {
    const id = await crew.send({ to: [BEN, CLEO, 'operator'], subject: 'Count' });
    await crew.take();
    await crew.t.service.markRead({ messageIds: [id] }, crew.caller('cleo'));
    const before = crew.t.test.journal.seq;
    const answer = { cancelled: ['ben', 'operator'], acknowledged: ['cleo'] };
    expect(await crew.t.service.cancel({ id }, crew.ada)).toEqual(answer);
    expect(crew.events(before, 'message.dead')).toMatchObject([
      { subject: id, actor: crew.ada.actor, data: { recipients: ['ben', 'operator'], reason: 'cancelled' } },
    ]);
    expect(await crew.copy(id)).toMatchObject({ state: 'dead', deadReason: 'cancelled' });
    expect(await crew.take()).toMatchObject([
      { kind: 'event', inReplyTo: id, from: { kind: 'system' }, data: { reason: 'cancelled', messageId: id } },
    ]);
    expect(await crew.take({}, OPERATOR_CALLER)).toEqual([]);
    expect(await crew.t.service.cancel({ id }, crew.ada)).toEqual(answer);
    expect(crew.events(before, 'message.dead')).toHaveLength(1);
  });

  it('ends the wait for the answer', async () => {
    const id = await crew.send({ kind: 'request', replyWithinMs: MINUTE_MS });
    await crew.t.service.cancel({ id }, crew.ada);
    await crew.pass(MINUTE_MS);
    expect(await crew.take({}, crew.ada)).toEqual([]);
  });

  it('is the right of its sender and of the operator', async () => {
    const id = await crew.send();
    await expect(crew.t.service.cancel({ id }, crew.ben)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(crew.t.service.cancel({ id }, tokenCaller('ci'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(crew.t.service.cancel({ id: UNKNOWN }, crew.ada)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await crew.t.service.cancel({ id }, OPERATOR_CALLER)).toEqual({ cancelled: ['ben'], acknowledged: [] });
  });
});

describe('dead letters', () => {
  it('are listed with their reasons, newest first', async () => {
    const expired = await crew.send({ to: [BEN, CLEO], ttlMs: MINUTE_MS });
    await crew.t.service.markRead({ messageIds: [expired] }, crew.caller('cleo'));
    const cancelled = await crew.send({ to: CLEO });
    await crew.t.service.cancel({ id: cancelled }, crew.ada);
    await crew.pass(MINUTE_MS);
    const later = await crew.send({ to: CLEO, ttlMs: MINUTE_MS });
    await crew.pass(MINUTE_MS);
    const all = await crew.t.service.dead({ limit: 100 });
    expect(all.deliveries).toMatchObject([
      { messageId: later, recipient: 'cleo', deadReason: 'expired' },
      { messageId: expired, recipient: 'ben', deadReason: 'expired' },
    ]);
    expect(all.messages.map(({ id }) => id)).toEqual([later, expired]);
    expect((await crew.t.service.dead({ to: 'ben', limit: 100 })).messages.map(({ id }) => id)).toEqual([expired]);
    const page = await crew.t.service.dead({ limit: 1 });
    expect(page.older).toBe(later);
    expect((await crew.t.service.dead({ limit: 1, before: later })).messages.map(({ id }) => id)).toEqual([expired]);
    // What was taken back is none, unless it is asked for.
    expect(await crew.t.service.dead({ reason: 'cancelled', limit: 100 })).toMatchObject({
      messages: [{ id: cancelled }],
      deliveries: [{ messageId: cancelled, recipient: 'cleo', deadReason: 'cancelled' }],
    });
    expect(await crew.t.service.counts({})).toMatchObject({ dead: 2 });
    await expect(crew.t.service.dead({ limit: 1, before: UNKNOWN })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are delivered again when they are retried, as if they had just been sent', async () => {
    const id = await crew.send({ ttlMs: MINUTE_MS });
    await crew.take();
    await crew.pass(MINUTE_MS);
    const before = crew.t.test.journal.seq;
    const waiting = crew.t.service.wait({ timeoutMs: 55_000, limit: 1 }, crew.ben, new AbortController().signal);
    expect(await crew.t.service.retry({ id }, OPERATOR_CALLER)).toEqual({ retried: ['ben'] });
    expect((await waiting).messages).toMatchObject([{ id, attempts: 1 }]);
    expect(await crew.copy(id)).toMatchObject({ state: 'delivered', deadAt: null, deadReason: null, attempts: 1 });
    expect(crew.events(before, 'message.retried')).toMatchObject([{ subject: id, data: { recipients: ['ben'] } }]);
    expect(await crew.t.service.counts({})).toMatchObject({ dead: 0, queues: [{ recipient: 'ben', unread: 1 }] });
    expect(await crew.t.service.retry({ id }, OPERATOR_CALLER)).toEqual({ retried: [] });
    await crew.pass(MINUTE_MS);
    expect(await crew.copy(id)).toMatchObject({ state: 'dead', deadReason: 'expired' });
    expect(await crew.t.service.counts({})).toMatchObject({ dead: 1, queues: [] });
  });

  it('are retried for some of their recipients only, if stated', async () => {
    const id = await crew.send({ to: [BEN, CLEO] });
    await crew.t.service.cancel({ id }, crew.ada);
    expect(await crew.t.service.retry({ id, recipients: ['cleo'] }, OPERATOR_CALLER)).toEqual({ retried: ['cleo'] });
    expect([(await crew.copy(id)).state, (await crew.copy(id, 'cleo')).state]).toEqual(['dead', 'queued']);
  });

  it('are counted until the last of a message is retried, and not what was taken back', async () => {
    const dead = async () => (await crew.t.service.counts({})).dead;
    const id = await crew.send({ to: [BEN, CLEO], ttlMs: MINUTE_MS });
    await crew.pass(MINUTE_MS);
    expect(await dead()).toBe(1);
    await crew.t.service.retry({ id, recipients: ['cleo'] }, OPERATOR_CALLER);
    expect(await dead()).toBe(1);
    await crew.t.service.retry({ id, recipients: ['ben'] }, OPERATOR_CALLER);
    expect(await dead()).toBe(0);
    await crew.t.service.cancel({ id }, crew.ada);
    expect([await dead(), (await crew.copy(id)).deadReason]).toEqual([0, 'cancelled']);
    await crew.t.service.retry({ id }, OPERATOR_CALLER);
    await crew.pass(MINUTE_MS);
    expect(await dead()).toBe(1);
  });
});

describe('a removed agent', () => {
  async function remove(id: string): Promise<void> {
    const agent = crew.t.agents.get(id);
    if (agent) crew.t.agents.set(id, { ...agent, isRemoved: true });
    await crew.t.service.onAgentEnded(agentId(id), 'removed');
  }

  it('takes what it has not dealt with along', async () => {
    const [read, held, queued] = [await crew.send(), await crew.send(), await crew.send()];
    await crew.take({ limit: 2 });
    await crew.t.service.markRead({ messageIds: [read] }, crew.ben);
    await remove('ben');
    expect((await crew.copy(read)).state).toBe('read');
    for (const id of [held, queued])
      expect(await crew.copy(id)).toMatchObject({ state: 'dead', deadReason: 'recipient-removed' });
    await expect(crew.t.service.retry({ id: queued, recipients: ['ben'] }, OPERATOR_CALLER)).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect(await crew.t.service.retry({ id: queued }, OPERATOR_CALLER)).toEqual({ retried: [] });
  });

  it('takes it along at the next start when the core ended before', async () => {
    const id = await crew.send();
    const agent = crew.t.agents.get('ben');
    if (agent) crew.t.agents.set('ben', { ...agent, isRemoved: true });
    await crew.t.service.makeUpEnds(() => undefined);
    expect(await crew.copy(id)).toMatchObject({ state: 'dead', deadReason: 'recipient-removed' });
  });
});

describe('inspect_queue', () => {
  it('shows what is not acknowledged in its order, and how full the inbox is', async () => {
    const low = await crew.send({ priority: 'low', body: 'abc' });
    const held = await crew.send();
    const delayed = await crew.send({ priority: 'critical', delayMs: MINUTE_MS });
    await crew.take({ limit: 1 });
    const queue = await crew.t.service.queues({ agentId: BEN, limit: 50 });
    expect(queue).toMatchObject({
      recipient: 'ben',
      counts: { queued: 1, delayed: 1, unread: 2, oldestQueuedAt: crew.clock.now },
      chars: 11,
      limits: { messages: 10_000, attempts: 10 },
      next: null,
    });
    expect(queue.messages.map(({ id }) => id)).toEqual([delayed, held, low]);
    expect(queue.deliveries).toMatchObject([
      { messageId: delayed, availableAt: crew.clock.now + MINUTE_MS },
      { messageId: held, state: 'delivered', attempts: 1 },
      { messageId: low, state: 'queued' },
    ]);
    const page = await crew.t.service.queues({ agentId: BEN, limit: 2 });
    expect(page.next).toBe(held);
    expect((await crew.t.service.queues({ agentId: BEN, limit: 2, after: held })).messages.map(({ id }) => id)).toEqual([low]);
    await expect(crew.t.service.queues({ agentId: BEN, limit: 2, after: UNKNOWN })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(crew.t.service.queues({ agentId: agentId('ghost'), limit: 2 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
