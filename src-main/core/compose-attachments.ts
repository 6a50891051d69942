/** Attachments: what they know of workspaces and projects. Only composes. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Agent } from '#shared/agents/model.ts';
import { isExternal } from '#shared/agents/model.ts';
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
    core: { dataDir: paths.dataDir, workspacesDir: paths.projects },
    workspaceOf: (id) => store.peek((db) => findWorkspace(db, id))?.folder ?? sharedFolderOf(registry.find(id), projects),
    projectFolder: (id) => projects.list().find((project) => project.id === id)?.folder,
    projectOf: (id) => (registry.find(id) ?? registry.findRemoved(id))?.projectId,
    defaultProject: () => projects.latest()?.id,
    log: (message, error) => log.error({ err: error }, message),
  });
  await service.open();
  onEnd(() => service.dispose());
  return service;
}

/**
 * Where an agent without a workspace of its own works: in the project's folder when it runs on the host. One in a box has a
 * workspace before it runs; one from outside runs nobody knows where, and need not be allowed to read anything here.
 */
function sharedFolderOf(agent: Agent | undefined, projects: ProjectsService): string | undefined {
  if (agent === undefined || isExternal(agent) || agent.boundary !== 'host') return undefined;
  return projects.list().find((project) => project.id === agent.projectId)?.folder;
}
