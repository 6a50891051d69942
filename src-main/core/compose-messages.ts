/** Messages: the service, and what it is told of the crew. Only composes. */
import type { Logger } from 'pino';
import type { AgentRegistry } from './agents/agent-registry.ts';
import type { AttachmentsService } from './attachments/attachments-service.ts';
import type { BoundaryRefusals } from './boundary/boundary-refusals.ts';
import { MessagesService } from './messages/messages-service.ts';
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
  readonly attachments: AttachmentsService;
  readonly log: Logger;
}

/** The service, not opened yet. */
export function composeMessages({ store, registry, sessions, projects, boundaryRefusals, topics, provenance, attachments, log }: MessagesParts): MessagesService {
  return new MessagesService({
    store,
    onStored: provenance.onStored,
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
