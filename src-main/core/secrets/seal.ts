/**
 * Sealing of secrets: AES-256-GCM, a fresh random nonce for each, nonce ‖ ciphertext ‖ tag in one blob.
 * Project and name are bound in as associated data: a blob copied to another row does not open.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Result } from '#shared/kernel/result.ts';
import { err, ok } from '#shared/kernel/result.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Which row a blob belongs to. */
export interface SealedFor {
  readonly projectId: string;
  readonly name: string;
}

function associated({ projectId, name }: SealedFor): Buffer {
  // Neither holds a NUL, so no two rows have the same text.
  return Buffer.from(`quarterdeck-secret-1\0${projectId}\0${name}`);
}

/** Seals a text for one row. */
export function seal(key: Uint8Array, row: SealedFor, text: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(associated(row));
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

/** Opens a blob. It does not open with another key, for another row, or after a single bit was changed; which of these it was cannot be told. */
export function unseal(key: Uint8Array, row: SealedFor, sealed: Uint8Array): Result<string, 'unopenable'> {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) return err('unopenable');
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(associated(row));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    const text = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES)), decipher.final()]);
    return ok(text.toString('utf8'));
  } catch {
    return err('unopenable');
  }
}
