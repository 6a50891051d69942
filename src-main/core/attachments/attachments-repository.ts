/** SQL of attachments. */
import * as z from 'zod';
import type { AttachmentId } from '#shared/kernel/ids.ts';
import { Attachment } from '#shared/messages/attachment.ts';
import type { Db } from '#core/store/database.ts';

const Row = z.object({
  id: z.string(),
  project_id: z.string(),
  name: z.string(),
  media_type: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  owner_kind: z.string(),
  owner_id: z.string(),
  created_at: z.number(),
});

/** A stored file. */
export interface AttachmentRecord {
  readonly id: AttachmentId;
  readonly projectId: string;
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Who stored it. */
  readonly owner: { readonly kind: string; readonly id: string };
  readonly createdAt: number;
}

/** Notes a stored file. */
export function insertAttachment(db: Db, a: AttachmentRecord): void {
  db.prepare(
    'INSERT INTO attachments (id, project_id, name, media_type, bytes, sha256, owner_kind, owner_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  ).run(a.id, a.projectId, a.name, a.mediaType, a.bytes, a.sha256, a.owner.kind, a.owner.id, a.createdAt);
}

/** A stored file by its id. */
export function findAttachment(db: Db, id: string): AttachmentRecord | undefined {
  const found = db.prepare('SELECT * FROM attachments WHERE id = ?').get(id);
  if (found === undefined) return undefined;
  const r = Row.parse(found);
  return {
    // Minted and checked when the row was written.
    id: r.id as AttachmentId,
    projectId: r.project_id,
    name: r.name,
    mediaType: r.media_type,
    bytes: r.bytes,
    sha256: r.sha256,
    owner: { kind: r.owner_kind, id: r.owner_id },
    createdAt: r.created_at,
  };
}

/** Whether a message carries it. */
export function isCarried(db: Db, id: string): boolean {
  return db.prepare('SELECT 1 FROM message_attachments WHERE attachment_id = ? LIMIT 1').get(id) !== undefined;
}

// What was imported says itself who sent it and what it carries: nobody gets a file by it.
const FOR_AGENT = `NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = m.session_id AND s.origin = 'import')
  AND ((m.from_kind = 'agent' AND m.from_id = @agent) OR (coalesce(m.not_before, 0) <= @now
  AND EXISTS (SELECT 1 FROM deliveries d WHERE d.message_seq = m.seq AND d.recipient = @agent AND d.dead_at IS NULL)))`;

/** Whether an agent sent, or has in its inbox, a message that carries a stored file. */
export function isKnownTo(db: Db, id: string, agentId: string, now: number): boolean {
  return (
    db
      .prepare(
        `SELECT 1 FROM message_attachments x JOIN messages m ON m.seq = x.message_seq WHERE x.attachment_id = @id AND (${FOR_AGENT}) LIMIT 1`,
      )
      .get({ agent: agentId, now, id }) !== undefined
  );
}

const Carrier = z.object({
  project_id: z.string(),
  from_kind: z.string(),
  from_id: z.string(),
  attachments: z.string().nullable(),
});

/** The message that carries attachments. */
export interface CarrierRecord {
  readonly projectId: string;
  readonly from: { readonly kind: string; readonly id: string };
  readonly attachments: readonly Attachment[];
}

/** A message's attachments; undefined when there is no such message, or the agent that asks neither sent it nor has it in its inbox. */
export function findCarrier(db: Db, messageId: string, agentId: string | undefined, now: number): CarrierRecord | undefined {
  const columns = 'm.project_id, m.from_kind, m.from_id, m.attachments';
  const found =
    agentId === undefined
      ? db.prepare(`SELECT ${columns} FROM messages m WHERE m.id = ?`).get(messageId)
      : db
          .prepare(`SELECT ${columns} FROM messages m WHERE m.id = @id AND (${FOR_AGENT})`)
          .get({ agent: agentId, now, id: messageId });
  if (found === undefined) return undefined;
  const row = Carrier.parse(found);
  return {
    projectId: row.project_id,
    from: { kind: row.from_kind, id: row.from_id },
    attachments: row.attachments === null ? [] : z.array(Attachment).parse(JSON.parse(row.attachments)),
  };
}

/** How many bytes each project has stored. For start-up. */
export function storedBytes(db: Db): (readonly [projectId: string, bytes: number])[] {
  return db
    .prepare('SELECT project_id, sum(bytes) AS bytes FROM attachments GROUP BY project_id')
    .all()
    .map((row) => z.object({ project_id: z.string(), bytes: z.number() }).parse(row))
    .map(({ project_id, bytes }) => [project_id, bytes] as const);
}

/** Whether a stored file has this content. */
export function hasContent(db: Db, sha256: string): boolean {
  return db.prepare('SELECT 1 FROM attachments WHERE sha256 = ? LIMIT 1').get(sha256) !== undefined;
}

const Dropped = z.object({ project_id: z.string(), bytes: z.number(), sha256: z.string() });
/** A row that was removed. */
export interface DroppedRecord {
  readonly projectId: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Removes so many rows that no message carries and that were made before a time. */
export function dropUncarried(db: Db, before: number, atMost: number): DroppedRecord[] {
  return db
    .prepare(
      `DELETE FROM attachments WHERE id IN (
         SELECT a.id FROM attachments a WHERE a.created_at < ?
         AND NOT EXISTS (SELECT 1 FROM message_attachments x WHERE x.attachment_id = a.id) ORDER BY a.created_at LIMIT ?)
       RETURNING project_id, bytes, sha256`,
    )
    .all(before, atMost)
    .map((row) => Dropped.parse(row))
    .map(({ project_id, bytes, sha256 }) => ({ projectId: project_id, bytes, sha256 }));
}
