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
      -- The order in which messages were stored. Ids sort by the clock, which may be set back between two starts.
      -- Never given again, not even when the newest messages were removed: proofs and cursors name it.
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
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
      sent_at INTEGER NOT NULL,
      -- As asked for, and the time it comes to; both NULL when the message waits for ever.
      ttl_ms INTEGER,
      expires_at INTEGER,
      topic TEXT,
      -- A JSON array; NULL when there are none.
      attachments TEXT,
      not_before INTEGER,
      reply_by INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX messages_once ON messages(from_kind, from_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
    -- Pages of the history, newest first: in each index seq follows the columns named.
    CREATE INDEX messages_by_thread ON messages(thread_id);
    CREATE INDEX messages_by_project ON messages(project_id);
    CREATE INDEX messages_by_sender ON messages(from_id);
    CREATE INDEX messages_by_kind ON messages(kind, priority);

    -- How many messages each project has, kept with every change: counting them takes longer the more there are.
    CREATE TABLE message_counts (
      project_id TEXT PRIMARY KEY REFERENCES projects(id),
      total INTEGER NOT NULL,
      requests INTEGER NOT NULL,
      -- Those with at least one dead delivery.
      dead INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- A message's copy in each recipient's inbox, for as long as the message is kept.
    CREATE TABLE deliveries (
      message_seq INTEGER NOT NULL REFERENCES messages(seq),
      recipient TEXT NOT NULL,
      project_id TEXT NOT NULL REFERENCES projects(id),
      priority INTEGER NOT NULL,
      queued_at INTEGER NOT NULL,
      delivered_at INTEGER,
      read_at INTEGER,
      -- The message's; NULL when it waits for ever.
      expires_at INTEGER,
      dead_at INTEGER,
      dead_reason TEXT,
      -- How often it was handed out.
      attempts INTEGER NOT NULL DEFAULT 0,
      -- Until when its recipient has it for itself. NULL unless it is handed out; always NULL in the operator's inbox.
      leased_until INTEGER,
      -- Until when a queued one is handed to nobody; NULL when it may be now.
      held_until INTEGER,
      -- Characters of the body and the data: what it counts in its inbox.
      size INTEGER NOT NULL,
      -- Whether its sender waits for this recipient's answer, and until when it wants one; NULL once it was told.
      awaits_reply INTEGER NOT NULL,
      reply_by INTEGER,
      -- The next time at which something becomes of it by itself; NULL when nothing does.
      due_at INTEGER AS (nullif(min(
        CASE WHEN read_at IS NULL AND dead_at IS NULL THEN coalesce(expires_at, 9007199254740991) ELSE 9007199254740991 END,
        coalesce(leased_until, 9007199254740991),
        coalesce(held_until, 9007199254740991),
        coalesce(reply_by, 9007199254740991)), 9007199254740991)) VIRTUAL,
      PRIMARY KEY (message_seq, recipient),
      CHECK (read_at IS NULL OR delivered_at IS NOT NULL),
      CHECK (read_at IS NULL OR dead_at IS NULL),
      CHECK ((dead_at IS NULL) = (dead_reason IS NULL)),
      CHECK (leased_until IS NULL OR (delivered_at IS NOT NULL AND read_at IS NULL AND dead_at IS NULL)),
      CHECK (held_until IS NULL OR (delivered_at IS NULL AND dead_at IS NULL)),
      CHECK (reply_by IS NULL OR awaits_reply = 1)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX deliveries_by_recipient ON deliveries(recipient, priority, message_seq) WHERE dead_at IS NULL;
    -- The inbox: what is not read yet, and what may be handed out now. Both stay small, whatever the history.
    CREATE INDEX deliveries_unread ON deliveries(recipient, priority, message_seq) WHERE read_at IS NULL AND dead_at IS NULL;
    CREATE INDEX deliveries_queued ON deliveries(recipient, priority, message_seq) WHERE delivered_at IS NULL AND dead_at IS NULL AND held_until IS NULL;
    -- The same by age, for the history of what is not settled.
    CREATE INDEX deliveries_open ON deliveries(message_seq) WHERE read_at IS NULL AND dead_at IS NULL;
    CREATE INDEX deliveries_due ON deliveries(due_at, message_seq) WHERE due_at IS NOT NULL;
    CREATE INDEX deliveries_awaited ON deliveries(recipient, message_seq) WHERE awaits_reply = 1;
    CREATE INDEX deliveries_dead ON deliveries(message_seq) WHERE dead_at IS NOT NULL;
    CREATE INDEX deliveries_dead_by_recipient ON deliveries(recipient, message_seq) WHERE dead_at IS NOT NULL;

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
      -- NULL when the result held a secret: such a result is not kept.
      result TEXT,
      at INTEGER NOT NULL,
      PRIMARY KEY (actor, procedure, idempotency_key)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX command_results_by_age ON command_results(at);

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
