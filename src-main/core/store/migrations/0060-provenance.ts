/** Provenance: the hash of each message, one signature for each commit, and the keys. */
import type { Migration } from '#core/store/migrate.ts';

/** Leaves, batches and keys. */
export const provenance: Migration = {
  version: 60,
  name: 'provenance',
  sql: `
    -- The hash of a message, kept also when the message is not. No reference: it outlives the row.
    CREATE TABLE message_leaves (
      -- The message's; those of one batch lie together, in their order.
      seq INTEGER PRIMARY KEY,
      project_id TEXT NOT NULL,
      leaf BLOB NOT NULL,
      -- Set when retention deleted the message: an HMAC that only the core can make.
      removed BLOB
    ) STRICT;

    CREATE TABLE message_batches (
      number INTEGER PRIMARY KEY,
      -- Of the whole installation: messages of several projects share a commit.
      project_id TEXT NOT NULL,
      id TEXT NOT NULL UNIQUE,
      -- Its leaves are those from here to before the next batch's.
      first_seq INTEGER NOT NULL UNIQUE,
      count INTEGER NOT NULL,
      root BLOB NOT NULL,
      at INTEGER NOT NULL,
      previous BLOB NOT NULL,
      key_id TEXT NOT NULL,
      signature BLOB NOT NULL
    ) STRICT;

    CREATE TABLE message_keys (
      key_id TEXT PRIMARY KEY,
      project_id TEXT NOT NULL,
      public_key BLOB NOT NULL,
      since INTEGER NOT NULL,
      until INTEGER,
      previous_key_id TEXT,
      introduction TEXT,
      introduction_signature BLOB,
      -- An HMAC over the other columns that only the core can make.
      seal BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
