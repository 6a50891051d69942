/** SQL of middleware. */
import * as z from 'zod';
import { ProjectId } from '#shared/kernel/ids.ts';
import type { MiddlewareChain } from '#shared/middleware/model.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Db } from '#core/store/database.ts';

/** A chain as it is kept; its text is checked by whoever uses it. */
export interface StoredChain {
  readonly projectId: ProjectId;
  readonly revision: number;
  readonly text: string;
  readonly updatedAt: number;
}

/** A module as it was accepted. */
export interface AcceptedModule {
  readonly name: string;
  readonly sha256: string;
  readonly code: string;
  readonly acceptedAt: number;
  readonly acceptedBy: string;
}

const ChainRow = z
  .object({ project_id: ProjectId, revision: z.number(), chain: z.string(), updated_at: z.number() })
  .transform((row): StoredChain => ({
    projectId: row.project_id,
    revision: row.revision,
    text: row.chain,
    updatedAt: row.updated_at,
  }));
const ModuleRow = z
  .object({ name: z.string(), sha256: z.string(), code: z.string(), accepted_at: z.number(), accepted_by: z.string() })
  .transform((row): AcceptedModule => ({
    name: row.name,
    sha256: row.sha256,
    code: row.code,
    acceptedAt: row.accepted_at,
    acceptedBy: row.accepted_by,
  }));
const DigestRow = z.object({ digest: z.instanceof(Uint8Array) });

/** Every chain. */
export function readChains(db: Db): StoredChain[] {
  return db
    .prepare('SELECT project_id, revision, chain, updated_at FROM middleware_chains')
    .all()
    .map((row) => ChainRow.parse(row));
}

/** How often a project's chain was set; 0 when never. */
export function revisionOf(db: Db, projectId: ProjectId): number {
  const row = db.prepare('SELECT revision FROM middleware_chains WHERE project_id = ?').get(projectId);
  return row === undefined ? 0 : z.object({ revision: z.number() }).parse(row).revision;
}

/** Keeps a chain, replacing the one before. */
export function saveChain(
  db: Db,
  {
    projectId,
    revision,
    chain,
    updatedAt,
  }: { projectId: ProjectId; revision: number; chain: MiddlewareChain; updatedAt: number },
): void {
  db.prepare(
    `INSERT INTO middleware_chains (project_id, revision, chain, updated_at) VALUES (?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET revision = excluded.revision, chain = excluded.chain, updated_at = excluded.updated_at`,
  ).run(projectId, revision, JSON.stringify(chain), updatedAt);
}

/** Every accepted module. */
export function readModules(db: Db): AcceptedModule[] {
  return db
    .prepare('SELECT name, sha256, code, accepted_at, accepted_by FROM middleware_modules ORDER BY name')
    .all()
    .map((row) => ModuleRow.parse(row));
}

/** Keeps the accepted copy of a module, replacing the one before. */
export function saveModule(db: Db, module: AcceptedModule): void {
  db.prepare(
    `INSERT INTO middleware_modules (name, project_id, sha256, code, accepted_at, accepted_by) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, code = excluded.code, accepted_at = excluded.accepted_at, accepted_by = excluded.accepted_by`,
  ).run(module.name, SYSTEM_PROJECT_ID, module.sha256, module.code, module.acceptedAt, module.acceptedBy);
}

/** The digest of what was asked for, where a chain changed it before it was stored. */
export function inputDigest(db: Db, messageId: string): Uint8Array | undefined {
  const row = db.prepare('SELECT digest FROM middleware_inputs WHERE message_id = ?').get(messageId);
  return row === undefined ? undefined : DigestRow.parse(row).digest;
}

/** Keeps such a digest. */
export function saveInputDigest(db: Db, projectId: ProjectId, messageId: string, digest: Uint8Array): void {
  db.prepare('INSERT INTO middleware_inputs (message_id, project_id, digest) VALUES (?, ?, ?)').run(messageId, projectId, digest);
}

/** How many such digests are kept, and for how long, in milliseconds. */
export interface KeptDigests {
  readonly most: number;
  readonly ms: number;
}

/** Removes the oldest of those digests that are beyond what is kept, at most so many; returns how many. Ids of messages begin with their time. */
export function removeOldDigests(db: Db, { most, ms }: KeptDigests, now: number, limit: number): number {
  const beyond = db.prepare('SELECT message_id FROM middleware_inputs ORDER BY message_id DESC LIMIT 1 OFFSET ?').get(most);
  const newestBeyond = beyond === undefined ? '' : z.object({ message_id: z.string() }).parse(beyond).message_id;
  const time = Math.max(0, now - ms)
    .toString(16)
    .padStart(12, '0');
  return db
    .prepare(
      `DELETE FROM middleware_inputs WHERE message_id IN (
         SELECT message_id FROM middleware_inputs WHERE message_id <= ? OR message_id < ? ORDER BY message_id LIMIT ?)`,
    )
    .run(newestBeyond, `msg_${time.slice(0, 8)}-${time.slice(8)}`, limit).changes;
}

/** Whether there is any such digest. */
export function hasInputDigests(db: Db): boolean {
  return db.prepare('SELECT 1 FROM middleware_inputs LIMIT 1').get() !== undefined;
}
