/** Procedures about workspaces. */
import * as z from 'zod';
import { AgentId } from '#shared/kernel/ids.ts';
import { command, IdempotencyKey, procedure, query } from '#shared/kernel/procedure.ts';
import { AgentWorkspace } from './model.ts';

/** What of a branch the project has not. */
const BranchState = z.object({
  /** Commits on the agent's branch that its base has not. */
  ahead: z.number().int(),
  /** Files that differ from the last commit, untracked ones included. */
  changedFiles: z.number().int(),
  head: z.string().nullable(),
});

/** Procedures about workspaces. */
export const workspacesContract = {
  get: procedure(query('get_workspace'), {
    method: 'GET',
    path: '/agents/{id}/workspace',
    summary: 'Get the workspace of an agent',
    description: 'Which folder and branch an agent works on, and what is new there. Null before its first start.',
  })
    .input(z.strictObject({ id: AgentId }))
    .output(z.object({ workspace: AgentWorkspace.nullable(), state: BranchState.nullable() })),

  fetch: procedure(command('fetch_workspace', 'LOW'), {
    method: 'POST',
    path: '/agents/{id}/workspace/fetch',
    summary: 'Fetch the branch of a contained agent',
    description:
      "Brings the commits of a contained agent's branch into the project, under the branch of its workspace. Nothing of the agent's repository is run or taken over but objects and the one branch. Of an agent with a worktree they are there already.",
  })
    .input(z.strictObject({ id: AgentId, idempotencyKey: IdempotencyKey.optional() }))
    .output(z.object({ branch: z.string(), commit: z.string(), commits: z.number().int() })),

  remove: procedure(command('remove_workspace', 'HIGH'), {
    method: 'DELETE',
    path: '/agents/{id}/workspace',
    summary: 'Remove the workspace of an agent',
    description:
      'Removes the folder of an agent that does not run. Refused while it holds changes that are nowhere else, unless force=true; its branch stays in the project.',
  })
    .input(z.strictObject({ id: AgentId, force: z.boolean().default(false), idempotencyKey: IdempotencyKey.optional() }))
    .output(z.object({ folder: z.string() })),
};
