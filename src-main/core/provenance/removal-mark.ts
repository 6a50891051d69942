/** The mark of a message that retention deleted: only the core can make it, so that a message deleted otherwise is noticed. */
import { createHmac } from 'node:crypto';

/** The mark for the message at a place, with its hash. */
export function removalMark(markKey: Uint8Array, seq: number, leaf: Uint8Array): Buffer {
  return createHmac('sha256', markKey).update(`message-removed ${seq} `).update(leaf).digest();
}
