/** SQL of sessions. */
import * as z from 'zod';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { Session, SessionSummary } from '#shared/sessions/model.ts';
import type { Db } from '#core/store/database.ts';
import { foldersOf } from './mirror-repository.ts';

const Row = z.object({ id: z.string(), project_id: z.string(), started_at: z.number(), ended_at: z.number().nullable() });

function fromRow(row: unknown): Session {
  const r = Row.parse(row);
  return Session.parse({ id: r.id, projectId: r.project_id, startedAt: r.started_at, endedAt: r.ended_at });
}

/** The session that has not ended: the running one, or the one a crash left. */
export function openSession(db: Db): Session | undefined {
  const row = db
    .prepare("SELECT * FROM sessions WHERE ended_at IS NULL AND origin = 'core' ORDER BY started_at DESC LIMIT 1")
    .get();
  return row === undefined ? undefined : fromRow(row);
}

/** The session that runs, or ran last: what a window's state begins with. */
export function latestSession(db: Db): Session | null {
  const row = db.prepare("SELECT * FROM sessions WHERE origin = 'core' ORDER BY started_at DESC, id DESC LIMIT 1").get();
  return row === undefined ? null : fromRow(row);
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

/** Where a session came from; undefined when there is none of this id. */
export function originOf(db: Db, id: string): { origin: 'core' | 'import'; importedFrom: string | null } | undefined {
  const row = db.prepare('SELECT origin, imported_from FROM sessions WHERE id = ?').get(id);
  if (row === undefined) return undefined;
  const r = z.object({ origin: z.enum(['core', 'import']), imported_from: z.string().nullable() }).parse(row);
  return { origin: r.origin, importedFrom: r.imported_from };
}

/** The session that was imported from a source; undefined when there is none. */
export function findImported(db: Db, importedFrom: string): string | undefined {
  const row = db.prepare('SELECT id FROM sessions WHERE imported_from = ?').get(importedFrom);
  return row === undefined ? undefined : z.object({ id: z.string() }).parse(row).id;
}

/** Adds a session that was read from files. */
export function insertImported(
  db: Db,
  session: Session & { readonly endedAt: number; readonly importedAt: number; readonly importedFrom: string },
): void {
  db.prepare(
    "INSERT INTO sessions (id, project_id, started_at, ended_at, origin, imported_at, imported_from) VALUES (?, ?, ?, ?, 'import', ?, ?)",
  ).run(session.id, session.projectId, session.startedAt, session.endedAt, session.importedAt, session.importedFrom);
}

/** Lets an imported session reach over one more of its messages. */
export function stretchImported(db: Db, id: string, sentAt: number): void {
  db.prepare("UPDATE sessions SET ended_at = ? WHERE id = ? AND origin = 'import' AND ended_at < ?").run(sentAt, id, sentAt);
}

/** At most so many participants of a session are named. */
const MAX_PARTICIPANTS = 500;

/** A session as it is stored: without what only memory knows, and with folders by place. */
export type StoredSummary = Omit<SessionSummary, 'isCurrent' | 'mirrors'> & {
  readonly mirrors: { placeId: number; projectId: ProjectId; folder: string; bytes: number; files: number }[];
};

const SummaryRow = Row.extend({
  origin: z.enum(['core', 'import']),
  imported_at: z.number().nullable(),
  imported_from: z.string().nullable(),
});
const Stored = SessionSummary.omit({ isCurrent: true, mirrors: true });

function summaryOf(db: Db, row: unknown): StoredSummary {
  const r = SummaryRow.parse(row);
  const { messages } = z
    .object({ messages: z.number() })
    .parse(db.prepare('SELECT count(*) AS messages FROM messages INDEXED BY messages_by_session WHERE session_id = ?').get(r.id));
  const participants = db
    .prepare('SELECT participant FROM session_participants WHERE session_id = ? ORDER BY participant LIMIT ?')
    .all(r.id, MAX_PARTICIPANTS)
    .map((found) => z.object({ participant: z.string() }).parse(found).participant);
  const summary = Stored.parse({
    id: r.id,
    projectId: r.project_id,
    startedAt: r.started_at,
    endedAt: r.ended_at,
    origin: r.origin,
    importedAt: r.imported_at,
    importedFrom: r.imported_from,
    messages,
    participants,
  });
  return { ...summary, mirrors: foldersOf(db, r.id) };
}

/** Reads of sessions, run by the reader. */
export const sessionReads = {
  /** The newest sessions first. */
  'sessions.page': (db: Db, args: { limit: number }): StoredSummary[] =>
    db
      .prepare('SELECT * FROM sessions ORDER BY started_at DESC, id DESC LIMIT ?')
      .all(args.limit)
      .map((row) => summaryOf(db, row)),

  /** One session; undefined when there is none. */
  'sessions.one': (db: Db, args: { id: string }): StoredSummary | undefined => {
    const row = db.prepare('SELECT * FROM sessions WHERE id = ?').get(args.id);
    return row === undefined ? undefined : summaryOf(db, row);
  },
};
