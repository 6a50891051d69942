import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_LEASE_MS, deliveryStepOf, MAX_ATTEMPTS } from '#shared/messages/model.ts';
import { ClockedCrew, MINUTE_MS } from './testing/clocked-crew.ts';
import { OPERATOR_CALLER } from './testing/open-messages.ts';
import type { InboxActivity } from './inboxes.ts';

let crew: ClockedCrew;

beforeEach(async () => {
  crew = await ClockedCrew.open();
});

afterEach(async () => {
  expect(crew.t.service.waiting, 'every waiter is gone').toBe(0);
  await crew.t.dispose();
});

describe('a lease', () => {
  it('keeps a message for whom it was handed to, ten minutes unless stated', async () => {
    const id = await crew.send();
    const [taken] = await crew.take();
    expect(taken).toMatchObject({ id, state: 'delivered', attempts: 1, leasedUntil: crew.clock.now + DEFAULT_LEASE_MS });
    expect(await crew.take()).toEqual([]);
    await crew.send();
    expect(await crew.take({ leaseMs: 5_000 })).toMatchObject([{ leasedUntil: crew.clock.now + 5_000 }]);
    const copy = await crew.copy(id);
    expect(copy).toMatchObject({ state: 'delivered', attempts: 1, leasedUntil: crew.clock.now + DEFAULT_LEASE_MS });
    expect(deliveryStepOf(copy, crew.clock.now)).toBe('leased');
  });

  it('is begun by reading the inbox, too, and not begun anew by reading it again', async () => {
    await crew.send();
    const leasedUntil = crew.clock.now + DEFAULT_LEASE_MS;
    expect(await crew.unread()).toMatchObject([{ state: 'delivered', attempts: 1, leasedUntil }]);
    await crew.pass(MINUTE_MS);
    expect(await crew.unread()).toMatchObject([{ state: 'delivered', attempts: 1, leasedUntil }]);
  });

  it('that ends gives the message back, held back for a while that doubles', async () => {
    const id = await crew.send();
    for (const [attempt, backoffMs] of [1_000, 2_000, 4_000, 8_000].entries()) {
      expect(await crew.take()).toMatchObject([{ id, attempts: attempt + 1 }]);
      await crew.pass(DEFAULT_LEASE_MS - 1);
      expect(await crew.take()).toEqual([]);
      expect(crew.t.service.heldBy('ben')).toBe(1);
      await crew.pass(1);
      expect(await crew.copy(id)).toMatchObject({ state: 'queued', deliveredAt: null, availableAt: crew.clock.now + backoffMs });
      expect([crew.t.service.heldBy('ben'), crew.t.service.unreadOf('ben'), await crew.take()]).toEqual([0, 0, []]);
      await crew.pass(backoffMs - 1);
      expect(await crew.take()).toEqual([]);
      await crew.pass(1);
    }
    expect(await crew.take()).toMatchObject([{ id, attempts: 5 }]);
  });

  it('that ends wakes whoever waits, once the message is held back no longer', async () => {
    const id = await crew.send();
    await crew.take();
    const waiting = crew.t.service.wait({ timeoutMs: 55_000, limit: 1 }, crew.ben, new AbortController().signal);
    await crew.pass(DEFAULT_LEASE_MS);
    expect(crew.t.service.waiting).toBe(1);
    await crew.pass(1_000);
    expect((await waiting).messages).toMatchObject([{ id, attempts: 2 }]);
  });

  it('that ends tells what its waiting holder is at', async () => {
    const told: InboxActivity[] = [];
    await crew.send();
    await crew.take();
    const gone = new AbortController();
    const waiting = crew.t.service.wait({ timeoutMs: 55_000, limit: 1 }, crew.ben, gone.signal);
    crew.t.service.onActivity((activity) => told.push(activity));
    await crew.pass(DEFAULT_LEASE_MS);
    expect(told).toEqual([{ recipient: 'ben', kind: 'waiting', held: 0 }]);
    gone.abort();
    await waiting;
  });

  it('that ended does not keep its message from being acknowledged late', async () => {
    const id = await crew.send();
    await crew.take();
    await crew.pass(DEFAULT_LEASE_MS);
    expect(await crew.t.service.markRead({ messageIds: [id] }, crew.ben)).toEqual({ marked: 1 });
    await crew.pass(MINUTE_MS);
    expect(await crew.take()).toEqual([]);
    expect(await crew.t.service.counts({})).toMatchObject({ queues: [], dead: 0 });
  });

  it('is as it stood after a restart', async () => {
    const [first, second] = [await crew.send(), await crew.send()];
    expect(await crew.take({ limit: 1 })).toMatchObject([{ id: first }]);
    const { clock } = crew;
    const { dir } = crew.t.test;
    await crew.t.close();
    clock.now += MINUTE_MS;
    crew = await ClockedCrew.open({ dir, clock });
    expect(crew.t.service.heldBy('ben')).toBe(1);
    expect(await crew.take()).toMatchObject([{ id: second }]);
    await crew.pass(DEFAULT_LEASE_MS - MINUTE_MS);
    await crew.pass(1_000);
    expect(await crew.take()).toMatchObject([{ id: first, attempts: 2 }]);
  });

  it('that ended while nobody ran has ended at the next start', async () => {
    const id = await crew.send();
    await crew.take();
    const { clock } = crew;
    const { dir } = crew.t.test;
    await crew.t.close();
    clock.now += DEFAULT_LEASE_MS;
    crew = await ClockedCrew.open({ dir, clock });
    await crew.pass(0);
    await crew.pass(1_000);
    expect(await crew.take()).toMatchObject([{ id, attempts: 2 }]);
  });

  it('is none in the inbox of the operator, who reads in no hurry', async () => {
    const id = await crew.send({ to: 'operator' });
    expect(await crew.take({}, OPERATOR_CALLER)).toMatchObject([{ id, leasedUntil: null, attempts: 1 }]);
    await crew.pass(100 * DEFAULT_LEASE_MS);
    const copy = await crew.copy(id, 'operator');
    expect([copy.state, deliveryStepOf(copy, crew.clock.now)]).toEqual(['delivered', 'delivered']);
  });

  it('ends with the message when that expires first', async () => {
    const id = await crew.send({ ttlMs: MINUTE_MS });
    await crew.take();
    await crew.pass(MINUTE_MS);
    const copy = await crew.copy(id);
    expect(copy).toMatchObject({ state: 'dead', deadReason: 'expired', leasedUntil: null });
    expect(deliveryStepOf(copy, crew.clock.now)).toBe('expired');
    await crew.pass(DEFAULT_LEASE_MS);
    expect(await crew.take()).toEqual([]);
  });
});

describe('a message nobody acknowledges', () => {
  it(`is a dead letter after ${MAX_ATTEMPTS} times`, async () => {
    const id = await crew.send();
    const before = crew.t.test.journal.seq;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      expect(await crew.take({ leaseMs: 1_000 })).toMatchObject([{ attempts: attempt }]);
      await crew.pass(1_000);
      await crew.pass(10 * MINUTE_MS);
    }
    expect(await crew.take()).toEqual([]);
    expect(await crew.copy(id)).toMatchObject({ state: 'dead', deadReason: 'attempts', attempts: MAX_ATTEMPTS });
    expect(crew.events(before, 'message.dead')).toMatchObject([
      { subject: id, data: { recipients: ['ben'], reason: 'attempts' } },
    ]);
    expect(await crew.t.service.counts({})).toMatchObject({ dead: 1, queues: [] });
  });
});

describe('extend_lease', () => {
  it('keeps what is held for longer, and says what is not held', async () => {
    const [held, queued, read] = [await crew.send(), await crew.send({ priority: 'low' }), await crew.send({ priority: 'high' })];
    await crew.take({ limit: 2 });
    await crew.t.service.markRead({ messageIds: [read] }, crew.ben);
    await crew.pass(DEFAULT_LEASE_MS - 1);
    const answer = await crew.t.service.extend({ messageIds: [held, queued, read], leaseMs: 2 * MINUTE_MS }, crew.ben);
    expect(answer).toEqual({ extended: 1, leasedUntil: crew.clock.now + 2 * MINUTE_MS, notHeld: [queued, read] });
    await crew.pass(2 * MINUTE_MS - 1);
    expect(await crew.copy(held)).toMatchObject({ state: 'delivered' });
    await crew.pass(1);
    expect(await crew.copy(held)).toMatchObject({ state: 'queued', attempts: 1 });
  });

  it('may shorten, too', async () => {
    const id = await crew.send();
    await crew.take({ leaseMs: 60 * MINUTE_MS });
    await crew.t.service.extend({ messageIds: [id], leaseMs: 1_000 }, crew.ben);
    await crew.pass(1_000);
    expect(await crew.copy(id)).toMatchObject({ state: 'queued' });
  });

  it('refuses what is not in the inbox, and extends nothing then', async () => {
    const id = await crew.send();
    const other = await crew.send({ to: 'operator' });
    await crew.take();
    await crew.pass(MINUTE_MS);
    const call = crew.t.service.extend({ messageIds: [id, other], leaseMs: DEFAULT_LEASE_MS }, crew.ben);
    await expect(call).rejects.toMatchObject({ code: 'NOT_FOUND', data: { messageIds: [other] } });
    expect(await crew.copy(id)).toMatchObject({ leasedUntil: crew.clock.now - MINUTE_MS + DEFAULT_LEASE_MS });
  });
});

describe('release_messages', () => {
  it('gives back at once, in the old place', async () => {
    const [first, second] = [await crew.send(), await crew.send()];
    await crew.take({ limit: 1 });
    expect(await crew.t.service.release({ messageIds: [first], delayMs: 0 }, crew.ben)).toEqual({ released: 1, notHeld: [] });
    expect(await crew.take()).toMatchObject([
      { id: first, attempts: 2 },
      { id: second, attempts: 1 },
    ]);
  });

  it('gives back after a delay', async () => {
    const id = await crew.send();
    await crew.take();
    await crew.t.service.release({ messageIds: [id], delayMs: MINUTE_MS }, crew.ben);
    expect(await crew.t.service.counts({})).toMatchObject({ queues: [{ queued: 0, delayed: 1, unread: 0 }] });
    await crew.pass(MINUTE_MS - 1);
    expect(await crew.take()).toEqual([]);
    await crew.pass(1);
    expect(await crew.take()).toMatchObject([{ id }]);
  });

  it('gives back nothing that is not held, and counts as an attempt', async () => {
    const id = await crew.send();
    expect(await crew.t.service.release({ messageIds: [id], delayMs: 0 }, crew.ben)).toEqual({ released: 0, notHeld: [id] });
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      expect(await crew.take()).toMatchObject([{ attempts: attempt }]);
      await crew.t.service.release({ messageIds: [id], delayMs: 0 }, crew.ben);
    }
    expect(await crew.copy(id)).toMatchObject({ state: 'dead', deadReason: 'attempts' });
  });
});
