/** Handlers of the projects' procedures. */
import type { projectsContract } from '#shared/projects/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import { browseFolders } from './browse-folders.ts';
import { initRepository } from './git.ts';
import type { ProjectsService } from './projects-service.ts';
import { realFolder } from './projects-service.ts';

/** Handlers of the projects' procedures. `env` is the environment that git is found by. */
export function projectsHandlers(projects: ProjectsService, env: NodeJS.ProcessEnv): HandlersOf<typeof projectsContract> {
  return {
    open: async (input, { caller }) => {
      if (input.initGit) await initRepository(await realFolder(input.folder), env);
      return projects.openFolder(input.folder, caller, input.name);
    },
    browse: (input) => browseFolders(input.path),
    list: async () => ({ projects: projects.list() }),
    get: async (input) => projects.get(input.id),
  };
}
