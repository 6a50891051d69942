/** From what a message is addressed to, to the inboxes it goes to. Pure but for the directory it asks. */
import { AppError } from '#shared/kernel/errors.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { Address, Group } from '#shared/messages/model.ts';
import { groupOf, OPERATOR, topicOf } from '#shared/messages/model.ts';
import type { Boundary } from '#shared/runtimes/model.ts';
import type { TopicName } from '#shared/topics/model.ts';
import { CORE_TOPICS, isCoreTopic } from '#shared/topics/model.ts';

/** What the messages feature knows of an agent. */
export interface KnownAgent {
  readonly id: AgentId;
  readonly projectId: ProjectId;
  readonly boundary: Boundary;
  readonly isRemoved: boolean;
}

/** Who there is; answered from memory. */
export interface AgentDirectory {
  /** An agent, removed ones included; undefined when there never was one. */
  readonly resolveAgent: (id: AgentId) => KnownAgent | undefined;
  /** The agents of a project. */
  readonly agentsOfProject: (projectId: ProjectId) => readonly AgentId[];
  /** The agents of a project that belong to a group; removed ones are not there. */
  readonly membersOf: (projectId: ProjectId, group: Group) => readonly AgentId[];
  /** The inboxes that a topic of a project goes to. */
  readonly subscribersOf: (projectId: ProjectId, topic: TopicName) => readonly string[];
}

/** What decides about recipients, besides the addresses. */
export interface AddressContext {
  /** The sending agent; undefined for anybody else. */
  readonly sender: KnownAgent | undefined;
  /** The inbox of the sender, which gets nothing that is addressed to many; undefined when it has none. */
  readonly senderInbox: string | undefined;
  /** Whether the core itself sends. */
  readonly isCore: boolean;
  /** The project the caller named. */
  readonly projectId: ProjectId | undefined;
  /** The project opened last; undefined when none is. */
  readonly defaultProject: ProjectId | undefined;
}

/** Where a message goes. */
export interface Resolved {
  readonly projectId: ProjectId;
  /** Inboxes, each once, in the order of the addresses. */
  readonly recipients: readonly string[];
  /** Those of them that are agents. */
  readonly agents: readonly KnownAgent[];
}

/** Repetitions removed, order kept. */
export function withoutRepetitions<T>(items: readonly T[]): T[] {
  return [...new Set(items)];
}

/**
 * Resolves addresses. What is addressed to many (everybody, a group, a topic) goes to whoever that is now, its sender left out.
 * NOT_FOUND for agents that do not exist or were removed, and for a broadcast or a group that reaches nobody; a topic may:
 * what is published there is kept, and a later subscriber does not get it. BAD_REQUEST when agents of several projects are
 * addressed at once, or of another one than stated; FORBIDDEN when an agent addresses many outside its project, and when
 * anybody publishes on a topic of the core's.
 *
 * All that are reached stand in `agents`, so the rule on boundaries holds for each of them: one that may not do what a task
 * asks refuses the whole send, as if it had been named.
 */
export function resolveRecipients(to: readonly Address[], context: AddressContext, directory: AgentDirectory): Resolved {
  const named = to.filter(isAgentAddress).map((id) => knownAgent(id, directory));
  const wide = to.find((address) => address !== OPERATOR && !isAgentAddress(address));
  const projectId = projectOf(named, wide, context);
  const agents = new Map<string, KnownAgent>(named.map((agent) => [agent.id, agent]));
  const recipients = new Set<string>();
  for (const address of to) {
    if (address === OPERATOR || isAgentAddress(address)) {
      recipients.add(address);
      continue;
    }
    for (const inbox of manyOf(address, projectId, context, directory)) {
      if (inbox.agent) agents.set(inbox.id, inbox.agent);
      recipients.add(inbox.id);
    }
  }
  return { projectId, recipients: [...recipients], agents: [...agents.values()] };
}

function isAgentAddress(address: Address): address is AgentId {
  return AgentId.safeParse(address).success;
}

interface Inbox {
  readonly id: string;
  /** Undefined for the operator's. */
  readonly agent: KnownAgent | undefined;
}

/** The inboxes behind an address of many, the sender's and those of removed agents left out. */
function manyOf(address: Address, projectId: ProjectId, context: AddressContext, directory: AgentDirectory): Inbox[] {
  const topic = topicOf(address);
  const group = groupOf(address);
  if (topic !== undefined && isCoreTopic(topic) && !context.isCore) throw coreTopic(topic);
  const ids =
    topic !== undefined
      ? directory.subscribersOf(projectId, topic)
      : group
        ? directory.membersOf(projectId, group)
        : [...directory.agentsOfProject(projectId), OPERATOR];
  const inboxes = ids
    .filter((id) => id !== context.senderInbox)
    .flatMap((id): Inbox[] => {
      if (id === OPERATOR) return [{ id, agent: undefined }];
      const known = AgentId.safeParse(id);
      const agent = known.success ? directory.resolveAgent(known.data) : undefined;
      return agent && !agent.isRemoved ? [{ id, agent }] : [];
    });
  if (inboxes.length > 0 || topic !== undefined) return inboxes;
  if (group) {
    const what = group.kind === 'capability' ? 'has the capability' : 'was made from the template';
    throw new AppError(
      'NOT_FOUND',
      `Nobody else in the project ${what} "${group.name}". Nothing was sent. See who can do what with list_agents (agents: discover_agents).`,
      { data: { field: 'to', address } },
    );
  }
  throw new AppError(
    'NOT_FOUND',
    'There is nobody else in the project to send this to. Nothing was sent. List agents with list_agents, or make one with spawn_agent.',
  );
}

function coreTopic(topic: string): AppError {
  return new AppError(
    'FORBIDDEN',
    `Only Quarterdeck itself publishes on "${topic}": what is said under ${CORE_TOPICS.map((word) => `"${word}."`).join(' and ')} is what it has seen. Nothing was sent. Choose a topic that begins with another word, such as "news.${topic}".`,
    { data: { field: 'to', topic } },
  );
}

function knownAgent(id: AgentId, directory: AgentDirectory): KnownAgent {
  const agent = directory.resolveAgent(id);
  if (agent && !agent.isRemoved) return agent;
  throw new AppError(
    'NOT_FOUND',
    `Agent "${id}" ${agent ? 'was removed' : 'does not exist'}. Nothing was sent. See who is there with list_agents (agents: discover_agents).`,
    {
      data: { agentId: id },
    },
  );
}

function projectOf(named: readonly KnownAgent[], wide: Address | undefined, context: AddressContext): ProjectId {
  const other = named.find((agent) => agent.projectId !== named[0]?.projectId);
  if (named[0] && other) {
    throw new AppError(
      'BAD_REQUEST',
      `Agents "${named[0].id}" and "${other.id}" belong to different projects. Nothing was sent. Send one message for each project.`,
      {
        data: { projects: [named[0].projectId, other.projectId] },
      },
    );
  }
  const fromAgents = named[0]?.projectId;
  if (fromAgents && context.projectId && fromAgents !== context.projectId) {
    throw new AppError(
      'BAD_REQUEST',
      `projectId is ${context.projectId}, but agent "${named[0]?.id}" belongs to ${fromAgents}. Nothing was sent. Leave projectId out: it is only needed for "*", topics and groups.`,
      {
        data: { field: 'projectId' },
      },
    );
  }
  const own = context.sender?.projectId;
  if (own && wide !== undefined && (fromAgents ?? context.projectId ?? own) !== own) {
    throw new AppError(
      'FORBIDDEN',
      `Agent "${context.sender?.id}" may address many ("${wide}") in its own project only. Nothing was sent. Name the agents you mean.`,
    );
  }
  const projectId = fromAgents ?? context.projectId ?? own ?? context.defaultProject;
  if (!projectId) {
    throw new AppError(
      'BAD_REQUEST',
      'No project is open, so there is nobody to send to. Nothing was sent. Open one by spawning an agent in a folder, or state projectId.',
      {
        data: { field: 'projectId' },
      },
    );
  }
  return projectId;
}
