/** Attachments: what they know of workspaces and projects. Only composes. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { AttachmentsService } from './attachments/attachments-service.ts';
import type { AgentRegistry } from './agents/agent-registry.ts';
import type { DataPaths } from './paths.ts';
import type { ProjectsService } from './projects/projects-service.ts';
import type { AppStore } from './reads.ts';
import { findWorkspace } from './workspaces/workspaces-repository.ts';

/** What they are made of. */
export interface AttachmentsParts {
  readonly store: AppStore;
  readonly paths: DataPaths;
  readonly registry: AgentRegistry;
  readonly projects: ProjectsService;
  readonly log: Logger;
  readonly onEnd: (end: () => void) => void;
}

/** The service, open. */
export async function composeAttachments({
  store,
  paths,
  registry,
  projects,
  log,
  onEnd,
}: AttachmentsParts): Promise<AttachmentsService> {
  const service = new AttachmentsService({
    store,
    dir: join(paths.dataDir, 'attachments'),
    workspaceOf: (id) => store.peek((db) => findWorkspace(db, id))?.folder,
    projectFolder: (id) => projects.list().find((project) => project.id === id)?.folder,
    projectOf: (id) => (registry.find(id) ?? registry.findRemoved(id))?.projectId,
    defaultProject: () => projects.latest()?.id,
    log: (message, error) => log.error({ err: error }, message),
  });
  await service.open();
  onEnd(() => service.dispose());
  return service;
}
