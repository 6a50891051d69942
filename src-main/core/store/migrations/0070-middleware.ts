/** Middleware: each project's chain, the modules that the operator accepted, and what was sent where a chain changed it. */
import type { Migration } from '#core/store/migrate.ts';

/** Chains and accepted modules. */
export const middleware: Migration = {
  version: 70,
  name: 'middleware',
  sql: `
    CREATE TABLE middleware_chains (
      project_id TEXT PRIMARY KEY REFERENCES projects(id),
      revision INTEGER NOT NULL,
      chain TEXT NOT NULL,
      updated_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE middleware_modules (
      name TEXT PRIMARY KEY,
      -- That of the installation: every project may name a module.
      project_id TEXT NOT NULL REFERENCES projects(id),
      sha256 TEXT NOT NULL,
      code TEXT NOT NULL,
      accepted_at INTEGER NOT NULL,
      accepted_by TEXT NOT NULL
    ) STRICT;
    -- What was asked for under an idempotency key where something else was stored: a keyed digest, not the text.
    CREATE TABLE middleware_inputs (
      message_id TEXT PRIMARY KEY,
      project_id TEXT NOT NULL REFERENCES projects(id),
      digest BLOB NOT NULL
    ) STRICT;
  `,
};
