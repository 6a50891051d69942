/** Procedures about projects. */
import * as z from 'zod';
import { ProjectId } from '#shared/kernel/ids.ts';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { FolderListing, Project } from './model.ts';

/** Procedures about projects. */
export const projectsContract = {
  open: procedure(command('open_project', 'MEDIUM', { toolset: 'core' }), {
    method: 'POST',
    path: '/projects',
    summary: 'Open a folder as a project',
    description:
      'Opens a folder as a project, or brings the project that it already is to the front. Spawns that name no project go to the one opened last. initGit makes a git repository of it first, if it is in none.',
  })
    .input(
      z.strictObject({
        folder: z.string().min(1).max(4_096).describe('Absolute path of an existing folder'),
        name: z.string().min(1).max(80).optional().describe("Shown name; the folder's own name when left out"),
        initGit: z
          .boolean()
          .default(false)
          .describe('Makes the folder a git repository first; CONFLICT when it lies within another repository'),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(Project),

  browse: procedure(
    { ...query('browse_folders'), role: 'automation' },
    {
      method: 'GET',
      path: '/projects:browse',
      summary: 'Look for a folder',
      description:
        'Lists the folders in a folder of the machine on which the core runs, at most 500, hidden ones last, and says which are git repositories; for choosing one to open with open_project. Without a path it starts in the home folder.',
    },
  )
    .input(z.strictObject({ path: z.string().min(1).max(4_096).optional().describe('Absolute path of a folder') }))
    .output(FolderListing),

  list: procedure(query('list_projects', 'core'), {
    method: 'GET',
    path: '/projects',
    summary: 'List projects',
    description: 'Lists the projects, the one opened last first.',
  })
    .input(z.strictObject({}))
    .output(z.object({ projects: z.array(Project) })),

  get: procedure(query('get_project'), {
    method: 'GET',
    path: '/projects/{id}',
    summary: 'Get one project',
    description: 'Returns one project.',
  })
    .input(z.strictObject({ id: ProjectId }))
    .output(Project),
};
