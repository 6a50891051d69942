/** SQL of secrets: sealed values, and the mark by which a wrong key is told from a damaged row. */
import * as z from 'zod';
import { ProjectId } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import { SecretName } from '#shared/secrets/model.ts';
import type { SecretInfo } from '#shared/secrets/model.ts';
import type { Db } from '#core/store/database.ts';

/** At most this many secrets are kept: they are listed in one page. */
export const MAX_SECRETS = 500;

const Info = z
  .object({ project_id: ProjectId, name: SecretName, created_at: z.number(), updated_at: z.number() })
  .transform((row): SecretInfo => ({
    projectId: row.project_id,
    name: row.name,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }));
const Sealed = z.object({ sealed: z.instanceof(Uint8Array) });
const Count = z.object({ count: z.number() });
const Fact = z.object({ value: z.string() });

/** What is known of a secret without opening it; undefined when there is none. */
export function secretInfo(db: Db, projectId: ProjectId, name: string): SecretInfo | undefined {
  const row = db
    .prepare('SELECT project_id, name, created_at, updated_at FROM secrets WHERE project_id = ? AND name = ?')
    .get(projectId, name);
  return row === undefined ? undefined : Info.parse(row);
}

/** The sealed value of a secret; undefined when there is none. */
export function sealedValue(db: Db, projectId: ProjectId, name: string): Uint8Array | undefined {
  const row = db.prepare('SELECT sealed FROM secrets WHERE project_id = ? AND name = ?').get(projectId, name);
  return row === undefined ? undefined : Sealed.parse(row).sealed;
}

/** Adds a secret or replaces its value; the time it was made stays. */
export function upsertSecret(db: Db, info: SecretInfo, sealed: Uint8Array): void {
  db.prepare(
    'INSERT INTO secrets (project_id, name, sealed, created_at, updated_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (project_id, name) DO UPDATE SET sealed = excluded.sealed, updated_at = excluded.updated_at',
  ).run(info.projectId, info.name, sealed, info.createdAt, info.updatedAt);
}

/** Removes a secret; false when there was none. */
export function deleteSecret(db: Db, projectId: ProjectId, name: string): boolean {
  return db.prepare('DELETE FROM secrets WHERE project_id = ? AND name = ?').run(projectId, name).changes > 0;
}

/** How many secrets there are. */
export function countSecrets(db: Db): number {
  return Count.parse(db.prepare('SELECT count(*) AS count FROM secrets').get()).count;
}

const KEY_MARK = 'secrets.key-mark';

/** A text sealed with the key in use; undefined before the first secret. */
export function keyMark(db: Db): Uint8Array | undefined {
  const row = db.prepare('SELECT value FROM facts WHERE project_id = ? AND name = ?').get(SYSTEM_PROJECT_ID, KEY_MARK);
  return row === undefined ? undefined : Buffer.from(Fact.parse(row).value, 'base64');
}

/** Keeps the mark of the key in use. */
export function setKeyMark(db: Db, sealed: Uint8Array): void {
  db.prepare(
    'INSERT INTO facts (project_id, name, value) VALUES (?, ?, ?) ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value',
  ).run(SYSTEM_PROJECT_ID, KEY_MARK, Buffer.from(sealed).toString('base64'));
}

/** Reads of secrets, run by the reader. No query returns a value. */
export const secretReads = {
  /** What is known of every secret, by project and name. */
  'secrets.list': (db: Db): SecretInfo[] =>
    db
      .prepare('SELECT project_id, name, created_at, updated_at FROM secrets ORDER BY project_id, name LIMIT ?')
      .all(MAX_SECRETS)
      .map((row) => Info.parse(row)),
};
