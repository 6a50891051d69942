/** What the journal says about workspaces. The subject is the agent's id. */
import * as z from 'zod';
import { AgentWorkspace } from './model.ts';

/** Data of each journal event about workspaces, by kind. */
export const workspaceEvents = {
  'workspace.created': z.object({ workspace: AgentWorkspace }),
  /** The core took over the commits of a contained agent's branch. */
  'workspace.fetched': z.object({ branch: z.string(), commit: z.string(), commits: z.number().int() }),
  'workspace.removed': z.object({ folder: z.string() }),
};
