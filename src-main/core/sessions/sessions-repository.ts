/** SQL of sessions. */
import * as z from 'zod';
import { Session } from '#shared/sessions/model.ts';
import type { Db } from '#core/store/database.ts';

const Row = z.object({ id: z.string(), project_id: z.string(), started_at: z.number(), ended_at: z.number().nullable() });

function fromRow(row: unknown): Session {
  const r = Row.parse(row);
  return Session.parse({ id: r.id, projectId: r.project_id, startedAt: r.started_at, endedAt: r.ended_at });
}

/** The session that has not ended: the running one, or the one a crash left. */
export function openSession(db: Db): Session | undefined {
  const row = db.prepare('SELECT * FROM sessions WHERE ended_at IS NULL ORDER BY started_at DESC LIMIT 1').get();
  return row === undefined ? undefined : fromRow(row);
}

/** Adds a session. */
export function insertSession(db: Db, session: Session): void {
  db.prepare('INSERT INTO sessions (id, project_id, started_at, ended_at) VALUES (?, ?, ?, ?)').run(
    session.id,
    session.projectId,
    session.startedAt,
    session.endedAt,
  );
}

/** Ends a session. */
export function endSession(db: Db, id: string, endedAt: number): void {
  db.prepare('UPDATE sessions SET ended_at = ? WHERE id = ?').run(endedAt, id);
}

/** Reads of sessions, run by the reader. */
export const sessionReads = {
  /** The newest sessions first. */
  'sessions.page': (db: Db, args: { limit: number }): Session[] =>
    db.prepare('SELECT * FROM sessions ORDER BY started_at DESC, id DESC LIMIT ?').all(args.limit).map(fromRow),
};
