/** Handlers of the projects' procedures. */
import type { projectsContract } from '#shared/projects/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { ProjectsService } from './projects-service.ts';

/** Handlers of the projects' procedures. */
export function projectsHandlers(projects: ProjectsService): HandlersOf<typeof projectsContract> {
  return {
    open: (input, { caller }) => projects.openFolder(input.folder, caller, input.name),
    list: async () => ({ projects: projects.list() }),
    get: async (input) => projects.get(input.id),
  };
}
