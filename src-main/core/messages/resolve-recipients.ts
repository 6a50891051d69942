/** From what a message is addressed to, to the inboxes it goes to. Pure but for the directory it asks. */
import { AppError } from '#shared/kernel/errors.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { Address, Group, TopicName } from '#shared/messages/model.ts';
import { BROADCAST, groupOf, OPERATOR, topicOf } from '#shared/messages/model.ts';
import type { Boundary } from '#shared/runtimes/model.ts';

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
  /** The inbox of the sender, which a broadcast leaves out; undefined when it has none. */
  readonly senderInbox: string | undefined;
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
 * Resolves addresses. NOT_FOUND for agents that do not exist or were removed and for a broadcast that reaches nobody;
 * BAD_REQUEST when agents of several projects are addressed at once, or of another one than stated; FORBIDDEN when an
 * agent broadcasts outside its project.
 */
export function resolveRecipients(to: readonly Address[], context: AddressContext, directory: AgentDirectory): Resolved {
  const named = to.filter(isAgentAddress).map((id) => knownAgent(id, directory));
  const isWide = to.some((address) => address !== OPERATOR && !isAgentAddress(address));
  const projectId = projectOf(named, isWide, context);
  const agents = new Map<string, KnownAgent>(named.map((agent) => [agent.id, agent]));
  const recipients = new Set<string>();
  for (const address of to) {
    if (address === OPERATOR || isAgentAddress(address)) {
      recipients.add(address);
      continue;
    }
    for (const id of inboxesOf(address, projectId, directory)) {
      if (id === OPERATOR && id !== context.senderInbox) recipients.add(id);
      const agentId = AgentId.safeParse(id);
      if (!agentId.success) continue;
      const agent = directory.resolveAgent(agentId.data);
      if (!agent || agent.isRemoved || id === context.senderInbox) continue;
      agents.set(id, agent);
      recipients.add(id);
    }
    if (address === BROADCAST && context.senderInbox !== OPERATOR) recipients.add(OPERATOR);
  }
  // A topic that nobody subscribed to is published all the same.
  if (recipients.size === 0 && !to.some((address) => topicOf(address) !== undefined)) {
    throw new AppError(
      'NOT_FOUND',
      'There is nobody else in the project to send this to. Nothing was sent. List agents with list_agents, or make one with spawn_agent.',
    );
  }
  return { projectId, recipients: [...recipients], agents: [...agents.values()] };
}

function isAgentAddress(address: Address): address is AgentId {
  return AgentId.safeParse(address).success;
}

function inboxesOf(address: Address, projectId: ProjectId, directory: AgentDirectory): readonly string[] {
  const topic = topicOf(address);
  if (topic !== undefined) return directory.subscribersOf(projectId, topic);
  const group = groupOf(address);
  return group ? directory.membersOf(projectId, group) : directory.agentsOfProject(projectId);
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

function projectOf(named: readonly KnownAgent[], isBroadcast: boolean, context: AddressContext): ProjectId {
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
      `projectId is ${context.projectId}, but agent "${named[0]?.id}" belongs to ${fromAgents}. Nothing was sent. Leave projectId out: it is only needed for "*".`,
      {
        data: { field: 'projectId' },
      },
    );
  }
  const own = context.sender?.projectId;
  if (own && isBroadcast && (fromAgents ?? context.projectId ?? own) !== own) {
    throw new AppError(
      'FORBIDDEN',
      `Agent "${context.sender?.id}" may address everybody ("*") in its own project only. Nothing was sent. Name the agents you mean.`,
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
