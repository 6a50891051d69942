/**
 * SQL of the mirror: places, the files of each session in them, what is to be written next. Lines are made in the reader's
 * thread, so that neither the event loop nor a send waits for them.
 */
import * as z from 'zod';
import type { MessageId, ProjectId, SessionId } from '#shared/kernel/ids.ts';
import type { MirrorFolder } from '#shared/sessions/model.ts';
import type { EndLine, MessageLine } from '#shared/sessions/mirror-lines.ts';
import { MESSAGE_COLUMNS, messageOf, MessageRow } from '#core/messages/messages-repository.ts';
import type { Db, SqlValue } from '#core/store/database.ts';

/** The place in the data folder: it has everything that no other place has. */
export const DATA_FOLDER_PLACE = 1;
/** One step takes at most so many messages, and so many ends. */
const STEP_ROWS = 500;
/** One step ends when its lines reach this many characters; it takes at least one message. */
const STEP_CHARS = 512 * 1024;
/** Places looked at by one step in the data folder's place, where other places have most messages. */
const STEP_SCAN = 5_000;

/** Where messages are mirrored. */
export interface MirrorPlaceRow {
  readonly id: number;
  readonly projectId: ProjectId;
  /** Null: the data folder. */
  readonly template: string | null;
  readonly fromSeq: number;
  /** Set once it is closed: only ends of its messages follow. */
  readonly untilSeq: number | null;
  readonly cursor: number;
}

const PlaceRow = z
  .object({
    id: z.number(),
    project_id: z.string(),
    template: z.string().nullable(),
    from_seq: z.number(),
    until_seq: z.number().nullable(),
    cursor: z.number(),
  })
  .transform((r): MirrorPlaceRow => ({
    id: r.id,
    projectId: r.project_id as ProjectId,
    template: r.template,
    fromSeq: r.from_seq,
    untilSeq: r.until_seq,
    cursor: r.cursor,
  }));

/** All places, the data folder's first. */
export function listPlaces(db: Db): MirrorPlaceRow[] {
  return db
    .prepare('SELECT * FROM mirror_places ORDER BY id')
    .all()
    .map((row) => PlaceRow.parse(row));
}

/** Closes the place that a project's messages go to, if it has one, and opens another; null: the data folder again. */
export function placeProject(db: Db, projectId: string, template: string | null): void {
  const { seq } = SeqRow.parse(db.prepare('SELECT coalesce(max(seq), 0) AS seq FROM messages').get());
  const open = db.prepare('SELECT * FROM mirror_places WHERE project_id = ? AND until_seq IS NULL AND id <> ?');
  const before = open.get(projectId, DATA_FOLDER_PLACE);
  if (before !== undefined) db.prepare('UPDATE mirror_places SET until_seq = ? WHERE id = ?').run(seq, PlaceRow.parse(before).id);
  if (template !== null)
    db.prepare('INSERT INTO mirror_places (project_id, template, from_seq, cursor) VALUES (?, ?, ?, ?)').run(
      projectId,
      template,
      seq,
      seq,
    );
}

/** The file that a session's lines go to in one place, and how much of it is there for good. */
export interface FileMark {
  /** Name of the session's folder; of a project, the whole path inside it. */
  readonly folder: string;
  /** Counts the files from 1: under this number the present one is put aside when it is full. */
  readonly number: number;
  readonly inode: string;
  /** Of the present file. */
  readonly bytes: number;
  /** Of all files together. */
  readonly totalBytes: number;
}

const MarkRow = z
  .object({
    folder: z.string(),
    number: z.number(),
    inode: z.string(),
    bytes: z.number(),
    total_bytes: z.number(),
  })
  .transform(({ total_bytes, ...mark }): FileMark => ({ ...mark, totalBytes: total_bytes }));

/** The file of a session in a place; undefined before its first line. */
export function findMark(db: Db, placeId: number, sessionId: string): FileMark | undefined {
  const row = db.prepare('SELECT * FROM mirror_folders WHERE place_id = ? AND session_id = ?').get(placeId, sessionId);
  return row === undefined ? undefined : MarkRow.parse(row);
}

/** Whether another session has a folder of this name in this place. */
export function isFolderTaken(db: Db, placeId: number, folder: string): boolean {
  return db.prepare('SELECT 1 FROM mirror_folders WHERE place_id = ? AND folder = ?').get(placeId, folder) !== undefined;
}

/** Keeps how far a file has come. */
export function saveMark(db: Db, placeId: number, sessionId: string, mark: FileMark): void {
  db.prepare(
    `INSERT INTO mirror_folders (place_id, session_id, project_id, folder, number, inode, bytes, total_bytes)
     SELECT ?, id, project_id, ?, ?, ?, ?, ? FROM sessions WHERE id = ?
     ON CONFLICT DO UPDATE SET number = excluded.number, inode = excluded.inode, bytes = excluded.bytes, total_bytes = excluded.total_bytes`,
  ).run(placeId, mark.folder, mark.number, mark.inode, mark.bytes, mark.totalBytes, sessionId);
}

/** What one step writes into one session's file. */
export interface MirrorPart {
  readonly sessionId: SessionId;
  readonly startedAt: number;
  readonly lines: readonly MirrorLine[];
  readonly participants: readonly string[];
}

/** One line. */
export interface MirrorLine {
  /** The same for the same message, and for the same end of a delivery: what is in a file already is known by it. */
  readonly key: string;
  /** Without its line break. */
  readonly text: string;
}

/** What one step writes. */
export interface MirrorStep {
  readonly parts: readonly MirrorPart[];
  /** The last message that is mirrored when this is written. */
  readonly cursor: number;
  /** Rows of the list of ends that are done when this is written. */
  readonly endIds: readonly number[];
  /** Whether more was waiting. */
  readonly hasMore: boolean;
}

/** Says that a step is written, for good. */
export function saveStep(db: Db, placeId: number, step: MirrorStep): void {
  db.prepare('UPDATE mirror_places SET cursor = max(cursor, ?) WHERE id = ?').run(step.cursor, placeId);
  if (step.endIds.length > 0)
    db.prepare('DELETE FROM mirror_ends WHERE id IN (SELECT value FROM json_each(?))').run(JSON.stringify(step.endIds));
  const add = db.prepare(
    `INSERT INTO session_participants (session_id, participant, project_id) SELECT id, ?, project_id FROM sessions WHERE id = ?
     ON CONFLICT DO NOTHING`,
  );
  for (const part of step.parts) for (const participant of part.participants) add.run(participant, part.sessionId);
}

/** The key of a message's line. */
export function messageKey(id: string): string {
  return `message ${id}`;
}

/** The key of the line that tells of an end. */
export function endKey(line: Omit<EndLine, 'type'>): string {
  return `end ${line.messageId} ${line.state} ${line.at ?? ''} ${line.recipient}`;
}

interface Condition {
  readonly sql: string;
  readonly params: readonly SqlValue[];
}

/** Which messages a place has; of `m` with these columns, or of ends with their own names. */
function belongsTo(place: MirrorPlaceRow, project: string, seq: string): Condition {
  if (place.id !== DATA_FOLDER_PLACE) {
    return {
      sql: `${project} = ? AND ${seq} > ? AND ${seq} <= ?`,
      params: [place.projectId, place.fromSeq, place.untilSeq ?? Number.MAX_SAFE_INTEGER],
    };
  }
  return {
    sql: `NOT EXISTS (SELECT 1 FROM mirror_places p WHERE p.id <> ${DATA_FOLDER_PLACE} AND p.project_id = ${project}
      AND ${seq} > p.from_seq AND ${seq} <= coalesce(p.until_seq, ${Number.MAX_SAFE_INTEGER}))`,
    params: [],
  };
}

const SeqRow = z.object({ seq: z.number() });
const NextRow = MessageRow.extend({ started_at: z.number() });
const EndRow = z.object({
  end_id: z.number(),
  id: z.string().nullable(),
  session_id: z.string().nullable(),
  started_at: z.number().nullable(),
  recipient: z.string(),
  delivered_at: z.number().nullable(),
  read_at: z.number().nullable(),
  dead_at: z.number().nullable(),
  dead_reason: z.string().nullable(),
});

interface OpenPart {
  readonly startedAt: number;
  readonly lines: MirrorLine[];
  readonly participants: Set<string>;
}

function nextStep(db: Db, placeId: number): MirrorStep {
  const placeRow = db.prepare('SELECT * FROM mirror_places WHERE id = ?').get(placeId);
  if (placeRow === undefined) return { parts: [], cursor: 0, endIds: [], hasMore: false };
  const place = PlaceRow.parse(placeRow);
  const parts = new Map<string, OpenPart>();
  const partOf = (sessionId: string, startedAt: number): OpenPart => {
    let part = parts.get(sessionId);
    if (!part) parts.set(sessionId, (part = { startedAt, lines: [], participants: new Set() }));
    return part;
  };
  const messages = messagesAfter(db, place);
  let { cursor } = messages;
  let chars = 0;
  let isCut = false;
  for (const row of messages.rows) {
    const message = messageOf(row);
    const text = JSON.stringify({ type: 'message', message, ttlMs: row.ttl_ms } satisfies MessageLine);
    chars += text.length;
    if (chars > STEP_CHARS && parts.size > 0) {
      isCut = true;
      break;
    }
    const part = partOf(row.session_id, row.started_at);
    part.lines.push({ key: messageKey(row.id), text });
    part.participants.add(message.from.id);
    // A broadcast to a large crew would else be most of the work.
    for (const recipient of message.recipients.slice(0, 50)) part.participants.add(recipient);
    cursor = row.seq;
  }
  if (!isCut) cursor = messages.cursor;
  const ends = endsUntil(db, place, cursor);
  for (const { sessionId, startedAt, line } of ends.lines)
    partOf(sessionId, startedAt).lines.push({
      key: endKey(line),
      text: JSON.stringify({ type: 'end', ...line } satisfies EndLine),
    });
  return {
    parts: [...parts].map(([sessionId, part]) => ({
      // Minted and checked when the row was written.
      sessionId: sessionId as SessionId,
      startedAt: part.startedAt,
      lines: part.lines,
      participants: [...part.participants],
    })),
    cursor,
    endIds: ends.ids,
    hasMore: isCut || messages.hasMore || ends.hasMore,
  };
}

/** The messages after a place's cursor, and how far that is looked at. */
function messagesAfter(db: Db, place: MirrorPlaceRow): { rows: z.infer<typeof NextRow>[]; cursor: number; hasMore: boolean } {
  const isDataFolder = place.id === DATA_FOLDER_PLACE;
  const belongs = belongsTo(place, 'm.project_id', 'm.seq');
  const upTo = isDataFolder
    ? SeqRow.parse(
        db
          .prepare('SELECT coalesce(max(seq), ?) AS seq FROM (SELECT seq FROM messages WHERE seq > ? ORDER BY seq LIMIT ?)')
          .get(place.cursor, place.cursor, STEP_SCAN),
      ).seq
    : Number.MAX_SAFE_INTEGER;
  const rows = db
    .prepare(
      `SELECT ${MESSAGE_COLUMNS}, s.started_at FROM messages m ${isDataFolder ? 'NOT INDEXED' : 'INDEXED BY messages_by_project'} CROSS JOIN sessions s ON s.id = m.session_id
       WHERE ${belongs.sql} AND m.seq > ? AND m.seq <= ? ORDER BY m.seq LIMIT ?`,
    )
    .all(...belongs.params, place.cursor, upTo, STEP_ROWS)
    .map((row) => NextRow.parse(row));
  const last = rows.at(-1)?.seq ?? place.cursor;
  if (rows.length === STEP_ROWS) return { rows, cursor: last, hasMore: true };
  if (!isDataFolder) return { rows, cursor: last, hasMore: false };
  const hasMore = db.prepare('SELECT 1 FROM messages WHERE seq > ? LIMIT 1').get(upTo) !== undefined;
  return { rows, cursor: upTo, hasMore };
}

interface FoundEnd {
  readonly sessionId: string;
  readonly startedAt: number;
  readonly line: Omit<EndLine, 'type'>;
}

/** The ends of deliveries whose messages are in the place when this step is. An end whose message was removed is only passed over. */
function endsUntil(db: Db, place: MirrorPlaceRow, cursor: number): { lines: FoundEnd[]; ids: number[]; hasMore: boolean } {
  const belongs = belongsTo(place, 'e.project_id', 'e.message_seq');
  const rows = db
    .prepare(
      `SELECT e.id AS end_id, m.id, m.session_id, s.started_at, e.recipient, d.delivered_at, d.read_at, d.dead_at, d.dead_reason
       FROM mirror_ends e LEFT JOIN messages m ON m.seq = e.message_seq LEFT JOIN sessions s ON s.id = m.session_id
       LEFT JOIN deliveries d ON d.message_seq = e.message_seq AND d.recipient = e.recipient
       WHERE ${belongs.sql} AND e.message_seq <= ? ORDER BY e.id LIMIT ?`,
    )
    .all(...belongs.params, cursor, STEP_ROWS)
    .map((row) => EndRow.parse(row));
  // What stands now is told, once for each copy: a copy that died and was taken up again between two steps is just open.
  const lines = new Map<string, FoundEnd>();
  for (const row of rows) {
    if (row.id === null || row.session_id === null || row.started_at === null) continue;
    const state = row.dead_at !== null ? 'dead' : row.read_at !== null ? 'read' : 'open';
    const line = {
      messageId: row.id as MessageId,
      recipient: row.recipient,
      state,
      at: row.dead_at ?? row.read_at,
      deliveredAt: row.delivered_at,
      reason: row.dead_reason,
    } as const;
    lines.set(`${row.id} ${row.recipient}`, { sessionId: row.session_id, startedAt: row.started_at, line });
  }
  return { lines: [...lines.values()], ids: rows.map((row) => row.end_id), hasMore: rows.length === STEP_ROWS };
}

/** The mirrors of a session: places, folders, sizes. Absolute paths are for the caller to make. */
export function foldersOf(
  db: Db,
  sessionId: string,
): (Omit<MirrorFolder, 'projectId'> & { placeId: number; projectId: ProjectId })[] {
  const Row = z.object({
    place_id: z.number(),
    project_id: z.string(),
    folder: z.string(),
    number: z.number(),
    total_bytes: z.number(),
  });
  return db
    .prepare(
      `SELECT f.place_id, p.project_id, f.folder, f.number, f.total_bytes FROM mirror_places p CROSS JOIN mirror_folders f ON f.place_id = p.id AND f.session_id = ?
       ORDER BY f.place_id`,
    )
    .all(sessionId)
    .map((row) => {
      const r = Row.parse(row);
      return {
        placeId: r.place_id,
        projectId: r.project_id as ProjectId,
        folder: r.folder,
        bytes: r.total_bytes,
        files: r.number,
      };
    });
}

/** Reads of the mirror, run by the reader. */
export const mirrorReads = {
  /** What is to be written next in a place. */
  'mirror.next': (db: Db, args: { placeId: number }): MirrorStep => nextStep(db, args.placeId),

  /** How many messages each place lacks, by its id. At most 100,000 are counted. */
  'mirror.behind': (db: Db, _args: Record<string, never>): (readonly [placeId: number, messages: number])[] =>
    listPlaces(db).map((place) => {
      const belongs = belongsTo(place, 'm.project_id', 'm.seq');
      const row = db
        .prepare(`SELECT count(*) AS seq FROM (SELECT 1 FROM messages m WHERE ${belongs.sql} AND m.seq > ? LIMIT 100000)`)
        .get(...belongs.params, place.cursor);
      return [place.id, SeqRow.parse(row).seq] as const;
    }),
};
