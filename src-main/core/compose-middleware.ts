/** Middleware: what it is told of the crew, the secrets and what was sent before. Only composes. */
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Agent } from '#shared/agents/model.ts';
import { messageOf } from '#shared/kernel/errors.ts';
import type { AgentRegistry } from './agents/agent-registry.ts';
import type { Journal } from './journal/journal.ts';
import { findByKey } from './messages/messages-repository.ts';
import type { ChainAgent } from './middleware/middleware-service.ts';
import { MiddlewareService } from './middleware/middleware-service.ts';
import type { DataPaths } from './paths.ts';
import type { ProjectsService } from './projects/projects-service.ts';
import type { AppStore } from './reads.ts';
import type { SecretsService } from './secrets/secrets-service.ts';

/** What it is made of. */
export interface MiddlewareParts {
  readonly store: AppStore;
  readonly paths: DataPaths;
  readonly registry: AgentRegistry;
  readonly projects: ProjectsService;
  readonly secrets: SecretsService;
  readonly journal: Journal;
  readonly auditKey: Uint8Array;
  readonly log: Logger;
  readonly onEnd: (end: () => void) => void;
}

/** The service, open. */
export async function composeMiddleware(o: MiddlewareParts): Promise<MiddlewareService> {
  const service = new MiddlewareService({
    store: o.store,
    folder: join(o.paths.dataDir, 'middleware'),
    agentOf: (id) => {
      const agent = o.registry.find(id);
      return agent && chainAgent(agent);
    },
    agentsOf: (projectId) =>
      o.registry
        .all()
        .filter((agent) => agent.projectId === projectId)
        .map(chainAgent),
    defaultProject: () => o.projects.latest()?.id,
    isProject: (id) => o.projects.list().some((project) => project.id === id),
    secrets: {
      list: () => o.secrets.list(),
      reveal: ({ name, projectId }) => {
        try {
          return o.secrets.reveal(name, projectId);
        } catch (error) {
          o.log.warn({ name, problem: messageOf(error) }, 'a secret cannot be opened, so it is not looked for in messages');
          return undefined;
        }
      },
    },
    // A key of its own, so that what one is used for tells nothing about the other.
    digestKey: createHmac('sha256', o.auditKey).update('middleware.inputs').digest(),
    findByKey: (from, key) => o.store.peek((db) => findByKey(db, from, key)),
    log: (message, error) => o.log.error({ err: error }, message),
  });
  await service.open();
  const following = o.journal.onCommitted((events) => {
    if (events.some(({ kind }) => kind === 'secret.set' || kind === 'secret.removed')) service.noteSecretsChanged();
  });
  o.onEnd(() => {
    following.dispose();
    service.dispose();
  });
  return service;
}

function chainAgent({ id, projectId, template, config }: Agent): ChainAgent {
  return { kind: 'agent', id, projectId, template, capabilities: config.capabilities };
}
