/** SQL of access tokens, and of the one fact kept about the operator's own. */
import * as z from 'zod';
import { Role } from '#shared/auth/model.ts';
import type { AccessToken } from '#shared/auth/model.ts';
import { ProjectId, TokenId } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Db } from '#core/store/database.ts';

/** A token with the hash it is found by. */
export interface StoredToken {
  readonly token: AccessToken;
  readonly hash: Uint8Array;
}

const Row = z.object({
  id: TokenId,
  project_id: ProjectId,
  name: z.string(),
  role: Role,
  agent_id: z.string().nullable(),
  hash: z.instanceof(Uint8Array),
  created_at: z.number(),
  expires_at: z.number().nullable(),
  revoked_at: z.number().nullable(),
});

function fromRow(row: unknown): StoredToken {
  const r = Row.parse(row);
  return {
    token: {
      id: r.id,
      projectId: r.project_id,
      name: r.name,
      role: r.role,
      agentId: r.agent_id,
      createdAt: r.created_at,
      expiresAt: r.expires_at,
      revokedAt: r.revoked_at,
    },
    hash: r.hash,
  };
}

/** Adds a token. */
export function insertToken(db: Db, { token, hash }: StoredToken): void {
  db.prepare(
    'INSERT INTO tokens (id, project_id, name, role, agent_id, hash, created_at, expires_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  ).run(
    token.id,
    token.projectId,
    token.name,
    token.role,
    token.agentId,
    hash,
    token.createdAt,
    token.expiresAt,
    token.revokedAt,
  );
}

/** A token by its id. */
export function tokenById(db: Db, id: TokenId): StoredToken | undefined {
  const row = db.prepare('SELECT * FROM tokens WHERE id = ?').get(id);
  return row === undefined ? undefined : fromRow(row);
}

/** The tokens that open something at `now`. */
export function liveTokens(db: Db, now: number): StoredToken[] {
  return db
    .prepare('SELECT * FROM tokens WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)')
    .all(now)
    .map(fromRow);
}

/** The tokens of an agent that are not revoked. */
export function unrevokedOfAgent(db: Db, agentId: string): StoredToken[] {
  return db.prepare('SELECT * FROM tokens WHERE agent_id = ? AND revoked_at IS NULL').all(agentId).map(fromRow);
}

/** The tokens of a name and role that are not revoked. */
export function unrevokedByName(db: Db, name: string, role: Role): StoredToken[] {
  return db
    .prepare('SELECT * FROM tokens WHERE name = ? AND role = ? AND agent_id IS NULL AND revoked_at IS NULL')
    .all(name, role)
    .map(fromRow);
}

/** Gives a token another role. */
export function setRole(db: Db, id: TokenId, role: Role): void {
  db.prepare('UPDATE tokens SET role = ? WHERE id = ?').run(role, id);
}

/** Ends a token. */
export function markRevoked(db: Db, id: TokenId, at: number): void {
  db.prepare('UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL').run(at, id);
}

const OPERATOR_FACT = 'auth.operator-token-sha256';

/** The hash of the operator's token at the last start, in hex; undefined before the first. */
export function operatorTokenFact(db: Db): string | undefined {
  const row = db.prepare('SELECT value FROM facts WHERE project_id = ? AND name = ?').get(SYSTEM_PROJECT_ID, OPERATOR_FACT);
  return row === undefined ? undefined : z.object({ value: z.string() }).parse(row).value;
}

/** Remembers the hash of the operator's token, so that the next start sees whether it was changed. */
export function setOperatorTokenFact(db: Db, hash: string): void {
  db.prepare(
    'INSERT INTO facts (project_id, name, value) VALUES (?, ?, ?) ON CONFLICT (project_id, name) DO UPDATE SET value = excluded.value',
  ).run(SYSTEM_PROJECT_ID, OPERATOR_FACT, hash);
}

/** Reads of access tokens, run by the reader. */
export const authReads = {
  /** Tokens, the newest first, revoked and expired ones included. */
  'auth.tokens': (db: Db, args: { limit: number }): AccessToken[] =>
    db
      .prepare('SELECT * FROM tokens ORDER BY id DESC LIMIT ?')
      .all(args.limit)
      .map((row) => fromRow(row).token),
};
