/** Proofs of boundaries: what was tried from inside and what happened. */
import type { Migration } from '#core/store/migrate.ts';

/** A row per proof. */
export const boundary: Migration = {
  version: 20,
  name: 'boundary',
  sql: `
    CREATE TABLE proofs (
      id TEXT PRIMARY KEY,
      project_id TEXT NOT NULL REFERENCES projects(id),
      agent_id TEXT NOT NULL,
      run_id TEXT NOT NULL,
      boundary TEXT NOT NULL,
      kind TEXT NOT NULL,
      at INTEGER NOT NULL,
      took_ms REAL NOT NULL,
      holds INTEGER NOT NULL,
      problem TEXT,
      checks TEXT NOT NULL,
      -- What an exhaustion proof is about, for all who are alike: image, options, engine.
      subject TEXT
    ) STRICT;
    CREATE INDEX proofs_by_agent ON proofs(agent_id, at);
    CREATE INDEX proofs_by_subject ON proofs(subject, at) WHERE subject IS NOT NULL;
  `,
};
