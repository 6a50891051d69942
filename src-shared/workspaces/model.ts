/** What of a project an agent works on. */
import * as z from 'zod';
import { AgentId, ProjectId } from '#shared/kernel/ids.ts';

/** worktree: a git worktree of the project (agents on the host); clone: a private clone (contained agents); shared: the project folder. */
export const WorkspaceKind = z.enum(['worktree', 'clone', 'shared']);
/** How a workspace hangs together with its project. */
export type WorkspaceKind = z.infer<typeof WorkspaceKind>;

/** The workspace of one agent. */
export const AgentWorkspace = z.object({
  agentId: AgentId,
  projectId: ProjectId,
  kind: WorkspaceKind,
  /** On this machine. */
  folder: z.string(),
  /** Where the agent sees it: the same folder, or /workspace in a box. */
  inside: z.string(),
  /** The branch it works on; null when shared. */
  branch: z.string().nullable(),
  /** The commit it was made from; null when shared. */
  base: z.string().nullable(),
  createdAt: z.number().int(),
});
/** The workspace of one agent. */
export type AgentWorkspace = z.infer<typeof AgentWorkspace>;
