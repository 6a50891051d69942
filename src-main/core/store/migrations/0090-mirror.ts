/** Sessions in files: what of the messages is mirrored, and where; sessions that were imported. */
import type { Migration } from '#core/store/migrate.ts';

/** The mirror's state, and what sessions gain. */
export const mirror: Migration = {
  version: 90,
  name: 'mirror',
  sql: `
    ALTER TABLE sessions ADD COLUMN origin TEXT NOT NULL DEFAULT 'core';
    ALTER TABLE sessions ADD COLUMN imported_at INTEGER;
    -- What it was imported from; one session for each source, however often it is imported.
    ALTER TABLE sessions ADD COLUMN imported_from TEXT;
    CREATE UNIQUE INDEX sessions_imported ON sessions(imported_from) WHERE imported_from IS NOT NULL;
    CREATE INDEX sessions_by_start ON sessions(started_at);

    -- The history of one session, and how many messages it has.
    CREATE INDEX messages_by_session ON messages(session_id);

    -- Who took part in a session: added by the mirror as it goes, never taken away.
    CREATE TABLE session_participants (
      session_id TEXT NOT NULL REFERENCES sessions(id),
      participant TEXT NOT NULL,
      project_id TEXT NOT NULL REFERENCES projects(id),
      PRIMARY KEY (session_id, participant)
    ) STRICT, WITHOUT ROWID;

    -- Where messages are mirrored. Place 1 is the data folder: everything that no other place has.
    CREATE TABLE mirror_places (
      id INTEGER PRIMARY KEY,
      project_id TEXT NOT NULL REFERENCES projects(id),
      -- A folder inside the project; NULL for the data folder.
      template TEXT,
      -- It has the project's messages after from_seq, up to until_seq once it has been closed.
      from_seq INTEGER NOT NULL,
      until_seq INTEGER,
      -- The last message that is in it, for good.
      cursor INTEGER NOT NULL
    ) STRICT;
    INSERT INTO mirror_places VALUES (1, 'prj_00000000-0000-7000-8000-000000000000', NULL, 0, NULL, 0);

    -- The files of one session in one place: which file is written to, and how much of it is there for good.
    CREATE TABLE mirror_folders (
      place_id INTEGER NOT NULL REFERENCES mirror_places(id),
      session_id TEXT NOT NULL REFERENCES sessions(id),
      project_id TEXT NOT NULL REFERENCES projects(id),
      folder TEXT NOT NULL,
      number INTEGER NOT NULL,
      -- As text: it may be larger than what a number holds. Devices change their numbers when a machine starts.
      inode TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      total_bytes INTEGER NOT NULL,
      PRIMARY KEY (place_id, session_id)
    ) STRICT, WITHOUT ROWID;

    -- Deliveries that ended, or were taken up again, and are not in the mirror yet. Written with the change itself, whatever
    -- made it: an acknowledgement is in no other list.
    CREATE TABLE mirror_ends (
      id INTEGER PRIMARY KEY,
      message_seq INTEGER NOT NULL,
      recipient TEXT NOT NULL,
      project_id TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER mirror_end AFTER UPDATE OF read_at, dead_at ON deliveries
    WHEN NEW.read_at IS NOT OLD.read_at OR NEW.dead_at IS NOT OLD.dead_at
    BEGIN
      INSERT INTO mirror_ends (message_seq, recipient, project_id) VALUES (NEW.message_seq, NEW.recipient, NEW.project_id);
    END;
    -- From before: what has ended is in the mirror as soon as its message is.
    INSERT INTO mirror_ends (message_seq, recipient, project_id)
      SELECT message_seq, recipient, project_id FROM deliveries WHERE read_at IS NOT NULL OR dead_at IS NOT NULL;
  `,
};
