/**
 * Where the key of the secrets comes from: a file in the data folder, or a passphrase. The desktop app brings one of its
 * own, from the platform's keychain.
 */
import { randomBytes, scrypt } from 'node:crypto';
import { join } from 'node:path';
import { AppError } from '#shared/kernel/errors.ts';
import { loadPrivateFile } from '#core/private-file.ts';
import { KEY_BYTES, loadKeyFile } from './key-file.ts';

/** Gives the key that seals secrets. */
export interface KeySource {
  /** What it is, for messages: "the key file …". */
  readonly name: string;
  /** The key, of 32 bytes. Fails with UNAVAILABLE when it cannot be had. */
  load(): Promise<Uint8Array>;
}

/** OWASP's first choice for scrypt (Password Storage Cheat Sheet): 128 MiB and a fraction of a second for each guess. */
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 160 * 2 ** 20 } as const;
const SALT_BYTES = 16;
/** Shorter passphrases are refused: they fall to guessing whatever the function. */
const MIN_PASSPHRASE_CHARS = 12;

/** A random key in `secrets/key`, made when missing. Protects copies of the database, not against who reads the whole folder. */
export function keyFileSource(secretsDir: string, warn?: (message: string) => void): KeySource {
  const file = join(secretsDir, 'key');
  return { name: `the key file ${file}`, load: async () => loadKeyFile(file, warn) };
}

/** A key derived from a passphrase and the salt in `secrets/salt`. Nothing on the disk opens the secrets without the passphrase. */
export function passphraseSource(secretsDir: string, passphrase: string, warn?: (message: string) => void): KeySource {
  const file = join(secretsDir, 'salt');
  return {
    name: 'the passphrase in QUARTERDECK_PASSPHRASE',
    load: async () => {
      if ([...passphrase].length < MIN_PASSPHRASE_CHARS) {
        throw new AppError(
          'UNAVAILABLE',
          `QUARTERDECK_PASSPHRASE is shorter than ${MIN_PASSPHRASE_CHARS} characters. Choose a longer one, or leave it out to use a key file.`,
          { retryable: false },
        );
      }
      const salt = loadPrivateFile(file, {
        what: 'the salt of the passphrase',
        create: () => randomBytes(SALT_BYTES),
        ...(warn ? { warn } : {}),
      });
      if (salt.length !== SALT_BYTES) {
        throw new AppError(
          'UNAVAILABLE',
          `The salt ${file} has ${salt.length} bytes, not ${SALT_BYTES}. Put the right one back from a backup.`,
          { retryable: false, data: { file } },
        );
      }
      return new Promise<Uint8Array>((resolve, reject) => {
        // The same passphrase typed on two systems may differ in its composed characters: NFKC makes them one.
        scrypt(passphrase.normalize('NFKC'), salt, KEY_BYTES, SCRYPT, (error, key) => {
          if (error) reject(error);
          else resolve(new Uint8Array(key));
        });
      });
    },
  };
}
