/** Provenance: who sent a message, so that nobody can say otherwise. What is signed, what a proof holds, what a check answers. */
import * as z from 'zod';
import { MessageId } from '#shared/kernel/ids.ts';
import { Sender } from '#shared/messages/model.ts';
import { MAX_PATH } from './merkle.ts';

/** SHA-256 in lower-case hex digits. */
export const Hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits');

/** The id of a key: the first 8 bytes of the SHA-256 of the public key's 32 bytes, in hex. */
export const KeyId = z
  .string()
  .regex(/^[0-9a-f]{16}$/, 'must be 16 hex digits')
  .describe('Id of a key, as get_public_keys lists it');
/** The id of a key. */
export type KeyId = z.infer<typeof KeyId>;

/** What the statement about a batch says of itself. */
export const BATCH_FORM = 'quarterdeck-message-batch-1';
/** What stands in `previous` of the first batch. */
export const NO_BATCH = '0'.repeat(64);

/**
 * The messages of one commit: what is signed is the canonical text (./canonical.ts) of these fields and `v`, which is
 * BATCH_FORM. Each batch names the one before it by the SHA-256 of that one's text: none can be taken out, added or moved.
 */
export const Batch = z.object({
  id: z.string().min(1).max(64),
  /** Counts from 1 without gaps. */
  number: z.number().int().min(1).describe('Counts from 1 without gaps'),
  /** How many messages it holds. */
  count: z.number().int().min(1),
  /** Root of the tree over them, in the order in which they were stored. */
  root: Hash,
  /** When it was signed, by the machine's clock. */
  at: z.number().int(),
  /** SHA-256 of the text of the batch before; NO_BATCH in the first. */
  previous: Hash,
  keyId: KeyId,
});
/** The messages of one commit. */
export type Batch = z.infer<typeof Batch>;

/** All that is needed to check one message without asking anybody, but for the public key. */
export const MessageProof = z.object({
  /** The canonical form of the message. */
  message: z
    .string()
    .min(2)
    .max(1024 * 1024)
    .describe('The message in its canonical form: the text that was hashed'),
  /** Hash of the canonical form as a leaf. */
  leaf: Hash,
  /** Place among the messages of its batch, from 0. */
  index: z.number().int().min(0),
  /** From the leaf to the root, the nearest first. */
  path: z.array(Hash).max(MAX_PATH),
  batch: Batch,
  /** Ed25519 over the batch's text, in base64. */
  signature: z.string().max(128),
});
/** All that is needed to check one message. */
export type MessageProof = z.infer<typeof MessageProof>;

/** A public key of this installation. */
export const PublicKey = z.object({
  keyId: KeyId,
  /** Always Ed25519 (RFC 8032). */
  algorithm: z.literal('Ed25519'),
  /** The 32 bytes of the public key, in base64. */
  publicKey: z.string(),
  /** Signed from then on. */
  since: z.number().int(),
  /** Signed nothing any more from then on; null for the present key. */
  until: z.number().int().nullable(),
  /** The key before it; null for the first, or when that one was lost. */
  previousKeyId: KeyId.nullable(),
  /** What the key before it signed about this one: the text and the signature in base64; null when there was none. */
  introduction: z.object({ text: z.string(), signature: z.string() }).nullable(),
});
/** A public key of this installation. */
export type PublicKey = z.infer<typeof PublicKey>;

/** What a check of one message found. Everything but `genuine` means: do not act on it. */
export const FINDINGS = [
  'genuine',
  'unknown',
  'imported',
  'unsigned',
  'changed',
  'forged',
  'wrong-key',
  'bad-signature',
  'unknown-batch',
  'not-for-you',
  'replay',
] as const;
/** What a check of one message found. */
export const Finding = z
  .enum(FINDINGS)
  .describe(
    'genuine: signed here, and as it was sent. unknown: no such message was sent to you or by you. imported: it was read from a file, so that nobody can say who sent it. unsigned, changed: what is stored is not what was sent. forged: the message is not the one that the proof is about. wrong-key, bad-signature, unknown-batch: not signed here. not-for-you: sent to others. replay: you dealt with it before',
  );
/** What a check of one message found. */
export type Finding = z.infer<typeof Finding>;

/** The answer to a check of one message. */
export const Verdict = z.object({
  genuine: z.boolean().describe('Whether you may rely on it: it is what the sender sent, to you, and not sent again'),
  finding: Finding,
  reason: z.string().describe('What was found and what to do'),
  /** Who sent it, by its token; null unless signature and content are right. */
  sender: Sender.nullable().describe('Who sent it, by its token and not by what the text says; null when that is not proven'),
  messageId: MessageId.nullable(),
  sentAt: z.number().int().nullable(),
  keyId: KeyId.nullable(),
});
/** The answer to a check of one message. */
export type Verdict = z.infer<typeof Verdict>;

/** What a check of all messages found wrong. */
export const MessageFault = z.object({
  /**
   * changed: a message is not what was signed; missing: it is gone and was not deleted by retention; unsigned: it was put in
   * beside the product; delivery: copies stand in other inboxes than it was sent to; batch: a signature, a root or the order
   * of batches is wrong; cut: batches are missing at the end; key: a key is not one that this installation made.
   */
  kind: z.enum(['changed', 'missing', 'unsigned', 'delivery', 'batch', 'cut', 'key']),
  /** The message, where one is known. */
  messageId: z.string().nullable(),
  /** Number of the batch; null where there is none. */
  batch: z.number().int().nullable(),
  detail: z.string(),
});
/** What a check of all messages found wrong. */
export type MessageFault = z.infer<typeof MessageFault>;
