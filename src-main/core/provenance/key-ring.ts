/**
 * The public keys of this installation, old ones included. Their rows are sealed with a key outside the database: one that
 * was slipped in, to make forged messages verify, is not believed. Each new key is introduced by the one before it.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { canonicalText } from '#shared/provenance/canonical.ts';
import type { KeyId, PublicKey } from '#shared/provenance/model.ts';
import type { KeyRow } from './provenance-repository.ts';
import type { SigningKey } from './signing-key.ts';
import { signText } from './hashes.ts';

/** What the introduction of a key says of itself. */
export const INTRODUCTION_FORM = 'quarterdeck-message-key-1';

function sealOf(sealKey: Uint8Array, key: Omit<KeyRow, 'seal'>): Buffer {
  const text = canonicalText({
    v: 'quarterdeck-message-key-row-1',
    keyId: key.keyId,
    publicKey: Buffer.from(key.publicKey).toString('base64'),
    since: key.since,
    until: key.until,
    previousKeyId: key.previousKeyId,
    introduction: key.introduction,
    introductionSignature: key.introductionSignature === null ? null : Buffer.from(key.introductionSignature).toString('base64'),
  });
  return createHmac('sha256', sealKey).update(text).digest();
}

/** A key's row with its seal. */
export function sealKeyRow(sealKey: Uint8Array, key: Omit<KeyRow, 'seal'>): KeyRow {
  return { ...key, seal: sealOf(sealKey, key) };
}

/** Whether the core wrote a key's row as it is. */
export function isSealedRow(sealKey: Uint8Array, { seal, ...key }: KeyRow): boolean {
  const expected = sealOf(sealKey, key);
  return seal.length === expected.length && timingSafeEqual(seal, expected);
}

/** The row of a new key, introduced by the one before it when that one can still sign. */
export function newKeyRow(
  key: SigningKey,
  facts: { readonly since: number; readonly previous: SigningKey | undefined; readonly previousKeyId: KeyId | null },
): Omit<KeyRow, 'seal'> {
  const { previous, previousKeyId, since } = facts;
  const publicKey = key.publicKey.toString('base64');
  const text = previous && canonicalText({ v: INTRODUCTION_FORM, keyId: key.keyId, publicKey, previousKeyId, since });
  return {
    keyId: key.keyId,
    publicKey: key.publicKey,
    since,
    until: null,
    previousKeyId,
    introduction: text ?? null,
    introductionSignature: previous && text !== undefined ? signText(previous.privateKey, text) : null,
  };
}

/** A key as it is shown. */
export function publicKeyFrom(row: KeyRow): PublicKey {
  const { introduction: text, introductionSignature: signature } = row;
  return {
    keyId: row.keyId,
    algorithm: 'Ed25519',
    publicKey: Buffer.from(row.publicKey).toString('base64'),
    since: row.since,
    until: row.until,
    previousKeyId: row.previousKeyId,
    introduction: text === null || signature === null ? null : { text, signature: Buffer.from(signature).toString('base64') },
  };
}
