/**
 * What an access token looks like, and how it is kept: 256 random bits behind a prefix that says whose it is, so that
 * a leaked one is recognised in logs and by scanners. Only the SHA-256 is stored: the tokens are random, so no slow
 * hash is needed, and a lookup by hash gives nothing away by its time.
 */
import { createHash, randomBytes } from 'node:crypto';

/** Prefixes by owner: the operator's own, an agent's, and any other (scripts, browsers). */
const PREFIXES = { operator: 'qdo_', agent: 'qda_', token: 'qdt_' } as const;

/** 32 bytes in base64url. */
const SECRET = /^qd[oat]_[A-Za-z0-9_-]{43}$/;

/** A new token. It is shown once and never stored. */
export function newTokenSecret(owner: keyof typeof PREFIXES): string {
  return `${PREFIXES[owner]}${randomBytes(32).toString('base64url')}`;
}

/** Whether a text could be a token at all; anything else is refused unhashed. */
export function isTokenShaped(text: string): boolean {
  return SECRET.test(text);
}

/** SHA-256 of a token or code. */
export function hashToken(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
