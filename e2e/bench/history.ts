/** Fills a store with a long history, while no core runs: rows as the product writes them, all read. And waits until a core has indexed it. */
import { closeSync, fsyncSync, openSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import type { RestClient } from '#e2e/support/rest-client.ts';
import { openDatabase } from '#core/store/database.ts';
import { uuidv7 } from '#shared/kernel/ids.ts';

const SOME_BODY = 'y'.repeat(490);

/** Adds `count` read messages between the agents of a data folder that no core uses; `bodyOf` gives their texts by number. */
export function fillHistory(dataDir: string, count: number, bodyOf: (number: number) => string = () => SOME_BODY): void {
  const db = openDatabase(join(dataDir, 'quarterdeck.db'));
  const One = z.object({ project_id: z.string(), session_id: z.string(), seq: z.number() });
  const facts = One.parse(
    db
      .prepare(
        'SELECT (SELECT project_id FROM agents LIMIT 1) AS project_id, (SELECT id FROM sessions ORDER BY started_at DESC LIMIT 1) AS session_id, (SELECT coalesce(max(seq), 0) FROM messages) AS seq',
      )
      .get(),
  );
  const agents = z
    .array(z.object({ id: z.string() }))
    .parse(db.prepare('SELECT id FROM agents').all())
    .map((row) => row.id);
  const message = db.prepare(
    `INSERT INTO messages (seq, id, project_id, session_id, from_kind, from_id, recipients, addressed_to, kind, priority, subject, body, data, in_reply_to, thread_id, originator, idempotency_key, sent_at)
     VALUES (?, ?, ?, ?, 'agent', ?, ?, ?, 'note', 2, NULL, ?, NULL, NULL, ?, ?, NULL, ?)`,
  );
  const delivery = db.prepare(
    'INSERT INTO deliveries (message_seq, recipient, project_id, priority, queued_at, delivered_at, read_at, size, awaits_reply) VALUES (?, ?, ?, 2, ?, ?, ?, 490, 0)',
  );
  db.pragma('synchronous = OFF');
  for (let done = 0; done < count;) {
    db.exec('BEGIN');
    for (let n = 0; n < 20_000 && done < count; n += 1, done += 1) {
      const at = Date.now();
      const id = `msg_${uuidv7()}`;
      const from = agents[done % agents.length] ?? '';
      const to = agents[(done * 7 + 1) % agents.length] ?? '';
      const seq = facts.seq + done + 1;
      message.run(
        seq,
        id,
        facts.project_id,
        facts.session_id,
        from,
        JSON.stringify([to]),
        JSON.stringify([to]),
        bodyOf(done),
        id,
        JSON.stringify({ kind: 'agent', id: from, boundary: 'host' }),
        at,
      );
      delivery.run(seq, to, facts.project_id, at, at, at);
    }
    db.exec('COMMIT');
  }
  db.prepare(
    `INSERT INTO message_counts (project_id, total, requests, dead) VALUES (?, ?, 0, 0)
     ON CONFLICT DO UPDATE SET total = total + excluded.total`,
  ).run(facts.project_id, count);
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  // What the filling left to be written to the disk must not be written while the product's commits are measured.
  const fd = openSync(join(dataDir, 'quarterdeck.db'), 'r+');
  fsyncSync(fd);
  closeSync(fd);
}

/** Ten million messages on a busy machine take less, in milliseconds. */
const INDEX_DEADLINE_MS = 30 * 60_000;
const Found = z.object({ isComplete: z.boolean(), indexed: z.number() });

/** Waits until a core's search knows all that is stored: what is measured afterwards is not measured beside the indexing. */
export async function untilIndexed(rest: RestClient): Promise<void> {
  const startedAt = performance.now();
  for (;;) {
    const found = Found.parse(await rest.ok('GET', '/messages:search?query=anything&limit=1'));
    if (found.isComplete) return;
    if (performance.now() - startedAt > INDEX_DEADLINE_MS) throw new Error(`only ${found.indexed} messages were indexed`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
