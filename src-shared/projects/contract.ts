/** Procedures about projects. */
import * as z from 'zod';
import { ProjectId } from '#shared/kernel/ids.ts';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { Project } from './model.ts';

/** Procedures about projects. */
export const projectsContract = {
  open: procedure(command('open_project', 'MEDIUM', { toolset: 'core' }), {
    method: 'POST',
    path: '/projects',
    summary: 'Open a folder as a project',
    description:
      'Opens a folder as a project, or brings the project that it already is to the front. Spawns that name no project go to the one opened last.',
  })
    .input(
      z.strictObject({
        folder: z.string().min(1).max(4_096).describe('Absolute path of an existing folder'),
        name: z.string().min(1).max(80).optional().describe("Shown name; the folder's own name when left out"),
        idempotencyKey: IdempotencyKey.optional(),
      }),
    )
    .output(Project),

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
