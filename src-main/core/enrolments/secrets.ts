/** What codes and requests prove themselves by: 256 random bits behind a prefix that says what it is. Kept as SHA-256 only. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

const PREFIXES = { code: 'qde_', request: 'qdr_' } as const;
const SHAPES = { code: /^qde_[A-Za-z0-9_-]{43}$/, request: /^qdr_[A-Za-z0-9_-]{43}$/ } as const;

/** A new secret. */
export function newSecret(kind: keyof typeof PREFIXES): string {
  return `${PREFIXES[kind]}${randomBytes(32).toString('base64url')}`;
}

/** Whether a text could be such a secret at all; anything else is refused unhashed. */
export function isSecretShaped(kind: keyof typeof SHAPES, text: string): boolean {
  return SHAPES[kind].test(text);
}

/** SHA-256. Rows are looked up by it, so that the time this takes tells nothing about a secret. */
export function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Whether a text has this hash, in a time that does not tell how far it is from it. */
export function hasHash(text: string, hash: Uint8Array): boolean {
  const own = hashOf(text);
  return own.length === hash.length && timingSafeEqual(own, hash);
}

/** A few characters by which people tell two requests apart. They prove nothing. */
export function checkOf(secret: string): string {
  const text = createHash('sha256').update('check').update(secret).digest('hex').slice(0, 6).toUpperCase();
  return `${text.slice(0, 3)}-${text.slice(3)}`;
}
