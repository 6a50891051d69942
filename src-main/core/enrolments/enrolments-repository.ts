/** SQL of codes and requests of agents from outside. */
import * as z from 'zod';
import { EnrolmentCode, EnrolmentRequest, EnrolmentWish } from '#shared/enrolments/model.ts';
import type { EnrolmentCodeId, EnrolmentRequestId, ProjectId } from '#shared/kernel/ids.ts';
import { ProjectId as ProjectIdSchema } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Db } from '#core/store/database.ts';

/** A code with the key that its client repeats it with, hashed. */
export interface StoredCode {
  readonly code: EnrolmentCode;
  readonly clientHash: Uint8Array | null;
}

const { shape } = EnrolmentCode;
const CodeRow = z
  .object({
    id: shape.id,
    project_id: ProjectIdSchema,
    agent_id: shape.agentId,
    capabilities: z.string().nullable(),
    note: z.string(),
    created_at: z.number(),
    expires_at: z.number(),
    revoked_at: z.number().nullable(),
    used_at: z.number().nullable(),
    used_by: shape.usedBy,
    client_hash: z.instanceof(Uint8Array).nullable(),
  })
  .transform((row): StoredCode => ({
    code: {
      id: row.id,
      projectId: row.project_id === SYSTEM_PROJECT_ID ? null : row.project_id,
      agentId: row.agent_id,
      capabilities: row.capabilities === null ? null : shape.capabilities.parse(JSON.parse(row.capabilities)),
      note: row.note,
      createdAt: row.created_at,
      expiresAt: row.expires_at,
      revokedAt: row.revoked_at,
      usedAt: row.used_at,
      usedBy: row.used_by,
    },
    clientHash: row.client_hash,
  }));

/** Adds a code by the hash of its secret. */
export function insertCode(db: Db, code: EnrolmentCode, hash: Uint8Array): void {
  db.prepare(
    'INSERT INTO enrolment_codes (id, project_id, hash, agent_id, capabilities, note, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  ).run(
    code.id,
    code.projectId ?? SYSTEM_PROJECT_ID,
    hash,
    code.agentId,
    code.capabilities === null ? null : JSON.stringify(code.capabilities),
    code.note,
    code.createdAt,
    code.expiresAt,
  );
}

/** A code by the hash of its secret, good or not. */
export function codeByHash(db: Db, hash: Uint8Array): StoredCode | undefined {
  const row = db.prepare('SELECT * FROM enrolment_codes WHERE hash = ?').get(hash);
  return row === undefined ? undefined : CodeRow.parse(row);
}

/** A code by its id, good or not. */
export function codeById(db: Db, id: EnrolmentCodeId): StoredCode | undefined {
  const row = db.prepare('SELECT * FROM enrolment_codes WHERE id = ?').get(id);
  return row === undefined ? undefined : CodeRow.parse(row);
}

/** The codes that are good at `now`, the newest first. */
export function openCodes(db: Db, now: number): EnrolmentCode[] {
  return db
    .prepare(
      'SELECT * FROM enrolment_codes WHERE expires_at > ? AND revoked_at IS NULL AND used_at IS NULL ORDER BY id DESC LIMIT 500',
    )
    .all(now)
    .map((row) => CodeRow.parse(row).code);
}

/** Ends a code. */
export function markCodeRevoked(db: Db, id: EnrolmentCodeId, at: number): void {
  db.prepare('UPDATE enrolment_codes SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL').run(at, id);
}

/** Notes who came with a code. */
export function markCodeUsed(
  db: Db,
  id: EnrolmentCodeId,
  use: { readonly at: number; readonly agentId: string; readonly clientHash: Uint8Array | null },
): void {
  db.prepare('UPDATE enrolment_codes SET used_at = ?, used_by = ?, client_hash = ? WHERE id = ?').run(
    use.at,
    use.agentId,
    use.clientHash,
    id,
  );
}

/** What of a request has no column of its own. */
const Wish = z.object({ wish: EnrolmentWish, address: z.string(), check: z.string() });

const RequestRow = z
  .object({
    id: EnrolmentRequest.shape.id,
    project_id: ProjectIdSchema,
    status: EnrolmentRequest.shape.status,
    requested_at: z.number(),
    expires_at: z.number(),
    agent_id: EnrolmentRequest.shape.agentId,
    wish: z.string(),
  })
  .transform((row): EnrolmentRequest => ({
    id: row.id,
    projectId: row.project_id,
    status: row.status,
    ...Wish.parse(JSON.parse(row.wish)),
    requestedAt: row.requested_at,
    expiresAt: row.expires_at,
    agentId: row.agent_id,
  }));

/** Adds a request by the hash of its secret. */
export function insertRequest(db: Db, request: EnrolmentRequest, hash: Uint8Array): void {
  const { wish, address, check } = request;
  db.prepare(
    'INSERT INTO enrolment_requests (id, project_id, hash, status, requested_at, expires_at, agent_id, wish) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
  ).run(
    request.id,
    request.projectId,
    hash,
    request.status,
    request.requestedAt,
    request.expiresAt,
    request.agentId,
    JSON.stringify({ wish, address, check }),
  );
}

/** A request by the hash of its secret. */
export function requestByHash(db: Db, hash: Uint8Array): EnrolmentRequest | undefined {
  const row = db.prepare('SELECT * FROM enrolment_requests WHERE hash = ?').get(hash);
  return row === undefined ? undefined : RequestRow.parse(row);
}

/** A request by its id. */
export function requestById(db: Db, id: EnrolmentRequestId): EnrolmentRequest | undefined {
  const row = db.prepare('SELECT * FROM enrolment_requests WHERE id = ?').get(id);
  return row === undefined ? undefined : RequestRow.parse(row);
}

/** The requests that wait, the newest first. */
export function pendingRequests(db: Db): EnrolmentRequest[] {
  return db
    .prepare("SELECT * FROM enrolment_requests WHERE status = 'pending' ORDER BY id DESC LIMIT 500")
    .all()
    .map((row) => RequestRow.parse(row));
}

/** Notes what became of a request, and until when its agent may fetch its token. */
export function markDecided(
  db: Db,
  id: EnrolmentRequestId,
  decision: {
    readonly status: 'approved' | 'denied' | 'expired';
    readonly agentId: string | null;
    readonly projectId: ProjectId;
    readonly expiresAt: number;
  },
): void {
  db.prepare('UPDATE enrolment_requests SET status = ?, agent_id = ?, project_id = ?, expires_at = ? WHERE id = ?').run(
    decision.status,
    decision.agentId,
    decision.projectId,
    decision.expiresAt,
    id,
  );
}

/** Removes what ended before a time. What became of it stays in the journal. */
export function removeEnded(db: Db, before: number): void {
  db.prepare('DELETE FROM enrolment_codes WHERE expires_at < ?').run(before);
  db.prepare("DELETE FROM enrolment_requests WHERE expires_at < ? AND status <> 'pending'").run(before);
}

/** Reads of enrolments, run by the reader. */
export const enrolmentReads = {
  /** Codes that are good at `now`, and requests that wait. */
  'enrolments.open': (db: Db, args: { now: number }): { codes: EnrolmentCode[]; requests: EnrolmentRequest[] } => ({
    codes: openCodes(db, args.now),
    requests: pendingRequests(db),
  }),
};
