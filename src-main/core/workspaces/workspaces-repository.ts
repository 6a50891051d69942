/** SQL of workspaces. */
import * as z from 'zod';
import { AgentWorkspace } from '#shared/workspaces/model.ts';
import type { Db } from '#core/store/database.ts';

const Row = z
  .object({
    agent_id: z.string(),
    project_id: z.string(),
    kind: z.string(),
    folder: z.string(),
    inside: z.string(),
    branch: z.string().nullable(),
    base: z.string().nullable(),
    created_at: z.number(),
  })
  .transform((row) =>
    AgentWorkspace.parse({
      agentId: row.agent_id,
      projectId: row.project_id,
      kind: row.kind,
      folder: row.folder,
      inside: row.inside,
      branch: row.branch,
      base: row.base,
      createdAt: row.created_at,
    }),
  );

/** The workspace of an agent, if it has one. */
export function findWorkspace(db: Db, agentId: string): AgentWorkspace | undefined {
  const row = db.prepare('SELECT * FROM workspaces WHERE agent_id = ?').get(agentId);
  return row === undefined ? undefined : Row.parse(row);
}

/** The workspaces of all agents, those of removed ones among them. */
export function allWorkspaces(db: Db): AgentWorkspace[] {
  return db
    .prepare('SELECT * FROM workspaces')
    .all()
    .map((row) => Row.parse(row));
}

/** Keeps the workspace of an agent, in place of an earlier one. */
export function saveWorkspace(db: Db, workspace: AgentWorkspace): void {
  db.prepare(
    'INSERT OR REPLACE INTO workspaces (agent_id, project_id, kind, folder, inside, branch, base, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  ).run(
    workspace.agentId,
    workspace.projectId,
    workspace.kind,
    workspace.folder,
    workspace.inside,
    workspace.branch,
    workspace.base,
    workspace.createdAt,
  );
}

/** Forgets the workspace of an agent. */
export function forgetWorkspace(db: Db, agentId: string): void {
  db.prepare('DELETE FROM workspaces WHERE agent_id = ?').run(agentId);
}
