import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Connection } from '#core/store/database.ts';
import { openDatabase } from '#core/store/database.ts';
import { migrate } from '#core/store/migrate.ts';
import { MIGRATIONS } from '#core/store/migrations.ts';
import { egress } from './0030-egress.ts';

let dir: string;
let db: Connection;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-0030-'));
  db = openDatabase(join(dir, 'quarterdeck.db'));
  migrate(
    db,
    MIGRATIONS.filter(({ version }) => version < egress.version),
    (version) => join(dir, `backup-${version}.db`),
  );
});
afterEach(() => {
  db.close();
  rmSync(dir, { recursive: true });
});

const INSERT = `INSERT INTO egress_connections (log, connection, project_id, agent_id, via, host, port, protocol, address, outcome,
  reason, at, duration_ms, sent_bytes, received_bytes, count) VALUES (?, ?, 'p', 'a1', 'connect', 'a.org', 443, 'tls', NULL, 'refused', 'r', 1, 0, 0, 0, 1)`;

it('adds connections, each once in its log, to a database that has what there was before', () => {
  db.prepare("INSERT INTO facts (project_id, name, value) VALUES ('p', 'kept', 'yes')").run();
  migrate(db, [egress], (version) => join(dir, `backup-${version}.db`));
  expect(db.prepare("SELECT value FROM facts WHERE name = 'kept'").get()).toEqual({ value: 'yes' });
  db.prepare(INSERT).run(1, 1);
  db.prepare(INSERT).run(2, 1);
  expect(() => db.prepare(INSERT).run(1, 1)).toThrow(/UNIQUE/);
  expect(db.prepare('SELECT id, log FROM egress_connections ORDER BY id').all()).toEqual([
    { id: 1, log: 1 },
    { id: 2, log: 2 },
  ]);
});

it('finds the refusals of an agent without walking the others', () => {
  migrate(db, [egress], (version) => join(dir, `backup-${version}.db`));
  const plan = db
    .prepare(
      `EXPLAIN QUERY PLAN SELECT host, port, protocol, sum(count), max(at) FROM egress_connections
       WHERE outcome = 'refused' AND reason = 'r' AND agent_id IN ('a1', 'a2') GROUP BY agent_id, host, port, protocol`,
    )
    .all() as { detail: string }[];
  expect(plan[0]?.detail).toContain('USING COVERING INDEX egress_refused (agent_id=? AND reason=?)');
});
