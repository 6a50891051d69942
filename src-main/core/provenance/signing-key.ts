/**
 * Private keys that messages are signed with: Ed25519, each in a private file of its own among the secrets, outside the
 * database. The file holds the 32 bytes that RFC 8032 calls the private key (the seed), and is named after the key's id.
 */
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyId } from '#shared/provenance/model.ts';
import { loadPrivateFile } from '#core/private-file.ts';
import { keyIdOf } from './hashes.ts';

const SEED_BYTES = 32;
/** PKCS #8 (RFC 8410 section 7) of an Ed25519 key, up to the seed. */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key that signs. */
export interface SigningKey {
  readonly keyId: KeyId;
  /** The 32 bytes of the public key. */
  readonly publicKey: Buffer;
  readonly privateKey: KeyObject;
}

function fileOf(secretsDir: string, keyId: KeyId): string {
  return join(secretsDir, `messages-${keyId}.key`);
}

function keyOf(seed: Uint8Array): SigningKey {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' });
  const publicKey = Buffer.from(x, 'base64url');
  return { keyId: keyIdOf(publicKey), publicKey, privateKey };
}

/** Makes a key; its file is on the disk when this returns. */
export function makeSigningKey(secretsDir: string): SigningKey {
  const seed = randomBytes(SEED_BYTES);
  const key = keyOf(seed);
  loadPrivateFile(fileOf(secretsDir, key.keyId), { what: 'a key for messages', create: () => seed });
  return key;
}

/** The key with this id; undefined when its file is gone or holds another one. */
export function loadSigningKey(secretsDir: string, keyId: KeyId, warn: (message: string) => void): SigningKey | undefined {
  const file = fileOf(secretsDir, keyId);
  if (!existsSync(file)) return undefined;
  const seed = loadPrivateFile(file, { what: 'a key for messages', warn });
  if (seed.length !== SEED_BYTES) return undefined;
  const key = keyOf(seed);
  return key.keyId === keyId ? key : undefined;
}

/** Deletes the private part of a key that signs no more. */
export function forgetSigningKey(secretsDir: string, keyId: KeyId): void {
  rmSync(fileOf(secretsDir, keyId), { force: true });
}
