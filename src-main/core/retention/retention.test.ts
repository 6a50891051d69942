import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import type { MessageId } from '#shared/kernel/ids.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { RetentionPolicy } from '#shared/retention/model.ts';
import { KEEP_EVERYTHING } from '#shared/retention/model.ts';
import type { Caller } from '#core/caller.ts';
import { verifyJournal } from '#core/journal/verify.ts';
import { readHeadFile } from '#core/journal/head-file.ts';
import type { TestMessages } from '#core/messages/testing/open-messages.ts';
import { openMessages, OPERATOR_CALLER } from '#core/messages/testing/open-messages.ts';
import { Mirror } from '#core/sessions/mirror.ts';
import { RetentionService } from './retention-service.ts';
import { saveRun } from './retention-repository.ts';

const MINUTE = 60_000;

let t: TestMessages;
let ada: Caller;
let bob: Caller;
let clock: number;
let removed: number[];
let services: RetentionService[];

async function setUp(): Promise<void> {
  clock = 1_000_000;
  t = await openMessages({ now: () => clock });
  ada = t.addAgent('ada');
  bob = t.addAgent('bob');
  removed = [];
  services = [];
  mkdirSync(join(t.test.dir, 'sessions'));
}
beforeEach(setUp);
afterEach(async () => {
  for (const service of services) service.dispose();
  await t.dispose();
});

function open(): RetentionService {
  const service = new RetentionService({
    store: t.test.store,
    sessionsDir: join(t.test.dir, 'sessions'),
    isProject: (id) => id === t.projectId,
    onRemoving: (_tx, { seq }) => removed.push(seq),
    onCounts: (projectId, change) => t.service.adjustCounts(projectId, change),
    warn: (message) => {
      throw new Error(message);
    },
    now: () => clock,
  });
  services.push(service);
  return service;
}

async function mirror(): Promise<void> {
  const one = new Mirror({
    store: t.test.store,
    sessionsDir: join(t.test.dir, 'sessions'),
    projectFolder: () => undefined,
    warn: (message) => {
      throw new Error(message);
    },
  });
  await one.flush();
  one.dispose();
}

type Kind = 'note' | 'request' | 'reply';

async function say(
  body: string,
  options: { kind?: Kind; from?: Caller; to?: string; inReplyTo?: MessageId; isRead?: boolean } = {},
): Promise<MessageId> {
  const { kind = 'note', from = ada, to = 'bob', isRead = true } = options;
  const { messageId } = await t.service.send(
    {
      to: AgentId.parse(to),
      body,
      kind,
      priority: 'normal',
      ...(options.inReplyTo ? { inReplyTo: options.inReplyTo } : {}),
    },
    from,
  );
  if (isRead) await t.service.markRead({ messageIds: [messageId] }, to === 'bob' ? bob : ada);
  return messageId;
}

const bodies = async (): Promise<string[]> =>
  (await t.service.list({ limit: 500 })).messages.map(({ body }) => body).toReversed();
const policy = (limits: Partial<RetentionPolicy>): RetentionPolicy => ({ ...KEEP_EVERYTHING, ...limits });

/** Whether the audit trail is whole, and the counts are what the tables say. */
async function expectSound(): Promise<void> {
  const head = readHeadFile(join(t.test.dir, 'audit-head'), t.test.auditKey);
  const verified = await verifyJournal(t.test.auditKey, head, (after, limit) =>
    t.test.store.read('journal.raw', { after, limit }),
  );
  expect(verified.faults).toEqual([]);
  const { total, requests } = await t.service.counts({ projectId: t.projectId });
  expect({ total, requests }).toEqual(
    t.test.store.peek((db) =>
      db.prepare("SELECT count(*) AS total, coalesce(sum(kind = 'request'), 0) AS requests FROM messages").get(),
    ),
  );
}

describe('retention', { timeout: 90_000 }, () => {
  it('removes nothing unless somebody asked for it', async () => {
    const service = open();
    await say('old');
    await mirror();
    clock += 1_000 * 24 * 60 * MINUTE;
    await service.open();
    expect(service.get(t.projectId)).toEqual({ policy: KEEP_EVERYTHING, appliedAt: null });
    expect(await service.preview(t.projectId)).toMatchObject({ messages: 0 });
    await service.apply(t.projectId, OPERATOR_CALLER);
    expect(await bodies()).toEqual(['old']);
  });

  it('removes by age, by number and by size what a preview says, and the text from the audit trail, which stays whole', async () => {
    const service = open();
    for (const body of ['one', 'two', 'three', 'four', 'five']) {
      await say(body);
      clock += MINUTE;
    }
    await mirror();
    expect(await service.preview(t.projectId, policy({ maxAgeMs: 4 * MINUTE }))).toMatchObject({
      messages: 1,
      bytes: 3,
      sessions: 1,
      wholeSessions: 0,
      oldestAt: 1_000_000,
      newestAt: 1_000_000,
    });
    expect(await service.preview(t.projectId, policy({ maxBytes: 9 }))).toMatchObject({ messages: 3, bytes: 11 });
    await service.set(t.projectId, policy({ maxMessages: 2 }), OPERATOR_CALLER);
    const wanted = await service.preview(t.projectId);
    expect(wanted).toMatchObject({ messages: 3, bytes: 11, newestAt: 1_000_000 + 2 * MINUTE });
    expect(await service.apply(t.projectId, OPERATOR_CALLER)).toEqual(wanted);
    expect(await bodies()).toEqual(['four', 'five']);
    expect(removed).toEqual([1, 2, 3]);
    expect(service.get(t.projectId).appliedAt).toBe(clock);

    const { rows } = await t.test.store.read('journal.page', { kind: 'message.sent', limit: 9, after: 0 });
    expect(rows.map(({ data }) => data === null)).toEqual([true, true, true, false, false]);
    const { rows: told } = await t.test.store.read('journal.page', { kind: 'retention.applied', limit: 9 });
    expect(told.map(({ data }) => data)).toEqual([{ report: wanted, isCut: false, removedMirrors: [] }]);
    await expectSound();
  });

  it('keeps what is unread, its thread, requests without an answer, and what is not mirrored, and says why', async () => {
    const service = open();
    const root = await say('a thread');
    await say('its unread part', { inReplyTo: root, kind: 'reply', from: bob, to: 'ada', isRead: false });
    await say('open question', { kind: 'request' });
    const answered = await say('answered question', { kind: 'request' });
    await say('the answer', { kind: 'reply', from: bob, to: 'ada', inReplyTo: answered });
    await say('gone');
    await mirror();
    await say('not mirrored');
    await service.set(t.projectId, policy({ maxMessages: 0 }), OPERATOR_CALLER);
    const report = await service.apply(t.projectId, OPERATOR_CALLER);
    expect(report).toMatchObject({ messages: 3, kept: { unread: 1, 'unread-thread': 1, 'open-request': 1, 'not-mirrored': 1 } });
    expect(await bodies()).toEqual(['a thread', 'its unread part', 'open question', 'not mirrored']);
    await expectSound();
  });

  it('is applied by itself once a day, and not where it is not automatic', async () => {
    const service = open();
    await say('one');
    await say('two');
    await mirror();
    await service.set(t.projectId, policy({ maxMessages: 1, isAutomatic: false }), OPERATOR_CALLER);
    service.runDue();
    await service.set(t.projectId, policy({ maxMessages: 1 }), OPERATOR_CALLER);
    service.runDue();
    await expect.poll(() => service.get(t.projectId).appliedAt, { timeout: 30_000 }).toBe(clock);
    expect(await bodies()).toEqual(['two']);
    await say('three');
    await mirror();
    clock += 1;
    service.runDue();
    await service.preview(t.projectId);
    expect(await bodies()).toEqual(['two', 'three']);
    clock += 24 * 60 * MINUTE;
    service.runDue();
    await expect.poll(bodies, { timeout: 30_000 }).toEqual(['three']);
  });

  it('tells after a start of a run that was broken off', async () => {
    const report = await open().preview(t.projectId, policy({ maxMessages: 1 }));
    await t.test.store.write((tx) => saveRun(tx, { ...report, messages: 7 }));
    await open().open();
    await open().open();
    const { rows } = await t.test.store.read('journal.page', { kind: 'retention.applied', limit: 9 });
    expect(rows.map(({ data }) => data)).toMatchObject([{ isCut: true, report: { messages: 7 } }]);
  });

  it('removes mirror files only of whole sessions that are over, and only where that was asked for', async () => {
    const service = open();
    await say('one');
    await mirror();
    const folder = join(t.test.dir, 'sessions', '1970-01-01T00-00-00-000Z');
    await service.set(t.projectId, policy({ maxMessages: 0, removesMirrors: true }), OPERATOR_CALLER);
    await service.apply(t.projectId, OPERATOR_CALLER);
    expect(existsSync(folder)).toBe(true);
    await say('two');
    await mirror();
    await t.test.store.write((tx) => tx.prepare('UPDATE sessions SET ended_at = 5').run());
    await service.set(t.projectId, policy({ maxMessages: 0 }), OPERATOR_CALLER);
    expect(await service.preview(t.projectId)).toMatchObject({ messages: 1, wholeSessions: 1 });
    await service.set(t.projectId, policy({ maxMessages: 0, removesMirrors: true }), OPERATOR_CALLER);
    await service.apply(t.projectId, OPERATOR_CALLER);
    expect(existsSync(folder)).toBe(false);
  });

  it('is not there for a project that is not known', async () => {
    const other = await t.addProject();
    expect(() => open().get(other)).toThrow('There is no project');
  });

  it('does what a simple model does, whatever was said and read', async () => {
    let runs = 0;
    const spoken = fc.record({
      kind: fc.constantFrom('note' as const, 'request' as const),
      isRead: fc.boolean(),
      answers: fc.option(fc.nat(20), { nil: undefined }),
      length: fc.integer({ min: 1, max: 40 }),
      later: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(spoken, { minLength: 1, maxLength: 20 }),
        fc.record({
          maxAgeMs: fc.option(fc.integer({ min: 1, max: 20 }).map((n) => n * MINUTE)),
          maxMessages: fc.option(fc.nat(20)),
          maxBytes: fc.option(fc.nat(300)),
        }),
        withinTime(async (said, limits) => {
          runs += 1;
          await t.dispose();
          await setUp();
          const model: {
            id: MessageId;
            at: number;
            bytes: number;
            thread: MessageId;
            isRead: boolean;
            kind: Kind;
            answers: MessageId | undefined;
            to: string;
          }[] = [];
          for (const one of said) {
            clock += one.later * MINUTE;
            const asked = one.answers === undefined ? undefined : model[one.answers];
            const to = asked?.to === 'bob' ? 'ada' : 'bob';
            const kind: Kind = asked ? 'reply' : one.kind;
            const body = 'x'.repeat(one.length);
            const id = await say(body, {
              kind,
              isRead: one.isRead,
              from: to === 'bob' ? ada : bob,
              to,
              ...(asked ? { inReplyTo: asked.id } : {}),
            });
            model.push({
              id,
              at: clock,
              bytes: one.length,
              thread: asked?.thread ?? id,
              isRead: one.isRead,
              kind,
              answers: asked?.id,
              to,
            });
          }
          await mirror();
          const service = open();
          await service.set(t.projectId, policy(limits), OPERATOR_CALLER);
          let passed = 0;
          let bytes = 0;
          const going = model.toReversed().filter((m) => {
            passed += 1;
            bytes += m.bytes;
            const isReached =
              (limits.maxAgeMs !== null && m.at < clock - limits.maxAgeMs) ||
              (limits.maxMessages !== null && passed > limits.maxMessages) ||
              (limits.maxBytes !== null && bytes > limits.maxBytes);
            const isUnread = model.some((other) => other.thread === m.thread && !other.isRead);
            const isOpen = m.kind === 'request' && !model.some((other) => other.answers === m.id);
            return isReached && !isUnread && !isOpen;
          });
          const preview = await service.preview(t.projectId);
          expect(preview).toMatchObject({ messages: going.length, bytes: going.reduce((sum, m) => sum + m.bytes, 0) });
          const gone = new Set(going.map(({ id }) => id));
          const applied = await service.apply(t.projectId, OPERATOR_CALLER);
          const left = (await t.service.list({ limit: 500 })).messages.map(({ id }) => id).toReversed();
          const stays = model.filter(({ id }) => !gone.has(id)).map(({ id }) => id);
          expect(left).toEqual(stays);
          expect(applied).toEqual(preview);
          await expectSound();
        }, 6_000),
      ),
      { numRuns: effort.propertyRuns },
    );
    expect(runs).toBeGreaterThan(0);
  });
});
