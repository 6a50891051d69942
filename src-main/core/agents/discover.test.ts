import { expect, it } from 'vitest';
import type { Agent, AgentStatus } from '#shared/agents/model.ts';
import { AgentConfig, AgentState } from '#shared/agents/model.ts';
import { AgentId, mintId, ProjectId } from '#shared/kernel/ids.ts';
import type { DiscoverInput } from './discover.ts';
import { discover } from './discover.ts';

const here = ProjectId.parse(mintId('prj'));
const there = ProjectId.parse(mintId('prj'));

function agent(
  id: string,
  status: AgentStatus,
  more: {
    capabilities?: string[];
    description?: string;
    doing?: string;
    projectId?: ProjectId;
    type?: 'worker' | 'command' | 'external';
  } = {},
): Agent {
  const { capabilities = [], description = '', doing, projectId = here, type = 'worker' } = more;
  const command = type === 'command' ? { command: ['true'] } : {};
  const external =
    type === 'external'
      ? { runtime: 'none', external: { name: 'Colour press', specialisations: [], heartbeatMs: 60_000, allowed: null } }
      : {};
  const evidence = { source: 'core', detail: 'x', at: 1 };
  return {
    id: AgentId.parse(id),
    projectId,
    config: AgentConfig.parse({ id, type, projectId, capabilities, description, maxConcurrentTasks: 2, ...command, ...external }),
    template: null,
    state: AgentState.parse({ status, since: 1, evidence, reason: 'x', from: 'idle', exit: { code: 0 } }),
    says: doing === undefined ? null : { doing, progress: null, at: 1 },
    run: null,
    boundary: 'host',
    boundaryNote: '',
    starts: 0,
    createdAt: 1,
  };
}

const LOAD: Record<string, { unread: number; held: number }> = {
  busy: { unread: 9, held: 2 },
  free: { unread: 0, held: 0 },
  mail: { unread: 5, held: 0 },
};

const AGENTS = [
  agent('away', 'stopped', { capabilities: ['cut'] }),
  agent('busy', 'working', { capabilities: ['cut', 'glue'], doing: 'Cutting the FRONT page' }),
  agent('far', 'idle', { capabilities: ['cut'], projectId: there }),
  agent('free', 'idle', { capabilities: ['glue'], description: 'Holds the front together' }),
  agent('guest', 'lost', { projectId: there, type: 'external' }),
  agent('mail', 'idle', { capabilities: ['cut', 'glue'], type: 'command' }),
];

function found(input: Partial<DiscoverInput>): string[] {
  const { agents } = discover({
    agents: AGENTS,
    input: { limit: 50, ...input },
    unreadOf: (id) => LOAD[id]?.unread ?? 0,
    heldBy: (id) => LOAD[id]?.held ?? 0,
  });
  return agents.map(({ id }) => id);
}

it.each([
  ['all, those that run first, then the least busy', {}, ['far', 'free', 'mail', 'busy', 'away', 'guest']],
  ['by project', { projectId: here }, ['free', 'mail', 'busy', 'away']],
  ['by one capability', { capability: 'glue' }, ['free', 'mail', 'busy']],
  ['by all capabilities of a list', { capability: ['glue', 'cut'] }, ['mail', 'busy']],
  ['by type', { type: 'command' }, ['mail']],
  ['by status', { status: 'stopped' }, ['away']],
  ['by what waits for them', { maxUnread: 5, projectId: here }, ['free', 'mail', 'away']],
  ['by what they work on', { maxHeld: 0, maxUnread: 0, capability: 'glue' }, ['free']],
  ['by words, wherever they stand', { text: 'front' }, ['free', 'busy']],
  ['by words, all of them', { text: ' FRONT  glue cutting' }, ['busy']],
  ['by what one from outside calls itself', { text: 'press' }, ['guest']],
  ['none that nobody meets', { text: 'back' }, []],
] as const)('finds %s', (_what, input, ids) => {
  expect(found(input as Partial<DiscoverInput>)).toEqual(ids);
});

it('says of each what a peer needs, and how many there are beyond the limit', () => {
  const input = { limit: 1, text: 'cutting' };
  expect(discover({ agents: AGENTS, input, unreadOf: () => 3, heldBy: () => 1 })).toEqual({
    agents: [
      {
        id: 'busy',
        type: 'worker',
        status: 'working',
        capabilities: ['cut', 'glue'],
        description: '',
        says: { doing: 'Cutting the FRONT page', progress: null, at: 1 },
        load: { unread: 3, held: 1, slots: 2 },
        boundary: 'host',
      },
    ],
    total: 1,
  });
  expect(discover({ agents: AGENTS, input: { limit: 2 }, unreadOf: () => 0, heldBy: () => 0 })).toMatchObject({ total: 6 });
});
