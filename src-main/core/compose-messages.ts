/** Messages: the service, and what it is told of the crew. Only composes. */
import type { Logger } from 'pino';
import type { Agent } from '#shared/agents/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { toDisposable } from '#shared/kernel/disposable.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { AgentRegistry } from './agents/agent-registry.ts';
import type { AttachmentsService } from './attachments/attachments-service.ts';
import type { BoundaryRefusals } from './boundary/boundary-refusals.ts';
import type { Journal } from './journal/journal.ts';
import type { AgentEnd } from './messages/awaited-replies.ts';
import { MessagesService } from './messages/messages-service.ts';
import type { MiddlewareService } from './middleware/middleware-service.ts';
import type { ProvenanceService } from './provenance/provenance-service.ts';
import type { ProjectsService } from './projects/projects-service.ts';
import type { AppStore } from './reads.ts';
import type { SessionsService } from './sessions/sessions-service.ts';
import type { TopicsService } from './topics/topics-service.ts';

/** What they are made of. */
export interface MessagesParts {
  readonly store: AppStore;
  readonly registry: AgentRegistry;
  readonly sessions: SessionsService;
  readonly projects: ProjectsService;
  readonly boundaryRefusals: BoundaryRefusals;
  readonly topics: TopicsService;
  readonly provenance: ProvenanceService;
  readonly middleware: MiddlewareService;
  readonly attachments: AttachmentsService;
  readonly log: Logger;
}

/** The service, not opened yet. */
export function composeMessages({
  store,
  registry,
  sessions,
  projects,
  boundaryRefusals,
  topics,
  provenance,
  middleware,
  attachments,
  log,
}: MessagesParts): MessagesService {
  return new MessagesService({
    store,
    onStored: provenance.onStored,
    prepare: (draft, sender, caller) => middleware.prepare(draft, sender, caller),
    attachments: (stated, caller, projectId) => attachments.resolve(stated, caller, projectId),
    resolveAgent: (id) => {
      const agent = registry.find(id);
      if (agent) return { id, projectId: agent.projectId, boundary: agent.boundary, isRemoved: false };
      const removed = registry.findRemoved(id);
      return removed && { id, projectId: removed.projectId, boundary: removed.boundary, isRemoved: true };
    },
    agentsOfProject: (projectId) => registry.idsOf(projectId),
    membersOf: (projectId, { kind, name }) =>
      registry
        .all()
        .filter((agent) => agent.projectId === projectId)
        .filter((agent) => (kind === 'template' ? agent.template === name : agent.config.capabilities.includes(name)))
        .map((agent) => agent.id),
    subscribersOf: (projectId, topic) => topics.subscribersOf(projectId, topic),
    currentSession: () => sessions.currentId(),
    defaultProject: () => projects.latest()?.id,
    onWeaker: (refused, caller) => boundaryRefusals.record(refused, caller),
    log: (message, error) => log.error({ err: error }, message),
  });
}

/** What tells that an agent's answers will not come. */
export interface AgentEndsParts {
  readonly messages: MessagesService;
  readonly registry: AgentRegistry;
  readonly journal: Journal;
  readonly log: Logger;
}

/** Tells those who wait for an agent's answer that it ended, and lets die what removed agents were sent: from now on, and what an earlier core left undone. */
export function followAgentEnds({ messages, registry, journal, log }: AgentEndsParts): Disposable {
  const guard = (done: Promise<void>): void => {
    done.catch((error: unknown) => log.warn({ err: error }, 'that an agent ended could not be told to those who wait for it'));
  };
  const states = registry.onStateChange(({ before, after }) => {
    const end = endOf(after);
    if (end !== undefined && end !== endOf(before)) guard(messages.onAgentEnded(after.id, end));
  });
  const removals = journal.onCommitted((events) => {
    for (const { kind, subject } of events)
      if (kind === 'agent.removed') guard(messages.onAgentEnded(AgentId.parse(subject), 'removed'));
  });
  guard(
    messages.makeUpEnds((id) => {
      const agent = registry.find(id);
      const end = agent && endOf(agent);
      return end && { end, at: agent.state.since };
    }),
  );
  return toDisposable(() => {
    states.dispose();
    removals.dispose();
  });
}

function endOf({ state: { status } }: Agent): AgentEnd | undefined {
  return status === 'stopped' || status === 'failed' || status === 'lost' ? status : undefined;
}
