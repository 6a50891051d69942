import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Caller } from '#core/caller.ts';
import { agentId, ClockedCrew, MINUTE_MS } from './testing/clocked-crew.ts';
import { OPERATOR_CALLER } from './testing/open-messages.ts';

let crew: ClockedCrew;
const ADA = agentId('ada');
const BEN = agentId('ben');

beforeEach(async () => {
  crew = await ClockedCrew.open();
});

afterEach(async () => {
  expect(crew.t.service.waiting, 'every waiter is gone').toBe(0);
  await crew.t.dispose();
});

function ask(from: Caller, more: { timeoutMs?: number; idempotencyKey?: string; signal?: AbortSignal } = {}) {
  const { signal = new AbortController().signal, timeoutMs = 55_000, ...rest } = more;
  return crew.t.service.request({ to: BEN, body: 'Which port?', priority: 'normal', timeoutMs, ...rest }, from, signal);
}

/** What Ben is asked, once he is. */
async function asked() {
  const page = await crew.t.service.wait({ timeoutMs: 55_000, limit: 1 }, crew.ben, new AbortController().signal);
  const [request] = page.messages;
  if (!request) throw new Error('nothing was asked');
  return request;
}

describe('request_reply', () => {
  it('returns the reply, which is in the inbox until it is acknowledged', async () => {
    const asking = ask(crew.ada);
    const request = await asked();
    expect(request.kind).toBe('request');
    const replyId = await crew.send({ to: ADA, kind: 'reply', inReplyTo: request.id, body: '3100' }, crew.ben);
    const { reply, messageId, isDuplicate } = await asking;
    expect({ messageId, isDuplicate }).toEqual({ messageId: request.id, isDuplicate: false });
    expect(reply).toMatchObject({ id: replyId, body: '3100', state: 'delivered', attempts: 1 });
    expect(await crew.take({}, crew.ada)).toEqual([]);
    expect(await crew.unread(crew.ada)).toMatchObject([{ id: replyId }]);
    expect(await crew.t.service.markRead({ messageIds: [replyId] }, crew.ada)).toEqual({ marked: 1 });
  });

  it('hands the reply to the call that asked, not to another that waits', async () => {
    const gone = new AbortController();
    const waiting = crew.t.service.wait({ timeoutMs: 55_000, limit: 1 }, crew.ada, gone.signal);
    const asking = ask(crew.ada);
    const request = await asked();
    const replyId = await crew.send({ to: ADA, kind: 'reply', inReplyTo: request.id }, crew.ben);
    expect((await asking).reply?.id).toBe(replyId);
    gone.abort();
    expect((await waiting).messages).toEqual([]);
  });

  it('returns nothing after its time, and the reply when it is repeated with its key', async () => {
    const first = await ask(crew.ada, { timeoutMs: 0, idempotencyKey: 'k' });
    expect(first).toMatchObject({ reply: null, isDuplicate: false });
    await crew.send({ to: ADA, kind: 'reply', inReplyTo: first.messageId, body: '3100' }, crew.ben);
    expect(await ask(crew.ada, { idempotencyKey: 'k' })).toMatchObject({
      messageId: first.messageId,
      isDuplicate: true,
      reply: { body: '3100' },
    });
  });

  it('is answered to two calls with one key at once', async () => {
    const calls = [ask(crew.ada, { idempotencyKey: 'k' }), ask(crew.ada, { idempotencyKey: 'k' })];
    const request = await asked();
    await expect.poll(() => crew.t.service.waiting, { timeout: 30_000 }).toBe(2);
    const replyId = await crew.send({ to: ADA, kind: 'reply', inReplyTo: request.id }, crew.ben);
    expect((await Promise.all(calls)).map(({ reply }) => reply?.id)).toEqual([replyId, replyId]);
    expect(await crew.unread(crew.ada)).toMatchObject([{ id: replyId, attempts: 1 }]);
  });

  it('stops waiting when its caller goes away; the request stays', async () => {
    const gone = new AbortController();
    const asking = ask(crew.ada, { signal: gone.signal });
    const request = await asked();
    gone.abort();
    expect((await asking).reply).toBeNull();
    await crew.send({ to: ADA, kind: 'reply', inReplyTo: request.id }, crew.ben);
    expect(await crew.take({}, crew.ada)).toHaveLength(1);
  });

  it('ends with the reason when no answer will come', async () => {
    const asking = ask(OPERATOR_CALLER);
    await asked();
    await crew.t.service.onAgentEnded(BEN, 'failed');
    expect((await asking).reply).toMatchObject({ kind: 'event', data: { reason: 'agent-failed', agentId: 'ben' } });
  });

  it('ends with the core', async () => {
    const asking = ask(crew.ada);
    await asked();
    crew.t.service.dispose();
    await expect(asking).rejects.toMatchObject({ code: 'UNAVAILABLE', retryable: true });
  });
});

describe('a reply that went to somebody else', () => {
  it('answers nobody: whoever asked is told that none came', async () => {
    const request = await crew.send({ kind: 'request', replyWithinMs: MINUTE_MS });
    await crew.take();
    // A model's slip: the reply goes to the operator, and not to Ada, who asked.
    await crew.send({ to: 'operator', kind: 'reply', inReplyTo: request, body: '3100' }, crew.ben);
    await crew.pass(2 * MINUTE_MS);
    expect(await crew.take({}, crew.ada)).toMatchObject([{ kind: 'event', inReplyTo: request, data: { reason: 'timeout' } }]);
  });
});

describe('an agent that ends', () => {
  it('is told once to everybody who waits for its answer, for all they asked', async () => {
    const first = await crew.send({ kind: 'request', subject: 'First' });
    const second = await crew.send({ kind: 'task', subject: 'Second' });
    const answered = await crew.send({ kind: 'request' });
    await crew.send({ kind: 'note' });
    await crew.send({ to: ADA, kind: 'reply', inReplyTo: answered }, crew.ben);
    const operators = await crew.send({ kind: 'request' }, OPERATOR_CALLER);
    await crew.send({ kind: 'task' }, OPERATOR_CALLER);
    await crew.t.service.onAgentEnded(BEN, 'stopped');
    const told = (await crew.take({}, crew.ada)).filter(({ kind }) => kind === 'event');
    expect(told).toMatchObject([
      { inReplyTo: second, data: { reason: 'agent-stopped', agentId: 'ben', messageIds: [first, second], messages: 2 } },
    ]);
    expect(await crew.take({}, OPERATOR_CALLER)).toMatchObject([{ inReplyTo: operators, data: { messages: 1 } }]);
    await crew.t.service.onAgentEnded(BEN, 'lost');
    await crew.pass(MINUTE_MS);
    expect([await crew.take({}, crew.ada), await crew.take({}, OPERATOR_CALLER)]).toEqual([[], []]);
    expect(await crew.take()).toHaveLength(6);
  });

  it('is told to nobody who was removed', async () => {
    await crew.send({ kind: 'request' });
    const ada = crew.t.agents.get('ada');
    if (ada) crew.t.agents.set('ada', { ...ada, isRemoved: true });
    await crew.t.service.onAgentEnded(BEN, 'stopped');
    expect(await crew.t.service.counts({})).toMatchObject({ total: 1 });
  });

  it('while the core ends, too, is told of at the next start, once, and not for what it was sent since', async () => {
    const before = await crew.send({ kind: 'request', subject: 'Before' });
    await crew.send({ kind: 'request' }, OPERATOR_CALLER);
    const endedAt = crew.clock.now;
    await crew.pass(MINUTE_MS);
    const since = await crew.send({ kind: 'request', subject: 'Since' });
    for (let start = 0; start < 2; start += 1)
      await crew.t.service.makeUpEnds((id) => (id === BEN ? { end: 'failed', at: endedAt } : undefined));
    expect(await crew.take({}, crew.ada)).toMatchObject([
      { kind: 'event', inReplyTo: before, data: { reason: 'agent-failed', messageIds: [before], messages: 1 } },
    ]);
    expect(await crew.take({}, OPERATOR_CALLER)).toHaveLength(1);
    // It waits for the next start of the agent; when that ends, it is told.
    await crew.t.service.onAgentEnded(BEN, 'stopped');
    expect(await crew.take({}, crew.ada)).toMatchObject([{ inReplyTo: since, data: { reason: 'agent-stopped' } }]);
  });

  it('by being removed is told of at the next start, also where its inbox is empty', async () => {
    const id = await crew.send({ kind: 'request' });
    await crew.take();
    await crew.t.service.markRead({ messageIds: [id] }, crew.ben);
    const ben = crew.t.agents.get('ben');
    if (ben) crew.t.agents.set('ben', { ...ben, isRemoved: true });
    for (let start = 0; start < 2; start += 1) await crew.t.service.makeUpEnds(() => undefined);
    expect(await crew.take({}, crew.ada)).toMatchObject([{ inReplyTo: id, data: { reason: 'agent-removed' } }]);
  });
});
