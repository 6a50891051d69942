/** Handlers of the projects' procedures. */
import type { projectsContract } from '#shared/projects/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import { browseFolders } from './browse-folders.ts';
import type { ProjectsService } from './projects-service.ts';

/** Handlers of the projects' procedures. */
export function projectsHandlers(projects: ProjectsService): HandlersOf<typeof projectsContract> {
  return {
    open: (input, { caller }) => projects.openFolder(input.folder, caller, input.name),
    browse: (input) => browseFolders(input.path),
    list: async () => ({ projects: projects.list() }),
    get: async (input) => projects.get(input.id),
  };
}
