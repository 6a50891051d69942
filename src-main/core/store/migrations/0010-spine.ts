/** Projects, sessions, agents, messages, journal, tokens, secrets. Every row names its project. */
import type { Migration } from '#core/store/migrate.ts';

/** The first schema. */
export const spine: Migration = {
  version: 10,
  name: 'spine',
  sql: `
    CREATE TABLE projects (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      folder TEXT NOT NULL UNIQUE,
      is_git_repository INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      opened_at INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE sessions (
      id TEXT PRIMARY KEY,
      project_id TEXT NOT NULL REFERENCES projects(id),
      started_at INTEGER NOT NULL,
      ended_at INTEGER
    ) STRICT;

    CREATE TABLE agents (
      id TEXT PRIMARY KEY,
      project_id TEXT NOT NULL REFERENCES projects(id),
      config TEXT NOT NULL,
      template TEXT,
      state TEXT NOT NULL,
      says TEXT,
      run TEXT,
      boundary TEXT NOT NULL,
      boundary_note TEXT NOT NULL,
      starts INTEGER NOT NULL,
      created_at INTEGER NOT NULL,
      -- A removed agent keeps its row: its id is never used again.
      removed_at INTEGER
    ) STRICT;
    CREATE INDEX agents_by_project ON agents(project_id);

    CREATE TABLE messages (
      id TEXT PRIMARY KEY,
      project_id TEXT NOT NULL REFERENCES projects(id),
      session_id TEXT NOT NULL REFERENCES sessions(id),
      from_kind TEXT NOT NULL,
      from_id TEXT NOT NULL,
      recipients TEXT NOT NULL,
      addressed_to TEXT NOT NULL,
      kind TEXT NOT NULL,
      priority INTEGER NOT NULL,
      subject TEXT,
      body TEXT NOT NULL,
      data TEXT,
      in_reply_to TEXT,
      thread_id TEXT NOT NULL,
      originator TEXT NOT NULL,
      idempotency_key TEXT,
      sent_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX messages_once ON messages(from_kind, from_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
    CREATE INDEX messages_by_thread ON messages(thread_id, id);
    CREATE INDEX messages_by_project ON messages(project_id, id);

    -- Deliveries that are not read yet, in the order in which they are handed out: small, whatever the history.
    CREATE TABLE inbox (
      recipient TEXT NOT NULL,
      priority INTEGER NOT NULL,
      message_id TEXT NOT NULL REFERENCES messages(id),
      project_id TEXT NOT NULL REFERENCES projects(id),
      state TEXT NOT NULL CHECK (state IN ('queued', 'delivered')),
      PRIMARY KEY (recipient, priority, message_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX inbox_queued ON inbox(recipient, priority, message_id) WHERE state = 'queued';

    -- Every delivery, for as long as its message is kept.
    CREATE TABLE deliveries (
      message_id TEXT NOT NULL REFERENCES messages(id),
      recipient TEXT NOT NULL,
      project_id TEXT NOT NULL REFERENCES projects(id),
      queued_at INTEGER NOT NULL,
      delivered_at INTEGER,
      read_at INTEGER,
      PRIMARY KEY (message_id, recipient)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX deliveries_by_recipient ON deliveries(recipient, message_id);

    CREATE TABLE journal (
      seq INTEGER PRIMARY KEY,
      at INTEGER NOT NULL,
      project_id TEXT NOT NULL,
      actor_kind TEXT NOT NULL,
      actor_id TEXT NOT NULL,
      door TEXT NOT NULL,
      kind TEXT NOT NULL,
      subject TEXT NOT NULL,
      -- May be erased; its hash stays.
      data TEXT,
      data_hash BLOB NOT NULL,
      hash BLOB NOT NULL
    ) STRICT;
    CREATE INDEX journal_by_subject ON journal(subject, seq);
    CREATE INDEX journal_by_kind ON journal(kind, seq);

    CREATE TABLE tokens (
      id TEXT PRIMARY KEY,
      project_id TEXT NOT NULL,
      name TEXT NOT NULL,
      role TEXT NOT NULL,
      agent_id TEXT,
      -- SHA-256 of the token: the token itself is not kept.
      hash BLOB NOT NULL UNIQUE,
      created_at INTEGER NOT NULL,
      expires_at INTEGER,
      revoked_at INTEGER
    ) STRICT;
    CREATE INDEX tokens_by_agent ON tokens(agent_id) WHERE agent_id IS NOT NULL;

    CREATE TABLE secrets (
      project_id TEXT NOT NULL,
      name TEXT NOT NULL,
      -- AES-256-GCM: nonce, ciphertext and tag in one blob.
      sealed BLOB NOT NULL,
      created_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      PRIMARY KEY (project_id, name)
    ) STRICT, WITHOUT ROWID;

    -- Results of commands that were sent with an idempotency key.
    CREATE TABLE command_results (
      actor TEXT NOT NULL,
      procedure TEXT NOT NULL,
      idempotency_key TEXT NOT NULL,
      project_id TEXT NOT NULL,
      input_hash BLOB NOT NULL,
      result TEXT NOT NULL,
      at INTEGER NOT NULL,
      PRIMARY KEY (actor, procedure, idempotency_key)
    ) STRICT, WITHOUT ROWID;

    -- Small facts about this data folder, such as the agent port that was chosen.
    CREATE TABLE facts (
      project_id TEXT NOT NULL,
      name TEXT NOT NULL,
      value TEXT NOT NULL,
      PRIMARY KEY (project_id, name)
    ) STRICT, WITHOUT ROWID;

    -- Rows about the whole installation belong to this project.
    INSERT INTO projects VALUES ('prj_00000000-0000-7000-8000-000000000000', 'Quarterdeck', '', 0, 0, 0);
  `,
};
