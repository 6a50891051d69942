import { describe, expect, it } from 'vitest';
import { AgentId, mintId, ProjectId } from '#shared/kernel/ids.ts';
import { Address } from '#shared/messages/model.ts';
import type { Boundary } from '#shared/runtimes/model.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AddressContext, AgentDirectory, KnownAgent, Resolved } from './resolve-recipients.ts';
import { resolveRecipients } from './resolve-recipients.ts';

const here = ProjectId.parse(mintId('prj'));
const there = ProjectId.parse(mintId('prj'));

function agent(id: string, more: { projectId?: ProjectId; boundary?: Boundary; isRemoved?: boolean } = {}): KnownAgent {
  return { id: AgentId.parse(id), projectId: here, boundary: 'host', isRemoved: false, ...more };
}

const AGENTS = [
  agent('ada', { boundary: 'container' }),
  agent('ben'),
  agent('cleo'),
  agent('gone', { isRemoved: true }),
  agent('far', { projectId: there }),
];
const ids = (...names: string[]): AgentId[] => names.map((name) => AgentId.parse(name));

const directory: AgentDirectory = {
  resolveAgent: (id) => AGENTS.find((known) => known.id === id),
  agentsOfProject: (projectId) => AGENTS.filter((known) => known.projectId === projectId).map((known) => known.id),
  membersOf: (projectId, { kind, name }) =>
    projectId !== here
      ? []
      : kind === 'capability' && name === 'cut'
        ? ids('ada', 'ben', 'gone')
        : name === 'duo'
          ? ids('ben', 'cleo')
          : [],
  subscribersOf: (projectId, topic) =>
    projectId !== here
      ? []
      : topic === 'health.db'
        ? ['ben', 'gone', 'no such agent', 'operator']
        : topic === 'solo'
          ? ['ada']
          : [],
};

const OPERATOR: AddressContext = {
  sender: undefined,
  senderInbox: 'operator',
  isCore: false,
  projectId: undefined,
  defaultProject: here,
};
const ADA: AddressContext = { ...OPERATOR, sender: AGENTS[0], senderInbox: 'ada' };
const TOKEN: AddressContext = { ...OPERATOR, senderInbox: undefined };
const BY_CORE: AddressContext = { ...TOKEN, isCore: true };

function resolve(to: readonly string[], context = OPERATOR): Resolved {
  return resolveRecipients(
    to.map((address) => Address.parse(address)),
    context,
    directory,
  );
}

function refusal(to: readonly string[], context = OPERATOR): AppError {
  try {
    resolve(to, context);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('whom a message reaches', () => {
  it.each([
    ['an agent', ['ada'], OPERATOR, ['ada']],
    ['the sender itself, when it is named', ['ada'], ADA, ['ada']],
    ['everybody else', ['*'], ADA, ['ben', 'cleo', 'operator']],
    ['everybody but the operator who sends it', ['*'], OPERATOR, ['ada', 'ben', 'cleo']],
    ['everybody, from a token without an inbox', ['*'], TOKEN, ['ada', 'ben', 'cleo', 'operator']],
    ['those with a capability', ['capability:cut'], OPERATOR, ['ada', 'ben']],
    ['the others with a capability', ['capability:cut'], ADA, ['ben']],
    ['those made from a template', ['template:duo'], ADA, ['ben', 'cleo']],
    ['the subscribers of a topic', ['topic:health.db'], ADA, ['ben', 'operator']],
    ['the subscribers but the publisher', ['topic:health.db'], OPERATOR, ['ben']],
    ['nobody, on a topic without subscribers', ['topic:quiet'], OPERATOR, []],
    ['nobody, on a topic that only its publisher subscribed to', ['topic:solo'], ADA, []],
    [
      'each once, in the order of the addresses',
      ['cleo', 'topic:health.db', 'template:duo', 'capability:cut'],
      ADA,
      ['cleo', 'ben', 'operator'],
    ],
  ] as const)('%s', (_what, to, context, recipients) => {
    const resolved = resolve(to, context);
    expect(resolved).toMatchObject({ projectId: here, recipients });
    // The rule on boundaries looks at these: nobody who is reached may be missing.
    expect(resolved.agents.map(({ id }) => id)).toEqual(recipients.filter((id) => id !== 'operator'));
  });

  it('is looked up in the project that is stated, or that of the agents named besides', () => {
    expect(resolve(['topic:health.db'], { ...OPERATOR, projectId: there })).toMatchObject({ projectId: there, recipients: [] });
    expect(resolve(['far', 'topic:health.db'])).toMatchObject({ projectId: there, recipients: ['far'] });
  });
});

describe('what is refused', () => {
  it.each([
    ['an agent that is none', ['nobody'], OPERATOR, 'NOT_FOUND', /"nobody" does not exist.*list_agents/],
    ['one that was removed', ['gone'], OPERATOR, 'NOT_FOUND', /"gone" was removed/],
    ['a group without members', ['capability:fly'], OPERATOR, 'NOT_FOUND', /has the capability "fly".*discover_agents/],
    ['a group without members beside somebody', ['ben', 'template:none'], OPERATOR, 'NOT_FOUND', /made from the template "none"/],
    ['agents of two projects', ['ada', 'far'], OPERATOR, 'BAD_REQUEST', /different projects/],
    ['another project than the agent has', ['ada'], { ...OPERATOR, projectId: there }, 'BAD_REQUEST', /Leave projectId out/],
    ['no project at all', ['topic:x'], { ...OPERATOR, defaultProject: undefined }, 'BAD_REQUEST', /No project is open/],
    [
      'a topic of another project, from an agent',
      ['topic:x'],
      { ...ADA, projectId: there },
      'FORBIDDEN',
      /"topic:x".*own project/,
    ],
    ['a group of another project, from an agent', ['far', 'capability:cut'], ADA, 'FORBIDDEN', /"capability:cut"/],
    ['an agent on a topic of the core', ['topic:agents.joined'], ADA, 'FORBIDDEN', /Only Quarterdeck.*"news.agents.joined"/],
    ['the operator on a topic of the core', ['topic:system'], OPERATOR, 'FORBIDDEN', /"agents." and "system."/],
  ] as const)('%s', (_what, to, context, code, says) => {
    expect(refusal(to, context)).toMatchObject({ code, message: expect.stringMatching(says) as string });
    expect(refusal(to, context).message).toContain('Nothing was sent');
  });

  it('not the core itself on its topics', () => {
    expect(resolve(['topic:agents.joined'], { ...BY_CORE, projectId: here }).recipients).toEqual([]);
  });
});
