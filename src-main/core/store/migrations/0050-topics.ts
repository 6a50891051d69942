/** Topics: who subscribed to what, and what was published to. */
import type { Migration } from '#core/store/migrate.ts';

/** Subscriptions, and a row per topic that is kept with every message published to it. */
export const topics: Migration = {
  version: 50,
  name: 'topics',
  sql: `
    CREATE TABLE topic_subscriptions (
      project_id TEXT NOT NULL REFERENCES projects(id),
      -- An agent's id, or "operator".
      subscriber TEXT NOT NULL,
      pattern TEXT NOT NULL,
      subscribed_at INTEGER NOT NULL,
      PRIMARY KEY (project_id, subscriber, pattern)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE topics (
      project_id TEXT NOT NULL REFERENCES projects(id),
      name TEXT NOT NULL,
      -- Ever published to it.
      messages INTEGER NOT NULL,
      first_at INTEGER NOT NULL,
      last_at INTEGER NOT NULL,
      -- messages.seq of the last one, which may be kept no more.
      last_seq INTEGER NOT NULL,
      PRIMARY KEY (project_id, name)
    ) STRICT, WITHOUT ROWID;

    -- What was said on a topic, in its order; most messages have none.
    CREATE INDEX messages_by_topic ON messages(topic) WHERE topic IS NOT NULL;

    -- However a message comes into its table, by a send or an import: its topic is known in the same transaction.
    CREATE TRIGGER topics_follow_messages AFTER INSERT ON messages WHEN NEW.topic IS NOT NULL
    BEGIN
      INSERT INTO topics (project_id, name, messages, first_at, last_at, last_seq)
      VALUES (NEW.project_id, NEW.topic, 1, NEW.sent_at, NEW.sent_at, NEW.seq)
      ON CONFLICT (project_id, name) DO UPDATE
        SET messages = messages + 1, last_at = excluded.last_at, last_seq = excluded.last_seq;
    END;
  `,
};
