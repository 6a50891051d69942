import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JournalEvent } from '#shared/journal/model.ts';
import { AgentId, mintId, ProjectId } from '#shared/kernel/ids.ts';
import { MAX_SUBSCRIPTIONS } from '#shared/topics/model.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import { OPERATOR_CALLER, tokenCaller } from '#core/messages/testing/open-messages.ts';
import type { TestTopics } from './testing/open-topics.ts';
import { openTopics } from './testing/open-topics.ts';

let t: TestTopics;
let ada: Caller;
let ben: Caller;
let events: JournalEvent[];

beforeEach(async () => {
  t = await openTopics();
  ada = t.addAgent('ada', { boundary: 'container' });
  ben = t.addAgent('ben');
  events = [];
  t.test.journal.onCommitted((batch) => events.push(...batch.filter(({ kind }) => kind.startsWith('topic.'))));
});
afterEach(() => t.dispose());

const BEN = AgentId.parse('ben');

function publish(topic: string, caller: Caller = OPERATOR_CALLER, kind: 'event' | 'task' = 'event') {
  return t.service.send({ to: `topic:${topic}`, body: `about ${topic}`, kind, priority: 'normal' }, caller);
}

function remove(id: string): void {
  const agent = t.agents.get(id);
  if (agent) t.agents.set(id, { ...agent, isRemoved: true });
}

function list(input: Partial<Parameters<typeof t.topics.list>[0]> = {}, caller: Caller = OPERATOR_CALLER) {
  return t.topics.list({ limit: 100, ...input }, caller);
}

describe('subscribing', () => {
  it('is once, says what stands, and is written down when it changes something', async () => {
    const first = await t.topics.subscribe({ patterns: ['tasks.#', 'health.*', 'tasks.#'] }, ada);
    expect(first).toEqual({
      projectId: t.projectId,
      subscriber: 'ada',
      patterns: ['health.*', 'tasks.#'],
      changed: ['tasks.#', 'health.*'],
    });
    expect((await t.topics.subscribe({ patterns: ['health.*'] }, ada)).changed).toEqual([]);
    expect(events).toMatchObject([
      {
        kind: 'topic.subscribed',
        subject: 'ada',
        actor: { kind: 'agent', id: 'ada' },
        data: { patterns: ['tasks.#', 'health.*'] },
      },
    ]);
  });

  it('brings what is published from then on, and one copy whatever the number of patterns', async () => {
    await publish('health.db');
    await t.topics.subscribe({ patterns: ['health.*', '#'] }, ada);
    await t.topics.subscribe({ patterns: ['*.db'] }, OPERATOR_CALLER);
    expect((await publish('health.db', ben)).recipients).toEqual(['ada', 'operator']);
    expect((await publish('health.db')).recipients).toEqual(['ada']);
    const { messages } = await t.service.inbox({ unreadOnly: true, limit: 10 }, ada);
    expect(messages.map(({ topic, from }) => [topic, from.id])).toEqual([
      ['health.db', 'ben'],
      ['health.db', 'operator'],
    ]);
  });

  it('ends by pattern, or altogether; what is not there changes nothing', async () => {
    await t.topics.subscribe({ patterns: ['a', 'b', 'c.*'] }, ada);
    expect(await t.topics.unsubscribe({ patterns: ['b', 'x'] }, ada)).toMatchObject({ patterns: ['a', 'c.*'], changed: ['b'] });
    expect((await publish('b')).recipients).toEqual([]);
    expect((await t.topics.unsubscribe({}, ada)).patterns).toEqual([]);
    expect((await t.topics.unsubscribe({}, ada)).changed).toEqual([]);
    expect(events.map(({ kind, data }) => [kind, data])).toEqual([
      ['topic.subscribed', { patterns: ['a', 'b', 'c.*'] }],
      ['topic.unsubscribed', { patterns: ['b'] }],
      ['topic.unsubscribed', { patterns: ['a', 'c.*'] }],
    ]);
  });

  it('is limited, with everything as before when it would be too much', async () => {
    const patterns = Array.from({ length: MAX_SUBSCRIPTIONS }, (_, i) => `t.n${i}`);
    for (let i = 0; i < MAX_SUBSCRIPTIONS; i += 50) await t.topics.subscribe({ patterns: patterns.slice(i, i + 50) }, ada);
    await expect(t.topics.subscribe({ patterns: ['t.n0', 'more'] }, ada)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: expect.stringMatching(
        /200 subscriptions, and 1 more.*Nothing was changed.*unsubscribe_topics.*"health\.\*"/,
      ) as string,
    });
    expect((await publish('more')).recipients).toEqual([]);
    // Those of others are not counted with them.
    expect((await t.topics.subscribe({ patterns: ['more'] }, ben)).changed).toEqual(['more']);
  });

  it('counts what was stored in the same turn', async () => {
    const many = (from: number): string[] => Array.from({ length: 50 }, (_, i) => `t.n${from + i}`);
    const outcomes = await Promise.allSettled(
      [0, 50, 100, 150, 200].map((from) => t.topics.subscribe({ patterns: many(from) }, ada)),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'fulfilled', 'rejected']);
  });
});

describe('whose subscriptions', () => {
  it('is the caller, by its token; the management may name an agent', async () => {
    expect(await t.topics.subscribe({ patterns: ['x'], agentId: BEN }, OPERATOR_CALLER)).toMatchObject({ subscriber: 'ben' });
    expect(await t.topics.subscribe({ patterns: ['y'], agentId: BEN }, tokenCaller('ci'))).toMatchObject({
      patterns: ['x', 'y'],
    });
    expect(await t.topics.subscribe({ patterns: ['x'] }, tokenCaller('boss', 'operator'))).toMatchObject({
      subscriber: 'operator',
    });
    expect(events.map(({ subject, actor }) => [subject, actor.id])).toEqual([
      ['ben', 'operator'],
      ['ben', 'ci'],
      ['operator', 'boss'],
    ]);
  });

  it('is refused for somebody else, somebody without an inbox, and somebody who is not there', async () => {
    const elsewhere = await t.addProject();
    remove('ben');
    const refused = async (input: { agentId?: AgentId; projectId?: ProjectId }, caller: Caller): Promise<unknown> =>
      t.topics.subscribe({ patterns: ['x'], ...input }, caller).then(
        () => undefined,
        (error: { code: string }) => error.code,
      );
    const outcomes = await Promise.all(
      [
        [{ agentId: BEN }, ada],
        [{}, tokenCaller('ci')],
        [{ agentId: BEN }, OPERATOR_CALLER],
        [{ agentId: AgentId.parse('nobody') }, OPERATOR_CALLER],
        [{ projectId: elsewhere }, ada],
        [{ projectId: ProjectId.parse(mintId('prj')) }, OPERATOR_CALLER],
      ].map(([input, caller]) => refused(input as object, caller as Caller)),
    );
    expect(outcomes).toEqual(['FORBIDDEN', 'FORBIDDEN', 'NOT_FOUND', 'NOT_FOUND', 'BAD_REQUEST', 'NOT_FOUND']);
    expect(events).toEqual([]);
  });

  it('is kept apart by project', async () => {
    const elsewhere = await t.addProject();
    t.addAgent('far', { projectId: elsewhere });
    await t.topics.subscribe({ patterns: ['#'], agentId: AgentId.parse('far') }, OPERATOR_CALLER);
    await t.topics.subscribe({ patterns: ['#'], projectId: elsewhere }, OPERATOR_CALLER);
    expect((await publish('x', ada)).recipients).toEqual([]);
    const there = { to: 'topic:x' as const, projectId: elsewhere, body: 'x', kind: 'note' as const, priority: 'normal' as const };
    expect((await t.service.send(there, tokenCaller('ci'))).recipients).toEqual(['far', 'operator']);
  });
});

it('gives a removed agent nothing, and ends its subscriptions, also those that an end of the core left', async () => {
  await t.topics.subscribe({ patterns: ['#'] }, ada);
  await t.topics.subscribe({ patterns: ['#'] }, ben);
  remove('ada');
  expect((await publish('x')).recipients).toEqual(['ben']);
  expect((await list()).subscriptions.map(({ subscriber }) => subscriber)).toEqual(['ben']);
  await t.topics.forgetRemoved('ada');
  await t.topics.forgetRemoved('ben');
  expect(events.at(-1)).toMatchObject({ kind: 'topic.unsubscribed', subject: 'ada', actor: { kind: 'system' } });
  remove('ben');
  const { dir } = t.test;
  await t.close();
  t = await openTopics({ dir, agents: t.agents });
  await t.topics.forgetRemoved();
  const rows = t.test.store.peek((db) => db.prepare('SELECT count(*) AS n FROM topic_subscriptions').get());
  expect(rows).toEqual({ n: 0 });
});

it('refuses work for a subscriber in a weaker boundary, whole, as if it had been named', async () => {
  await t.topics.subscribe({ patterns: ['build.#'] }, ben);
  t.addAgent('cleo', { boundary: 'container' });
  await t.topics.subscribe({ patterns: ['build.#'], agentId: AgentId.parse('cleo') }, OPERATOR_CALLER);
  await expect(publish('build.web', ada, 'task')).rejects.toMatchObject({ code: 'FORBIDDEN', data: { recipients: ['ben'] } });
  expect((await list()).topics).toEqual([]);
  expect((await publish('build.web', ada, 'event')).recipients).toEqual(['ben', 'cleo']);
});

describe('listing', () => {
  it('tells of each topic how many, the last, and who would get the next', async () => {
    await t.topics.subscribe({ patterns: ['health.*'] }, ada);
    await t.topics.subscribe({ patterns: ['#.db'] }, OPERATOR_CALLER);
    await publish('health.web');
    await publish('health.db');
    const { messageId } = await publish('health.db', ben);
    await t.service.send({ to: AgentId.parse('ada'), body: 'no topic', kind: 'note', priority: 'normal' }, ben);
    const page = await list({}, ada);
    expect(page.topics).toMatchObject([
      {
        name: 'health.db',
        messages: 2,
        last: { id: messageId, from: 'ben', kind: 'event', subject: null, excerpt: 'about health.db' },
        subscribers: ['ada', 'operator'],
      },
      { name: 'health.web', messages: 1, subscribers: ['ada'] },
    ]);
    expect(page.topics.every(({ firstAt, lastAt }) => firstAt <= lastAt)).toBe(true);
    expect(page.subscriptions.map(({ subscriber, pattern }) => [subscriber, pattern])).toEqual([
      ['ada', 'health.*'],
      ['operator', '#.db'],
    ]);
    expect(page).toMatchObject({ next: null, subscriptionCount: 2 });
  });

  it('filters by pattern and by subscriber, and pages by name', async () => {
    await t.topics.subscribe({ patterns: ['a.*', 'c'] }, ada);
    for (const topic of ['a.x', 'a.y', 'b', 'c', 'c.z']) await publish(topic);
    const names = async (input: Parameters<typeof list>[0]): Promise<[string[], string | null]> => {
      const { topics, next } = await list(input);
      return [topics.map(({ name }) => name), next];
    };
    expect(await names({ subscriber: 'ada' })).toEqual([['a.x', 'a.y', 'c'], null]);
    expect(await names({ subscriber: 'ada', pattern: 'a.#' })).toEqual([['a.x', 'a.y'], null]);
    expect(await names({ subscriber: 'nobody' })).toEqual([[], null]);
    expect(await names({ limit: 2 })).toEqual([['a.x', 'a.y'], 'a.y']);
    expect(await names({ limit: 2, after: 'a.y' })).toEqual([['b', 'c'], 'c']);
    expect(await names({ limit: 2, after: 'c' })).toEqual([['c.z'], null]);
    expect((await list({ after: 'a.x' })).subscriptions).toEqual([]);
  });

  it('goes through more topics than it looks at at a time', async () => {
    await t.test.store.write((tx) => {
      const insert = tx.prepare('INSERT INTO topics VALUES (?, ?, 1, 0, 0, 0)');
      for (let i = 0; i < 1_200; i += 1) insert.run(t.projectId, `t.n${1_000 + i}`);
    });
    await publish('z');
    const names: string[] = [];
    for (let after: string | null = ''; after !== null;) {
      const page: Awaited<ReturnType<typeof list>> = await list({ limit: 500, ...(after === '' ? {} : { after }) });
      names.push(...page.topics.map(({ name }) => name));
      after = page.next;
    }
    expect(names).toHaveLength(1_201);
    expect((await list({ pattern: 'z', limit: 1 })).topics.map(({ name }) => name)).toEqual(['z']);
  });

  it('shows an agent its own project only, and keeps what stood when a message is kept no more', async () => {
    await expect(list({ projectId: await t.addProject() }, ada)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await t.service.send({ to: 'topic:agents.joined', projectId: t.projectId, body: 'x', kind: 'event', priority: 'low' }, CORE);
    await t.test.store.write((tx) => tx.prepare('DELETE FROM messages').run());
    expect((await list({}, ada)).topics).toMatchObject([{ name: 'agents.joined', messages: 1, last: null }]);
  });
});
