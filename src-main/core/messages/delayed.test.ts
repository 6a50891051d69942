import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentId, ClockedCrew, MINUTE_MS } from './testing/clocked-crew.ts';
import { OPERATOR_CALLER } from './testing/open-messages.ts';

let crew: ClockedCrew;

beforeEach(async () => {
  crew = await ClockedCrew.open();
});

afterEach(async () => {
  expect(crew.t.service.waiting, 'every waiter is gone').toBe(0);
  await crew.t.dispose();
});

describe('a delayed message', () => {
  it('is handed to nobody before its time, and then takes the place it was sent at', async () => {
    const delayed = await crew.send({ delayMs: MINUTE_MS });
    const later = await crew.send();
    expect((await crew.t.service.get({ id: delayed })).message.notBefore).toBe(crew.clock.now + MINUTE_MS);
    expect(await crew.copy(delayed)).toMatchObject({ state: 'queued', availableAt: crew.clock.now + MINUTE_MS });
    expect(await crew.t.service.counts({})).toMatchObject({ queues: [{ queued: 1, delayed: 1, unread: 1 }] });
    await crew.pass(MINUTE_MS - 1);
    expect((await crew.unread()).map(({ id }) => id)).toEqual([later]);
    await crew.pass(1);
    expect((await crew.unread()).map(({ id }) => id)).toEqual([delayed, later]);
  });

  it('wakes whoever waits when its time has come, by a timer', async () => {
    await crew.t.dispose();
    crew = await ClockedCrew.open({ more: { now: Date.now, steadyNow: Date.now } });
    const waiting = crew.t.service.wait({ timeoutMs: 55_000, limit: 1 }, crew.ben, new AbortController().signal);
    const id = await crew.send({ delayMs: 50 });
    expect((await waiting).messages).toMatchObject([{ id, attempts: 1 }]);
  });

  it('is still delayed after a restart', async () => {
    const id = await crew.send({ delayMs: MINUTE_MS });
    const { clock } = crew;
    const { dir } = crew.t.test;
    await crew.t.close();
    crew = await ClockedCrew.open({ dir, clock });
    expect(await crew.take()).toEqual([]);
    await crew.pass(MINUTE_MS);
    expect(await crew.take()).toMatchObject([{ id }]);
  });

  it('is refused when it would expire or be late before its time', async () => {
    await expect(crew.send({ delayMs: 2_000, ttlMs: 2_000 })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      data: { field: 'ttlMs' },
    });
    await expect(crew.send({ delayMs: 2_000, replyWithinMs: 1_000 })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      data: { field: 'replyWithinMs' },
    });
    expect(await crew.t.service.counts({})).toMatchObject({ total: 0 });
  });
});

describe('a deadline for the reply', () => {
  it('that passes is told to whoever asked, once; a late reply still arrives', async () => {
    const request = await crew.send({ kind: 'request', subject: 'Which port?', replyWithinMs: MINUTE_MS });
    expect((await crew.t.service.get({ id: request })).message.replyBy).toBe(crew.clock.now + MINUTE_MS);
    await crew.pass(MINUTE_MS);
    const [told] = await crew.take({}, crew.ada);
    expect(told).toMatchObject({
      kind: 'event',
      from: { kind: 'system', id: 'core' },
      inReplyTo: request,
      threadId: request,
      data: { reason: 'timeout', messageId: request, recipients: ['ben'] },
    });
    expect(told?.body).toContain('Which port?');
    await crew.pass(10 * MINUTE_MS);
    const reply = await crew.send({ to: agentId('ada'), kind: 'reply', inReplyTo: request }, crew.ben);
    expect(await crew.take({}, crew.ada)).toMatchObject([{ id: reply }]);
  });

  it('says nothing of those who answered, whether they acknowledged or not', async () => {
    crew.t.addAgent('cleo');
    const to = [agentId('ben'), agentId('cleo')];
    const request = await crew.send({ to, kind: 'request', replyWithinMs: MINUTE_MS });
    await crew.t.service.markRead({ messageIds: [request] }, crew.caller('cleo'));
    await crew.send({ to: agentId('ada'), kind: 'reply', inReplyTo: request }, crew.ben);
    await crew.pass(MINUTE_MS);
    const told = (await crew.take({}, crew.ada)).filter(({ kind }) => kind === 'event');
    expect(told).toMatchObject([{ data: { reason: 'timeout', recipients: ['cleo'] } }]);
  });

  it('is for work only', async () => {
    await expect(crew.send({ kind: 'note', replyWithinMs: MINUTE_MS })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      data: { field: 'replyWithinMs' },
    });
  });

  it('of the operator is told to the operator', async () => {
    const request = await crew.send({ kind: 'task', replyWithinMs: MINUTE_MS }, OPERATOR_CALLER);
    await crew.pass(MINUTE_MS);
    expect(await crew.take({}, OPERATOR_CALLER)).toMatchObject([{ inReplyTo: request, data: { reason: 'timeout' } }]);
  });
});
