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

/**
 * The word by which the agent port knows the gateway, from `gateway.key` in the folder of secrets. The same for every core of a
 * data folder: a call that the gateway held for the next core comes with the word of the last.
 */
export function loadGatewayWord(secretsDir: string, warn?: (message: string) => void): string {
  return Buffer.from(loadKeyFile(join(secretsDir, 'gateway.key'), warn)).toString('hex');
}

/** The key of the journal's hash chain and head file: `audit.key` in the folder of secrets. */
export function loadAuditKey(secretsDir: string, warn?: (message: string) => void): Uint8Array {
  return loadKeyFile(join(secretsDir, 'audit.key'), warn);
}
