/** Keys of 32 random bytes, each in a private file of its own. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { AppError } from '#shared/kernel/errors.ts';
import { loadPrivateFile } from '#core/private-file.ts';

/** Length of every key in bytes: AES-256 and HMAC-SHA256 both take 32. */
export const KEY_BYTES = 32;

/** Reads a key file, or makes it. A file of another length is UNAVAILABLE; one that others may read is closed to them and told. */
export function loadKeyFile(file: string, warn?: (message: string) => void): Uint8Array {
  const key = loadPrivateFile(file, { what: 'a key', create: () => randomBytes(KEY_BYTES), ...(warn ? { warn } : {}) });
  if (key.length !== KEY_BYTES) {
    throw new AppError(
      'UNAVAILABLE',
      `The key file ${file} has ${key.length} bytes, not ${KEY_BYTES}. Put the right one back from a backup; a new key cannot open what the old one closed.`,
      {
        retryable: false,
        data: { file },
      },
    );
  }
  return new Uint8Array(key);
}

/** The key of the journal's hash chain and head file: `audit.key` in the folder of secrets. */
export function loadAuditKey(secretsDir: string, warn?: (message: string) => void): Uint8Array {
  return loadKeyFile(join(secretsDir, 'audit.key'), warn);
}
