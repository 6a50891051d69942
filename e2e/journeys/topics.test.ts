/** Topics over a real core: who subscribed gets what is published, and nobody else, also after `kill -9`; presence is published. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { InboxMessage } from '#shared/messages/model.ts';
import { PresenceData, Topic } from '#shared/topics/model.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { SpokenAgent } from '#e2e/support/spoken-agent.ts';

/** Every wait for something that has to come. */
const LONG = { timeout: 60_000, interval: 50 };

const Sent = z.object({ messageId: z.string(), recipients: z.array(z.string()) });
const Inbox = z.object({ messages: z.array(InboxMessage) });
const Topics = z.object({
  topics: z.array(Topic),
  subscriptions: z.array(z.object({ subscriber: z.string(), pattern: z.string() })),
});
const Peers = z.object({ agents: z.array(z.looseObject({ id: z.string() })), total: z.number() });

let core: TestCore;
let rest: RestClient;
let folder: string;
const agents = new Map<string, SpokenAgent>();

function spoken(id: string): SpokenAgent {
  const agent = agents.get(id);
  if (!agent) throw new Error(`no agent ${id}`);
  return agent;
}

beforeAll(async () => {
  core = await startCore();
  rest = new RestClient(core);
  folder = join(core.dataDir, 'project');
  mkdirSync(folder);
  for (const [id, capabilities] of [
    ['ada', ['cut']],
    ['ben', ['cut']],
    ['cleo', []],
    ['eve', ['sing', 'act']],
    ['fay', ['sing']],
  ] as const)
    agents.set(id, await SpokenAgent.spawn(core, folder, id, { capabilities }));
}, 120_000);

afterAll(async () => {
  for (const agent of agents.values()) agent.close();
  await core.stop();
  removeDataDir(core.dataDir);
}, 60_000);

async function send(to: string, body: string): Promise<z.infer<typeof Sent>> {
  return Sent.parse(await rest.ok('POST', '/messages', { to, body, kind: 'event' }));
}

/** What an agent is handed, by the ids of the messages, once so many are there; it acknowledges them. */
async function handed(id: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  await vi.waitFor(async () => {
    const messageIds = (await spoken(id).take(1_000)).map((message) => message.id);
    ids.push(...messageIds);
    if (messageIds.length > 0) await spoken(id).acknowledge(messageIds);
    expect(ids.length).toBeGreaterThanOrEqual(count);
  }, LONG);
  return ids;
}

/** What the core told the operator about an agent, in order. */
async function newsOf(id: string): Promise<unknown[]> {
  const { messages } = Inbox.parse(await rest.ok('GET', '/inbox?limit=200'));
  return messages
    .filter(({ from }) => from.kind === 'system')
    .flatMap(({ topic, data }) => {
      const news = PresenceData.parse(data);
      return news.agentId === id ? [[topic, news.from, news.to]] : [];
    });
}

it('brings what is published to whoever subscribed and to nobody else, also after kill -9', async () => {
  expect(await spoken('ada').call('subscribe_topics', { patterns: ['health.*'] })).toMatchObject({ subscriber: 'ada' });
  await spoken('ben').call('subscribe_topics', { patterns: ['#.db', 'tasks.#', 'health.#'] });
  const sent = {
    db: await send('topic:health.db', 'slow'),
    deep: await send('topic:health.db.disk', 'full'),
    task: await send('topic:tasks', 'none left'),
    quiet: await send('topic:quiet', 'nobody hears'),
    own: Sent.parse(await spoken('ada').call('send_message', { to: 'topic:health.web', body: 'fine', kind: 'event' })),
  };
  expect(Object.values(sent).map(({ recipients }) => recipients)).toEqual([['ada', 'ben'], ['ben'], ['ben'], [], ['ben']]);
  expect(await handed('ada', 1)).toEqual([sent.db.messageId]);
  expect(await handed('ben', 4)).toEqual([sent.db, sent.deep, sent.task, sent.own].map(({ messageId }) => messageId));
  expect(await spoken('cleo').take()).toEqual([]);

  const before = await send('topic:health.db', 'before');
  await core.kill();
  for (const agent of agents.values()) agent.close();
  core = await startCore({ dataDir: core.dataDir });
  rest = new RestClient(core);
  for (const id of agents.keys()) agents.set(id, await SpokenAgent.again(core, id));
  const after = await send('topic:health.db', 'after');
  for (const { recipients } of [before, after]) expect(recipients).toEqual(['ada', 'ben']);
  for (const id of ['ada', 'ben']) expect(await handed(id, 2)).toEqual([before.messageId, after.messageId]);

  await spoken('ben').call('unsubscribe_topics', {});
  expect((await send('topic:health.db', 'last')).recipients).toEqual(['ada']);
  const list = Topics.parse(await spoken('cleo').call('list_topics', { pattern: 'health.*' }));
  expect(list.topics.map(({ name, messages, subscribers, last }) => [name, messages, subscribers, last?.excerpt])).toEqual([
    ['health.db', 4, ['ada'], 'last'],
    ['health.web', 1, ['ada'], 'fine'],
  ]);
  expect(list.subscriptions.filter(({ subscriber }) => subscriber !== 'operator')).toMatchObject([
    { subscriber: 'ada', pattern: 'health.*' },
  ]);
}, 180_000);

it('reaches groups, and keeps the topics on which the core says what it saw', async () => {
  expect((await send('capability:cut', 'scissors')).recipients).toEqual(['ada', 'ben']);
  const mine = await spoken('ada').call('send_message', { to: 'capability:cut', body: 'mine' });
  expect(Sent.parse(mine).recipients).toEqual(['ben']);
  const refused: [Record<string, unknown>, RegExp][] = [
    [{ to: 'capability:fly' }, /NOT_FOUND.*capability/],
    [{ to: 'topic:agents.joined' }, /FORBIDDEN.*Only Quarterdeck/],
    [{ to: 'topic:system.x' }, /FORBIDDEN.*Only Quarterdeck/],
    [{ to: 'topic:a.*' }, /BAD_REQUEST/],
  ];
  for (const [what, says] of refused)
    await expect(spoken('cleo').call('send_message', { body: 'x', ...what })).rejects.toThrow(says);
  await expect(spoken('cleo').call('subscribe_topics', { patterns: ['Health'] })).rejects.toThrow(/BAD_REQUEST.*patterns/);
  await Promise.all([handed('ada', 1), handed('ben', 2)]);
}, 120_000);

it('finds peers by what they can do and how busy they are', async () => {
  const found = async (input: Record<string, unknown>): Promise<string[]> =>
    Peers.parse(await spoken('cleo').call('discover_agents', input)).agents.map(({ id }) => id);
  expect(await found({ capability: ['sing', 'act'] })).toEqual(['eve']);
  expect(await found({ capability: 'sing', maxHeld: 0, maxUnread: 0 })).toEqual(['eve', 'fay']);
  await send('eve', 'x');
  expect(await found({ capability: 'sing' })).toEqual(['fay', 'eve']);
  expect(Peers.parse(await rest.ok('GET', '/agents:discover?capability=sing&maxUnread=0&text=fay'))).toMatchObject({
    agents: [{ id: 'fay', load: { unread: 0, held: 0, slots: 1 }, boundary: 'host' }],
    total: 1,
  });
}, 60_000);

it('tells who joins, changes and leaves', async () => {
  await rest.ok('POST', '/topics:subscribe', { patterns: ['agents.#'] });
  const newest = async (news: unknown): Promise<void> =>
    vi.waitFor(async () => expect((await newsOf('dan')).at(-1)).toEqual(news), LONG);
  await rest.ok('POST', '/agents', { id: 'dan', type: 'command', command: ['sleep', '1000'], projectFolder: folder });
  await newest(['agents.state', expect.any(String), 'working']);
  await rest.ok('PATCH', '/agents/dan', { changes: { capabilities: ['sleep'] } });
  await newest(['agents.capabilities', [], ['sleep']]);
  await rest.ok('POST', '/agents/dan/stop', { force: true });
  await rest.ok('DELETE', '/agents/dan');
  await newest(['agents.left', 'stopped', null]);
  const news = await newsOf('dan');
  expect(news[0]).toEqual(['agents.joined', null, 'created']);
  // Not every state is told, but each begins where the one told before ended.
  const States = z.tuple([z.literal('agents.state'), z.string(), z.string()]);
  let last = 'created';
  for (const one of news) {
    const state = States.safeParse(one);
    if (!state.success) continue;
    expect(state.data[1]).toBe(last);
    last = state.data[2];
  }
  expect(last).toBe('stopped');
}, 240_000);
