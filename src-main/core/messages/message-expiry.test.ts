import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import type { InboxActivity } from './inboxes.ts';
import type { SendInput } from './message-draft.ts';
import type { SendResult } from './messages-service.ts';
import { steadyClock } from './steady-clock.ts';
import type { TestMessages } from './testing/open-messages.ts';
import { agentCaller, openMessages, OPERATOR_CALLER } from './testing/open-messages.ts';

const CHILD = fileURLToPath(new URL('./testing/expiry-child.ts', import.meta.url));
const MINUTE_MS = 60_000;
const BEN = AgentId.parse('ben');

let clock: { now: number };
let t: TestMessages;
let ada: Caller;
let ben: Caller;

async function openAt(dir?: string): Promise<void> {
  t = await openMessages({ now: () => clock.now, ...(dir === undefined ? {} : { dir }) });
  ada = t.addAgent('ada');
  ben = t.addAgent('ben');
}

beforeEach(async () => {
  clock = { now: 1_800_000_000_000 };
  await openAt();
});

afterEach(async () => {
  expect(t.service.waiting, 'every waiter is gone').toBe(0);
  await t.dispose();
});

function send(more: Partial<SendInput> = {}): Promise<SendResult> {
  return t.service.send({ to: BEN, body: 'text', kind: 'note', priority: 'normal', ttlMs: MINUTE_MS, ...more }, ada);
}

async function idsOf(caller: Caller, unreadOnly = true): Promise<string[]> {
  return (await t.service.inbox({ unreadOnly, limit: 200 }, caller)).messages.map(({ id }) => id);
}

function take(timeoutMs = 0): Promise<{ messages: { id: string }[]; unread: number }> {
  return t.service.wait({ timeoutMs, limit: 10 }, ben, new AbortController().signal);
}

/** Resolves when the condition holds; the test's own limit is the deadline. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

function deaths(after: number) {
  return t.test.journal.recentAfter(after, 100)?.filter((event) => event.kind === 'message.dead') ?? [];
}

describe('a message that expires', () => {
  it('says when, and waits for ever without a ttl', async () => {
    const mortal = await send();
    const lasting = await t.service.send({ to: BEN, body: 'x', kind: 'note', priority: 'normal' }, ada);
    expect((await t.service.get({ id: mortal.messageId })).message.expiresAt).toBe(clock.now + MINUTE_MS);
    expect((await t.service.get({ id: lasting.messageId })).message.expiresAt).toBeNull();
    clock.now += 100 * 365 * 24 * 60 * MINUTE_MS;
    await t.service.settle();
    expect(await idsOf(ben)).toEqual([lasting.messageId]);
  });

  it('dies with every copy that is not acknowledged, in one event that names their recipients', async () => {
    t.addAgent('cleo');
    const before = t.test.journal.seq;
    const { messageId } = await send({ to: [BEN, AgentId.parse('cleo'), 'operator'], kind: 'task' });
    await t.service.markRead({ messageIds: [messageId] }, agentCaller('cleo'));
    await take();
    expect([t.service.unreadOf('ben'), t.service.heldBy('ben'), t.service.unreadOf('operator')]).toEqual([1, 1, 1]);
    clock.now += MINUTE_MS;
    await t.service.settle();
    expect([t.service.unreadOf('ben'), t.service.heldBy('ben'), t.service.unreadOf('operator')]).toEqual([0, 0, 0]);
    const dead = { deadAt: clock.now, deadReason: 'expired' };
    expect((await t.service.get({ id: messageId })).deliveries).toMatchObject([
      { recipient: 'ben', state: 'dead', deliveredAt: clock.now - MINUTE_MS, ...dead },
      { recipient: 'cleo', state: 'read', deadAt: null, deadReason: null },
      { recipient: 'operator', state: 'dead', deliveredAt: null, ...dead },
    ]);
    await t.service.settle();
    expect(deaths(before)).toMatchObject([
      {
        subject: messageId,
        projectId: t.projectId,
        actor: { kind: 'system', id: 'core' },
        data: { recipients: ['ben', 'operator'], reason: 'expired', deadAt: clock.now },
      },
    ]);
    expect(await t.service.counts({})).toEqual({ total: 1, forOperator: 0, requests: 0, dead: 1, queues: [] });
  });

  it('lives until its last millisecond', async () => {
    const { messageId } = await send();
    clock.now += MINUTE_MS - 1;
    await t.service.settle();
    expect((await take()).messages).toMatchObject([{ id: messageId }]);
    expect(await t.service.markRead({ messageIds: [messageId] }, ben)).toEqual({ marked: 1 });
    clock.now += MINUTE_MS;
    await t.service.settle();
    expect((await t.service.get({ id: messageId })).deliveries).toMatchObject([{ state: 'read', deadAt: null }]);
    expect(await idsOf(ben, false)).toEqual([messageId]);
  });

  it('is out of reach from then on, also before its row says so', async () => {
    const taken = await send({ subject: 'taken', kind: 'task' });
    await take();
    const queued = await send();
    const lasting = await t.service.send({ to: BEN, body: 'x', kind: 'note', priority: 'low' }, ada);
    clock.now += MINUTE_MS;
    // Nobody has let it die yet: the timer goes by the real clock, and that has hardly moved.
    expect(await idsOf(OPERATOR_CALLER)).toEqual([]);
    const seen = await t.service.inbox({ unreadOnly: false, limit: 10, agentId: BEN }, OPERATOR_CALLER);
    expect(seen.messages.map(({ id }) => id)).toEqual([lasting.messageId]);
    expect((await take()).messages).toMatchObject([{ id: lasting.messageId }]);
    expect(await idsOf(ben)).toEqual([lasting.messageId]);
    const both = [taken.messageId, queued.messageId];
    expect(await t.service.markRead({ messageIds: both }, ben)).toEqual({ marked: 0 });
    await t.service.settle();
    expect(await t.service.markRead({ messageIds: both }, ben)).toEqual({ marked: 0 });
    expect((await t.service.list({ limit: 10, state: 'dead' })).messages.map(({ id }) => id)).toEqual(both.toReversed());
    expect([t.service.unreadOf('ben'), t.service.heldBy('ben')]).toEqual([1, 0]);
    expect(await idsOf(ben, false)).toEqual([lasting.messageId]);
    // A page that was shown can be gone on from, whatever died meanwhile.
    const next = await t.service.inbox({ unreadOnly: false, limit: 10, after: taken.messageId }, ben);
    expect(next.messages.map(({ id }) => id)).toEqual([lasting.messageId]);
  });

  it('never reaches a waiter, and tells what a waiter holds then', async () => {
    await send({ kind: 'task' });
    await take();
    const seen: InboxActivity[] = [];
    const listening = t.service.onActivity((activity) => seen.push(activity));
    const waiting = take(55_000);
    await until(() => seen.length === 1);
    clock.now += MINUTE_MS;
    await t.service.settle();
    expect(seen).toEqual([
      { recipient: 'ben', kind: 'waiting', held: 1 },
      { recipient: 'ben', kind: 'waiting', held: 0 },
    ]);
    const { messageId } = await send();
    expect((await waiting).messages.map(({ id }) => id)).toEqual([messageId]);
    listening.dispose();
  });

  it('tells windows where its copies stand', async () => {
    const states: string[] = [];
    const listening = t.service.onDeliveries((changes) => states.push(...changes.map(({ state }) => state)));
    await send();
    clock.now += MINUTE_MS;
    await t.service.settle();
    await until(() => states.at(-1) === 'dead');
    expect(states.every((state) => state === 'queued' || state === 'dead')).toBe(true);
    listening.dispose();
  });

  it('belongs to what an idempotency key stands for', async () => {
    const first = await send({ idempotencyKey: 'k' });
    clock.now += 2 * MINUTE_MS;
    await t.service.settle();
    expect(await send({ idempotencyKey: 'k' })).toEqual({ ...first, isDuplicate: true });
    await expect(send({ idempotencyKey: 'k', ttlMs: 2 * MINUTE_MS })).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('dies in batches when there are many, each once', async () => {
    const before = t.test.journal.seq;
    const sent = await Promise.all(Array.from({ length: 450 }, (_, n) => send({ ttlMs: MINUTE_MS - (n % 7) })));
    const commits = t.test.store.stats().commits;
    clock.now += MINUTE_MS;
    await t.service.settle();
    expect(t.test.store.stats().commits - commits).toBeGreaterThan(1);
    expect(t.service.unreadOf('ben')).toBe(0);
    expect((await t.service.counts({})).dead).toBe(450);
    const died = t.test.journal
      .recentAfter(before, 2_000)
      ?.flatMap((event) => (event.kind === 'message.dead' ? [event.subject] : []));
    expect(died?.toSorted()).toEqual(sent.map(({ messageId }) => messageId).sort());
  });
});

describe('time', () => {
  it('passes while nobody runs: what expired after a kill dies at the next start', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'qd-expiry-'));
    const child = spawn(process.execPath, [CHILD, dir, String(clock.now)], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'close');
    await t.dispose();
    clock.now += MINUTE_MS;
    await openAt(dir);
    try {
      expect(t.service.unreadOf('ben')).toBe(3);
      // By itself: nobody asks for it.
      await until(() => t.service.unreadOf('ben') === 1);
      expect((await take()).messages).toMatchObject([{ body: 'lasting' }]);
      expect(await t.service.counts({})).toMatchObject({ total: 3, dead: 2 });
      await t.close();
      await openAt(dir);
      expect(t.service.unreadOf('ben')).toBe(1);
      expect(await t.service.counts({})).toMatchObject({ total: 3, dead: 2 });
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('is waited for by a timer to the next expiry, whichever message was sent first', async () => {
    await t.dispose();
    t = await openMessages();
    ada = t.addAgent('ada');
    t.addAgent('ben');
    const late = await send();
    // Shorter than what the contract lets callers state, so that the test is short.
    const soon = await send({ ttlMs: 5 });
    const sooner = await send({ ttlMs: 1 });
    await until(() => t.service.unreadOf('ben') === 1);
    const { messages } = await t.service.list({ limit: 10, state: 'dead' });
    expect(messages.map(({ id }) => id)).toEqual([sooner.messageId, soon.messageId]);
    expect((await t.service.list({ limit: 10, state: 'unsettled' })).messages.map(({ id }) => id)).toEqual([late.messageId]);
  });

  it('may be set: a message lives as long as it was to, no longer and no shorter', async () => {
    await t.dispose();
    let uptime = 5_000;
    const steadyNow = steadyClock(
      () => clock.now,
      () => uptime,
    );
    t = await openMessages({ now: () => clock.now, steadyNow });
    ada = t.addAgent('ada');
    ben = t.addAgent('ben');
    const first = await send();
    clock.now += 60 * MINUTE_MS;
    const second = await send({ ttlMs: 2 * MINUTE_MS });
    clock.now -= 120 * MINUTE_MS;
    await t.service.settle();
    expect(await idsOf(ben)).toEqual([first.messageId, second.messageId]);
    uptime += MINUTE_MS;
    await t.service.settle();
    expect(await idsOf(ben)).toEqual([second.messageId]);
    uptime += MINUTE_MS;
    await t.service.settle();
    expect(await idsOf(ben)).toEqual([]);
  });
});
