/** Agents from outside: the codes that let them in, and their requests to be let in. */
import type { Migration } from '#core/store/migrate.ts';

/** A row per code and per request. Of both the secret is kept as its SHA-256 alone. */
export const enrolments: Migration = {
  version: 80,
  name: 'enrolments',
  sql: `
    CREATE TABLE enrolment_codes (
      id TEXT PRIMARY KEY,
      -- The project it is for; the system's own when it is for any.
      project_id TEXT NOT NULL REFERENCES projects(id),
      hash BLOB NOT NULL UNIQUE,
      agent_id TEXT,
      -- The capabilities that it allows at most, as JSON; null: any.
      capabilities TEXT,
      note TEXT NOT NULL,
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      revoked_at INTEGER,
      -- The agent that came with it, and the SHA-256 of the key that this client repeats it with.
      used_at INTEGER,
      used_by TEXT,
      client_hash BLOB,
      CHECK ((used_at IS NULL) = (used_by IS NULL))
    ) STRICT;
    CREATE INDEX enrolment_codes_by_expiry ON enrolment_codes(expires_at);
    CREATE TABLE enrolment_requests (
      id TEXT PRIMARY KEY,
      project_id TEXT NOT NULL REFERENCES projects(id),
      hash BLOB NOT NULL UNIQUE,
      status TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'denied', 'expired')),
      requested_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      -- The agent that was made of it.
      agent_id TEXT,
      -- What it asks for, as JSON.
      wish TEXT NOT NULL
    ) STRICT;
    CREATE INDEX enrolment_requests_by_status ON enrolment_requests(status, expires_at);
  `,
};
