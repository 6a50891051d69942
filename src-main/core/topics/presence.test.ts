import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Agent, AgentStatus } from '#shared/agents/model.ts';
import { AgentConfig, AgentState } from '#shared/agents/model.ts';
import type { EventData, EventKind, JournalEvent } from '#shared/journal/model.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import { AgentId, mintId, ProjectId } from '#shared/kernel/ids.ts';
import type { PresenceNews } from './presence.ts';
import { Presence } from './presence.ts';

const projectId = ProjectId.parse(mintId('prj'));
let journal: Emitter<readonly JournalEvent[]>;
let subscribers: Record<string, string[]>;
let published: PresenceNews[];
let publish: (news: PresenceNews) => Promise<unknown>;
let faults: unknown[];
let presence: Presence;
let seq: number;

beforeEach(() => {
  vi.useFakeTimers();
  journal = new Emitter();
  subscribers = { '#': ['watcher'] };
  published = [];
  publish = async (news) => published.push(news);
  faults = [];
  seq = 0;
  presence = open([agent('old', 'idle', ['cut'])]);
});
afterEach(() => {
  presence.dispose();
  vi.useRealTimers();
});

function open(agents: readonly Agent[]): Presence {
  return new Presence({
    agents,
    onCommitted: (listener) => journal.on(listener),
    subscribersOf: (project, topic) => (project === projectId ? (subscribers[topic] ?? subscribers['#'] ?? []) : []),
    publish: (news) => publish(news),
    log: (_message, error) => faults.push(error),
  });
}

function state(status: AgentStatus, at = 1): AgentState {
  const base = { status, since: at, evidence: { source: 'core', detail: 'x', at } };
  return AgentState.parse({ ...base, reason: 'x', from: 'idle', exit: { code: 0 } });
}

function agent(id: string, status: AgentStatus, capabilities: string[] = []): Agent {
  return {
    id: AgentId.parse(id),
    projectId,
    config: AgentConfig.parse({ id, type: 'worker', projectId, capabilities }),
    template: null,
    state: state(status),
    says: null,
    run: null,
    boundary: 'host',
    boundaryNote: '',
    starts: 0,
    createdAt: 1,
  };
}

/** Commits an event, at a time that is its number. */
function commit<K extends EventKind>(kind: K, subject: string, data: EventData<K>): void {
  seq += 1;
  const event = { seq, at: seq, projectId, actor: { kind: 'system', id: 'core' }, door: 'core', kind, subject, data };
  journal.fire([event as unknown as JournalEvent]);
}
const becomes = (id: string, status: AgentStatus): void => commit('agent.state-changed', id, { state: state(status) });
const can = (id: string, capabilities: string[]): void =>
  commit('agent.config-changed', id, { config: agent(id, 'idle', capabilities).config });

/** Lets the time of gathering pass, and what then is sent be sent. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1_000);
const told = (): unknown[] => published.map(({ topic, data: { from, to, at, agentId } }) => [topic, agentId, from, to, at]);

it('tells who joins, how it fares, what it can do, and that it leaves: once each for a burst, in order', async () => {
  commit('agent.created', 'new', { agent: agent('new', 'created', ['cut']) });
  for (const status of ['starting', 'idle', 'working'] as const) becomes('new', status);
  can('new', ['cut', 'glue']);
  can('new', ['glue']);
  await vi.advanceTimersByTimeAsync(249);
  expect(published).toEqual([]);
  await settle();
  expect(told()).toEqual([
    ['agents.joined', 'new', null, 'created', 1],
    ['agents.capabilities', 'new', ['cut'], ['glue'], 6],
    ['agents.state', 'new', 'created', 'working', 4],
  ]);
  expect(published.map(({ body }) => body)).toEqual([
    'Agent "new" joined: type worker, can cut.',
    'Agent "new" can now: glue.',
    'Agent "new" is working (was created).',
  ]);
  published = [];
  becomes('new', 'stopped');
  commit('agent.removed', 'new', {});
  await settle();
  expect(told()).toEqual([
    ['agents.state', 'new', 'working', 'stopped', 7],
    ['agents.left', 'new', 'stopped', null, 8],
  ]);
  published = [];
  becomes('new', 'idle');
  await settle();
  expect(told()).toEqual([]);
});

it('tells nothing of what came back to where it was, or did not change', async () => {
  for (const status of ['working', 'idle', 'working', 'idle'] as const) becomes('old', status);
  can('old', ['cut']);
  becomes('unknown', 'working');
  await settle();
  expect(told()).toEqual([]);
});

it('keeps agents apart, and tells the last news of a burst a quarter of a second after its first at the latest', async () => {
  presence.dispose();
  presence = open([agent('a', 'idle'), agent('b', 'idle')]);
  becomes('a', 'working');
  becomes('b', 'stopped');
  await vi.advanceTimersByTimeAsync(200);
  becomes('a', 'paused');
  await vi.advanceTimersByTimeAsync(50);
  expect(told()).toEqual([
    ['agents.state', 'a', 'idle', 'paused', 3],
    ['agents.state', 'b', 'idle', 'stopped', 2],
  ]);
});

it('publishes to subscribers only, and not to the agent itself alone', async () => {
  subscribers = { '#': [], 'agents.state': ['old'] };
  becomes('old', 'working');
  can('old', []);
  await settle();
  expect(told()).toEqual([]);
  subscribers['agents.state'] = ['old', 'watcher'];
  becomes('old', 'idle');
  can('old', ['glue']);
  await settle();
  expect(told()).toEqual([['agents.state', 'old', 'working', 'idle', 3]]);
});

it('holds up nobody while publishing takes long or fails, and keeps the order of an agent', async () => {
  const gate = Promise.withResolvers<void>();
  publish = async (news) => {
    await gate.promise;
    if (news.data.to === 'working') throw new Error('full');
    published.push(news);
  };
  for (const status of ['working', 'paused', 'stopped'] as const) {
    becomes('old', status);
    await settle();
  }
  expect(told()).toEqual([]);
  gate.resolve();
  await settle();
  expect(told()).toEqual([
    ['agents.state', 'old', 'working', 'paused', 2],
    ['agents.state', 'old', 'paused', 'stopped', 3],
  ]);
  expect(faults).toMatchObject([{ message: 'full' }]);
});

it('tells nothing any more once it has ended', async () => {
  becomes('old', 'working');
  presence.dispose();
  becomes('old', 'stopped');
  await settle();
  expect(told()).toEqual([]);
});
