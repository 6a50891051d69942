/** Files that go with messages: what is stored in the data folder, and which messages carry it. */
import type { Migration } from '#core/store/migrate.ts';

/** Attachments. */
export const attachments: Migration = {
  version: 100,
  name: 'attachments',
  sql: `
    -- A file in the folder "attachments", named after its SHA-256; several rows may share one.
    CREATE TABLE attachments (
      id TEXT PRIMARY KEY,
      project_id TEXT NOT NULL REFERENCES projects(id),
      name TEXT NOT NULL,
      media_type TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      sha256 TEXT NOT NULL,
      owner_kind TEXT NOT NULL,
      owner_id TEXT NOT NULL,
      created_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX attachments_by_content ON attachments(sha256);
    CREATE INDEX attachments_by_age ON attachments(created_at);
    CREATE INDEX attachments_by_project ON attachments(project_id, bytes);

    CREATE TABLE message_attachments (
      message_seq INTEGER NOT NULL REFERENCES messages(seq) ON DELETE CASCADE,
      attachment_id TEXT NOT NULL REFERENCES attachments(id),
      project_id TEXT NOT NULL REFERENCES projects(id),
      PRIMARY KEY (message_seq, attachment_id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX message_attachments_by_attachment ON message_attachments(attachment_id);

    -- Whatever stores a message keeps the files that it carries; whatever erases it gives them back.
    CREATE TRIGGER messages_carry_attachments AFTER INSERT ON messages WHEN NEW.attachments IS NOT NULL BEGIN
      INSERT OR IGNORE INTO message_attachments (message_seq, attachment_id, project_id)
        SELECT NEW.seq, a.id, NEW.project_id FROM json_each(NEW.attachments) j JOIN attachments a ON a.id = j.value ->> '$.source.id'
        WHERE j.value ->> '$.source.kind' = 'stored';
    END;
  `,
};
