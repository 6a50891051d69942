/** Workspaces: what of its project each agent works on. */
import type { Migration } from '#core/store/migrate.ts';

/** A row per agent that has been started. */
export const workspaces: Migration = {
  version: 40,
  name: 'workspaces',
  sql: `
    CREATE TABLE workspaces (
      agent_id TEXT PRIMARY KEY REFERENCES agents(id),
      project_id TEXT NOT NULL REFERENCES projects(id),
      kind TEXT NOT NULL,
      folder TEXT NOT NULL,
      inside TEXT NOT NULL,
      branch TEXT,
      base TEXT,
      created_at INTEGER NOT NULL
    ) STRICT;
  `,
};
