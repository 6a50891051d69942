import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import type { Team } from '#shared/teams/model.ts';
import { openTestAgents, shortDir, caller } from '#core/agents/testing/open-agents.ts';
import type { TestAgents } from '#core/agents/testing/open-agents.ts';
import { MessagesService } from '#core/messages/messages-service.ts';
import { readFact, saveFact } from '#core/store/facts-repository.ts';
import { SessionsService } from '#core/sessions/sessions-service.ts';
import { parseTeam } from './team-file.ts';
import type { Proposal, TeamUp } from './teams-service.ts';
import { TeamsService } from './teams-service.ts';

/** Matchers are `any` by their types. */
const containing = (text: string): string => expect.stringContaining(text) as string;

let t: TestAgents;
let messages: MessagesService;
let teams: TeamsService;
/** The send with this number fails, as if the core had ended there; counted over the whole test. */
let failingSend = Number.POSITIVE_INFINITY;
let sends = 0;
const proposals: Proposal[] = [];

beforeEach(async () => {
  t = openTestAgents({ dir: shortDir() });
  proposals.length = 0;
  [sends, failingSend] = [0, Number.POSITIVE_INFINITY];
  const sessions = new SessionsService({ store: t.store, version: '0' });
  await sessions.open();
  const { projects } = t;
  messages = new MessagesService({
    store: t.store,
    resolveAgent: (id) => {
      const agent = t.registry.find(id);
      return agent ? { id, projectId: agent.projectId, boundary: agent.boundary, isRemoved: false } : undefined;
    },
    agentsOfProject: (projectId) => t.registry.idsOf(projectId),
    membersOf: () => [],
    subscribersOf: () => [],
    currentSession: () => sessions.currentId(),
    defaultProject: () => projects.latest()?.id,
  });
  messages.open();
  teams = new TeamsService({
    spawn: (input, by) => t.agents.spawn({ ...input, start: false }, by),
    send: (message, by) => {
      sends += 1;
      return sends === failingSend ? Promise.reject(new Error('the core ended')) : messages.send(message, by);
    },
    resolveProject: (stated, by) => projects.resolve(stated, by),
    isTaken: (id) => t.registry.isTaken(id),
    keep: async (name, value) => {
      const kept = t.store.peek((db) => readFact(db, name));
      if (kept !== undefined) return kept;
      await t.store.write((tx) => saveFact(tx, name, value));
      return value;
    },
    agentFolders: () => [{ agentId: AgentId.parse('boxed'), boundary: 'container', folder: join(t.dir, 'of-an-agent') }],
    onProposal: (proposal) => {
      proposals.push(proposal);
      return Promise.resolve();
    },
    sampleFile: fileURLToPath(new URL('../../../assets/teams/sample-crew.yaml', import.meta.url)),
    sampleFolder: join(t.dir, 'projects', 'sample'),
  });
});
afterEach(async () => {
  messages.dispose();
  await t.dispose();
});

const PAIR: Team = parseTeam(`
name: pair
agents: [{ id: a, type: worker }, { id: b, type: worker }]
start:
  - { to: a, body: begin, data: { ask: '@b' } }
  - { to: b, body: wait for a, data: '@a' }
`);

function up(options: { team?: Team; fresh?: boolean; key?: string } = {}): Promise<TeamUp> {
  return teams.up(
    { team: options.team ?? PAIR, projectFolder: t.folder, fresh: options.fresh ?? false, idempotencyKey: options.key },
    caller,
  );
}

async function mailOf(id: string): Promise<{ body: string; data: unknown }[]> {
  const page = await messages.list({ limit: 100 });
  return page.messages.filter((message) => message.to.includes(id)).map(({ body, data }) => ({ body, data }));
}

const ids = (team: TeamUp): string[] => team.agents.map(({ id }) => id);

describe('bringing a team up', () => {
  it('spawns the agents and sends what sets them to work, with their real ids', async () => {
    expect(ids(await up())).toEqual(['a', 'b']);
    expect(ids(await up({ fresh: true }))).toEqual(['a-2', 'b-2']);
    expect(await mailOf('a-2')).toEqual([{ body: 'begin', data: { ask: 'b-2' } }]);
    expect(await mailOf('b')).toEqual([{ body: 'wait for a', data: 'a' }]);
  });

  it('again finds the agents that are there, and sends anew: it was asked to', async () => {
    await up();
    expect(ids(await up())).toEqual(['a', 'b']);
    expect(await mailOf('a')).toHaveLength(2);
  });

  it.each([false, true])(
    'repeated with its key after a crash sends nothing twice, to the same agents (fresh: %s)',
    async (fresh) => {
      await up();
      failingSend = sends + 2;
      await expect(up({ fresh, key: 'k' })).rejects.toThrow('the core ended');
      const again = await up({ fresh, key: 'k' });
      expect(ids(again)).toEqual(fresh ? ['a-2', 'b-2'] : ['a', 'b']);
      const third = await up({ fresh, key: 'k' });
      expect(third.started).toEqual(again.started);
      for (const id of ids(again)) expect(await mailOf(id), id).toHaveLength(fresh ? 1 : 2);
      expect(t.registry.all()).toHaveLength(fresh ? 4 : 2);
    },
  );

  it('fresh takes other agents each time, also side by side', async () => {
    const all = await Promise.all([up({ fresh: true }), up({ fresh: true }), up({ fresh: true, key: 'x' })]);
    expect(new Set(all.map((one) => ids(one)[0]))).toEqual(new Set(['a', 'a-2', 'a-3']));
    for (const one of all) expect(await mailOf(ids(one)[0] ?? '')).toHaveLength(1);
  });

  it('refuses a team that cannot be, before anything is made of it', async () => {
    const [first] = PAIR.agents;
    if (!first) throw new Error('no agent');
    await expect(up({ team: { ...PAIR, agents: [first, first] } })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: containing('occurs twice'),
    });
    await expect(
      up({ team: { ...PAIR, start: [{ to: 'No One', kind: 'task', priority: 'normal', body: 'x' }] } }),
    ).rejects.toMatchObject({ code: 'BAD_REQUEST', data: { field: 'start.0.to' } });
    expect(t.registry.all()).toEqual([]);
  });

  it('says that an id is too long for another team beside the first', async () => {
    const team: Team = { ...PAIR, agents: [{ id: AgentId.parse('a'.repeat(63)), type: 'worker' }], start: [] };
    await up({ team });
    await expect(up({ team, fresh: true })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: containing('Shorten the id'),
    });
  });
});

it('refuses the team file of an agent in a box, unless the operator accepts it, and tells both', async () => {
  const file = join(t.dir, 'of-an-agent', 'team.yaml');
  const input = { team: PAIR, projectFolder: t.folder, fresh: false, file };
  await expect(teams.up(input, caller)).rejects.toMatchObject({
    code: 'FORBIDDEN',
    message: containing('agent "boxed", which is confined by container, can write'),
    data: { agent: 'boxed', file },
  });
  expect(t.registry.all()).toEqual([]);
  expect(ids(await teams.up({ ...input, acceptAgentFile: true }, caller))).toEqual(['a', 'b']);
  expect(ids(await teams.up({ ...input, file: join(t.dir, 'mine.yaml') }, caller))).toEqual(['a', 'b']);
  expect(proposals).toMatchObject([
    { agentId: 'boxed', asked: `the team file ${file}`, from: 'container', to: 'host', isAccepted: false },
    { agentId: 'boxed', isAccepted: true },
  ]);
});

it('starts the sample crew where it was told to', async () => {
  const { agents } = await teams.sample({ asksOperator: false, runtime: 'docker' }, caller);
  expect(agents.map(({ boundary }) => boundary)).toEqual(['container', 'container', 'container']);
});

it('starts the sample crew in a sample repository when no folder is chosen', async () => {
  const first = await teams.sample({ asksOperator: false }, caller);
  expect(first).toMatchObject({ project: { isGitRepository: true, folder: join(t.dir, 'projects', 'sample') } });
  expect(ids(first)).toEqual(['scout', 'analyst-1', 'analyst-2']);
  expect(ids(await teams.sample({ folder: t.folder, asksOperator: true }, caller))).toEqual([
    'scout-2',
    'analyst-1-2',
    'analyst-2-2',
  ]);
  const job = JSON.stringify((await mailOf('scout-2'))[0]?.data);
  expect(job).toContain('"to":"analyst-1-2"');
  expect(job).toContain('"waitMs":600000');
  expect(JSON.stringify((await mailOf('scout'))[0]?.data)).toContain('"waitMs":0');
});
