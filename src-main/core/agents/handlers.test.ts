import { createServer } from 'node:http';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AgentStatus } from '#shared/agents/model.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import { AgentLauncher } from './agent-launcher.ts';
import { agentsHandlers } from './handlers.ts';
import { ForeignSessions } from './foreign-sessions.ts';
import { MetricsSampler } from './metrics-sampler.ts';
import { NO_BOXES, sharedWorkspace } from './testing/no-boxes.ts';
import { Templates } from './templates.ts';
import type { TestAgents } from './testing/open-agents.ts';
import { caller, openTestAgents, shortDir } from './testing/open-agents.ts';

let t: TestAgents;
let handlers: ReturnType<typeof agentsHandlers>;
let launcher: AgentLauncher;
const call = { caller, signal: new AbortController().signal };
const id = (text: string): AgentId => AgentId.parse(text);
const as = (agent: string): { caller: Caller; signal: AbortSignal } => ({
  ...call,
  caller: { actor: { kind: 'agent', id: agent }, role: 'agent', door: 'mcp', agentId: id(agent) },
});

beforeEach(() => {
  t = openTestAgents({ dir: shortDir() });
  launcher = new AgentLauncher({
    programs: { guest: () => [] },
    agentsDir: join(t.dir, 'agents'),
    socketDir: join(t.dir, 's'),
    env: {},
    agentUrl: () => '',
    mintToken: () => Promise.resolve(''),
    sideWindows: () => [],
    workspaceOf: sharedWorkspace('/work'),
    boxes: NO_BOXES,
  });
  handlers = agentsHandlers({
    agents: t.agents,
    registry: t.registry,
    runs: t.runs,
    launcher,
    templates: new Templates({ builtInDir: join(t.dir, 'none'), ownDir: join(t.dir, 'none') }),
    metrics: new MetricsSampler({ living: () => [], isWatched: () => false, now: () => 42 }),
    foreign: new ForeignSessions({
      env: {},
      ownSocket: join(t.dir, 's', 'tmux.sock'),
      agents: () => t.registry.all(),
      isTaken: (agentId) => t.registry.isTaken(agentId),
      spawn: (input, by) => t.agents.spawn(input, by),
      start: (agentId, by) => t.agents.start(agentId, by),
    }),
    unreadOf: (recipient) => recipient.length,
    heldBy: () => 0,
    now: () => 42,
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await t.dispose();
});

/** Agents that do not run, in the project of `folder`. */
async function make(
  names: readonly string[],
  more: { type?: 'worker'; capabilities?: string[]; projectFolder?: string } = {},
): Promise<void> {
  for (const name of names) {
    const command = more.type === 'worker' ? {} : { command: ['true'] };
    await t.agents.spawn({ id: id(name), type: 'command', ...command, ...more, start: false }, caller);
  }
}

describe('listing agents', () => {
  it('pages by id, and counts all that match', async () => {
    await make(['e', 'b', 'd.1', 'a', 'c']);
    const first = await handlers.list({ limit: 2 }, call);
    expect(first.agents.map((agent) => [agent.id, agent.unread])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    expect(first.total).toBe(5);
    const seen: string[] = [];
    for (let after: string | undefined; ; after = seen.at(-1)) {
      const { agents } = await handlers.list({ limit: 2, after }, call);
      if (agents.length === 0) break;
      seen.push(...agents.map((agent) => agent.id));
    }
    expect(seen).toEqual(['a', 'b', 'c', 'd.1', 'e']);
    // Also when the last of the page before was removed in between.
    expect((await handlers.list({ limit: 2, after: 'bb' }, call)).agents[0]?.id).toBe('c');
  });

  it('filters by project, status, type and capability', async () => {
    const other = join(t.dir, 'other');
    mkdirSync(other);
    await make(['here'], { capabilities: ['cut', 'glue'] });
    await make(['there'], { projectFolder: other, capabilities: ['cut'] });
    await make(['worker'], { type: 'worker' });
    await t.agents.spawn({ id: id('runs'), type: 'command', command: ['sleep', '1000'] }, caller);
    const found = async (input: Omit<Parameters<typeof handlers.list>[0], 'limit'>): Promise<string[]> =>
      (await handlers.list({ limit: 10, ...input }, call)).agents.map((agent) => agent.id);
    expect(await found({ capability: 'cut' })).toEqual(['here', 'there']);
    expect(await found({ capability: 'cut', projectId: t.registry.get(id('there')).projectId })).toEqual(['there']);
    expect(await found({ type: 'worker' })).toEqual(['worker']);
    expect(await found({ status: 'working' satisfies AgentStatus })).toEqual(['runs']);
    expect(await found({ capability: 'nothing' })).toEqual([]);
  });
});

it('shows an agent its peers of the same project, and not itself', async () => {
  const other = join(t.dir, 'other');
  mkdirSync(other);
  await make(['me.too', 'peer'], { capabilities: ['cut'] });
  await make(['elsewhere'], { projectFolder: other });
  const elsewhere = t.registry.get(id('elsewhere')).projectId;
  expect((await handlers.discover({ projectId: elsewhere, limit: 50 }, as('me.too'))).agents).toMatchObject([
    { id: 'peer', capabilities: ['cut'], says: null, load: { unread: 4, held: 0, slots: 1 }, boundary: 'host' },
  ]);
  expect((await handlers.discover({ limit: 50 }, call)).agents).toHaveLength(3);
  expect((await handlers.discover({ projectId: elsewhere, limit: 50 }, call)).agents.map((agent) => agent.id)).toEqual([
    'elsewhere',
  ]);
  await expect(Promise.resolve(handlers.discover({ limit: 50 }, as('gone')))).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it('takes a self-report from agents only, about themselves', async () => {
  await make(['own']);
  await handlers.report({ doing: 'thinking', progress: 0.5 }, as('own'));
  expect(t.registry.get(id('own')).says).toEqual({ doing: 'thinking', progress: 0.5, at: 42 });
  await handlers.report({ doing: '' }, as('own'));
  expect(t.registry.get(id('own')).says).toEqual({ doing: '', progress: null, at: 42 });
  await expect(Promise.resolve(handlers.report({ doing: 'x' }, call))).rejects.toMatchObject({ code: 'FORBIDDEN' });
});

it('stops all that run, and tells which could not be stopped', async () => {
  for (const name of ['a', 'b', 'c']) await t.agents.spawn({ id: id(name), type: 'command', command: ['sleep', '1000'] }, caller);
  await make(['rests']);
  const stop = t.agents.stop.bind(t.agents);
  vi.spyOn(t.agents, 'stop').mockImplementation((agent, graceMs, by) =>
    agent === 'b' ? Promise.reject(new Error('it clings')) : stop(agent, graceMs, by),
  );
  expect(await handlers.stopAll({ force: true }, call)).toEqual({
    stopped: ['a', 'c'],
    failed: [{ id: 'b', problem: 'it clings' }],
  });
  vi.restoreAllMocks();
  expect(await handlers.stopAll({ force: true }, call)).toEqual({ stopped: ['b'], failed: [] });
  expect(await handlers.stopAll({ force: true }, call)).toEqual({ stopped: [], failed: [] });
});

describe('health', () => {
  it('of a command is what is measured from outside', async () => {
    await t.agents.spawn({ id: id('c'), type: 'command', command: ['sleep', '1000'] }, caller);
    const { pid } = t.registry.get(id('c')).run ?? {};
    expect(await handlers.health({ id: id('c') }, call)).toMatchObject({ endpoint: 'none', report: null, process: { pid } });
    await t.agents.stop(id('c'), 0, caller);
    expect(await handlers.health({ id: id('c') }, call)).toMatchObject({ endpoint: 'none', process: null });
  });

  it('of a worker is what it answers, or why it does not', async () => {
    await make(['w'], { type: 'worker' });
    expect(await handlers.health({ id: id('w') }, call)).toMatchObject({
      endpoint: 'unanswered',
      problem: 'the agent is created',
      process: null,
    });
    await t.agents.start(id('w'), caller);
    // The program of these tests serves nothing.
    expect(await handlers.health({ id: id('w') }, call)).toMatchObject({ endpoint: 'unanswered', report: null });
    const server = createServer((_request, response) => response.end('{"status":"ok"}'));
    await new Promise<void>((resolve) => server.listen(launcher.filesOf(id('w')).healthSocket, resolve));
    expect(await handlers.health({ id: id('w') }, call)).toMatchObject({
      endpoint: 'answered',
      report: { status: 'ok' },
      problem: null,
    });
    server.close();
    server.closeAllConnections();
  });
});

it('lets only an operator change where an agent may connect to, whatever else may be changed', async () => {
  await t.agents.spawn({ id: id('c'), type: 'worker', runtime: 'docker', start: false }, caller);
  const automation = { ...call, caller: { ...caller, actor: { kind: 'token', id: 'script' }, role: 'automation' } as const };
  const egress = { mode: 'deny', rules: ['a.org:443:tls'] } as const;
  const change = { id: id('c'), changes: { egress: { mode: egress.mode, rules: [...egress.rules] } } };
  await expect(handlers.update(change, automation)).rejects.toThrow(/only an operator.*set_egress/);
  const other = await handlers.update({ id: id('c'), changes: { description: 'x' } }, automation);
  expect(other.config).toMatchObject({ description: 'x', egress: { rules: [] } });
  expect((await handlers.update(change, call)).config).toMatchObject({ egress });
});
