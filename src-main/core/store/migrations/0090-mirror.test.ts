import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Connection } from '#core/store/database.ts';
import { openDatabase } from '#core/store/database.ts';
import { migrate } from '#core/store/migrate.ts';
import { MIGRATIONS } from '#core/store/migrations.ts';
import { mirror } from './0090-mirror.ts';

let dir: string;
let db: Connection;
const migrateTo = (version: number): void => {
  migrate(
    db,
    MIGRATIONS.filter((migration) => migration.version <= version),
    (from) => join(dir, `backup-${from}.db`),
  );
};
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-0090-'));
  db = openDatabase(join(dir, 'quarterdeck.db'));
  migrateTo(mirror.version - 1);
  db.exec(`
    INSERT INTO projects VALUES ('p', 'p', '/p', 0, 0, 0);
    INSERT INTO sessions (id, project_id, started_at, ended_at) VALUES ('s', 'p', 1, 2);
    INSERT INTO messages (seq, id, project_id, session_id, from_kind, from_id, recipients, addressed_to, kind, priority, body, thread_id, originator, sent_at)
      VALUES (1, 'm', 'p', 's', 'agent', 'a', '[]', '[]', 'note', 2, 'b', 'm', '{}', 1);
    INSERT INTO deliveries (message_seq, recipient, project_id, priority, queued_at, delivered_at, read_at, size, awaits_reply)
      VALUES (1, 'read', 'p', 2, 1, 2, 3, 1, 0), (1, 'open', 'p', 2, 1, NULL, NULL, 1, 0);
  `);
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true });
});

const ends = (): unknown[] => db.prepare('SELECT message_seq, recipient FROM mirror_ends ORDER BY id').all();

it('leaves what there was before to be mirrored, ends included, and sessions as ones that ran here', () => {
  migrateTo(mirror.version);
  expect(ends()).toEqual([{ message_seq: 1, recipient: 'read' }]);
  expect(db.prepare('SELECT id, template, cursor FROM mirror_places').all()).toEqual([{ id: 1, template: null, cursor: 0 }]);
  expect(db.prepare('SELECT origin, imported_from, ended_at FROM sessions').all()).toEqual([
    { origin: 'core', imported_from: null, ended_at: 2 },
  ]);
});

it('notes every end and every return of a copy, and no other change of it', () => {
  migrateTo(mirror.version);
  db.exec('DELETE FROM mirror_ends');
  db.exec("UPDATE deliveries SET delivered_at = 5, attempts = 1 WHERE recipient = 'open'");
  db.exec("UPDATE deliveries SET read_at = read_at WHERE recipient = 'read'");
  expect(ends()).toEqual([]);
  db.exec("UPDATE deliveries SET dead_at = 6, dead_reason = 'expired' WHERE recipient = 'open'");
  db.exec("UPDATE deliveries SET dead_at = NULL, dead_reason = NULL WHERE recipient = 'open'");
  expect(ends()).toEqual([
    { message_seq: 1, recipient: 'open' },
    { message_seq: 1, recipient: 'open' },
  ]);
});

it('walks the history of a session by its index', () => {
  migrateTo(mirror.version);
  const plan = db
    .prepare(
      'EXPLAIN QUERY PLAN SELECT seq FROM messages INDEXED BY messages_by_session WHERE session_id = ? AND seq > ? ORDER BY seq LIMIT 5',
    )
    .all('s', 0) as { detail: string }[];
  expect(plan.map(({ detail }) => detail)).toEqual([
    expect.stringMatching(/USING COVERING INDEX messages_by_session \(session_id=\? AND rowid>\?\)/),
  ]);
});
