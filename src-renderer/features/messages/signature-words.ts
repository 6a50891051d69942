import type { Verdict } from '#shared/provenance/model.ts';

/** What is said of a message's signature, and whether it is a reason not to trust the message. */
export interface SignatureWords {
  readonly text: string;
  readonly isFailed: boolean;
}

/** The core's verdict in the words of the window. */
export function signatureWords({ genuine, finding, reason, keyId }: Verdict): SignatureWords {
  if (genuine) return { text: keyId === null ? 'verified' : `verified, key ${keyId.slice(0, KEY_SHOWN)}`, isFailed: false };
  if (finding === 'imported') return { text: 'none: it was read from a file', isFailed: false };
  return { text: `not genuine: ${reason}`, isFailed: true };
}

/** So many characters of a key's id tell the few keys of an installation apart. */
const KEY_SHOWN = 8;
