/** What is hashed and signed about messages, with Node's crypto. Pure. */
import { createPublicKey, hash, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Message } from '#shared/messages/model.ts';
import { canonicalMessage, canonicalText } from '#shared/provenance/canonical.ts';
import { BATCH_FORM } from '#shared/provenance/model.ts';
import type { Batch, KeyId } from '#shared/provenance/model.ts';

/** Bytes of an Ed25519 public key. */
const PUBLIC_KEY_BYTES = 32;

/** SHA-256 of bytes, or of a text in UTF-8. */
export function sha256(input: Uint8Array | string): Buffer {
  return hash('sha256', input, 'buffer');
}

/** The hash of a canonical message as a leaf: the prefix 0x00 keeps it from passing for a node of the tree. */
export function leafOfText(canonical: string): Buffer {
  return sha256(`\0${canonical}`);
}

/** The hash of a message as a leaf. */
export function leafOf(message: Message): Buffer {
  return leafOfText(canonicalMessage(message));
}

/** What is signed about a batch, and what the next one names by its hash. */
export function batchText({ id, number, count, root, at, previous, keyId }: Batch): string {
  return canonicalText({ v: BATCH_FORM, id, number, count, root, at, previous, keyId });
}

/** A public key from its 32 bytes; undefined when they are none. */
export function publicKeyOf(bytes: Uint8Array): KeyObject | undefined {
  if (bytes.length !== PUBLIC_KEY_BYTES) return undefined;
  const x = Buffer.from(bytes).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}

/** The id of a public key of 32 bytes. */
export function keyIdOf(publicKey: Uint8Array): KeyId {
  return sha256(publicKey).subarray(0, 8).toString('hex');
}

/** Signs a text with an Ed25519 key. */
export function signText(key: KeyObject, text: string): Buffer {
  return sign(null, Buffer.from(text), key);
}

/** Whether a text was signed with the private part of a public key. */
export function isSigned(publicKey: Uint8Array, text: string, signature: Uint8Array): boolean {
  const key = publicKeyOf(publicKey);
  return key !== undefined && verify(null, Buffer.from(text), key, signature);
}
