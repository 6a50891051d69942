/** What the journal says about provenance. */
import * as z from 'zod';
import { KeyId } from './model.ts';

/** Data of each journal event about provenance, by kind. The subject is the key's id, or "messages". */
export const provenanceEvents = {
  /** Messages are signed with another key from now on: an operator asked for it, or the private key was gone at the start. */
  'provenance.key-changed': z.object({
    keyId: KeyId,
    publicKey: z.string(),
    previousKeyId: KeyId.nullable(),
    reason: z.enum(['rotated', 'lost']),
  }),
  /** At its start the core found that the end of the signed messages was not the one it had left. */
  'provenance.fault-found': z.object({
    /** Number of the last batch by the head file; null when it could not be read. */
    headBatch: z.number().int().nullable(),
    /** Number of the last batch that was there. */
    foundBatch: z.number().int(),
    detail: z.string(),
  }),
};
