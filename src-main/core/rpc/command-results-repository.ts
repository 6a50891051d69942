/** Results of commands that were sent with an idempotency key. */
import type { Db } from '#core/store/database.ts';

/** One remembered command. */
export interface CommandResultRow {
  readonly actor: string;
  readonly procedure: string;
  readonly key: string;
  readonly projectId: string;
  readonly inputHash: Uint8Array;
  /** JSON text, or null when the result is a secret and was not kept. */
  readonly result: string | null;
  readonly at: number;
}

/** Finds what a command returned the first time. */
export function findCommandResult(
  db: Db,
  actor: string,
  procedure: string,
  key: string,
): { inputHash: Uint8Array; result: string | null } | undefined {
  const row = db
    .prepare('SELECT input_hash, result FROM command_results WHERE actor = ? AND procedure = ? AND idempotency_key = ?')
    .get(actor, procedure, key) as { input_hash: Buffer; result: string | null } | undefined;
  return row && { inputHash: row.input_hash, result: row.result };
}

/** Keeps what a command returned. */
export function insertCommandResult(db: Db, row: CommandResultRow): void {
  db.prepare(
    'INSERT INTO command_results (actor, procedure, idempotency_key, project_id, input_hash, result, at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  ).run(row.actor, row.procedure, row.key, row.projectId, row.inputHash, row.result, row.at);
}

/** Forgets results older than `before`, at most `limit`: a small step that may be repeated. */
export function deleteCommandResults(db: Db, before: number, limit: number): number {
  return db
    .prepare(
      'DELETE FROM command_results WHERE (actor, procedure, idempotency_key) IN (SELECT actor, procedure, idempotency_key FROM command_results WHERE at < ? ORDER BY at LIMIT ?)',
    )
    .run(before, limit).changes;
}
