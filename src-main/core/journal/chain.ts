/**
 * The hash chain of the journal: pure functions.
 * hash = HMAC-SHA256(auditKey, prev ‖ seq ‖ at ‖ kind ‖ actor ‖ door ‖ project ‖ subject ‖ sha256(data)), each text with its length in
 * front, so that no two rows have the same input. Door, project and subject are in it so that no column can be changed unseen (ADR 0002).
 */
import { createHmac, hash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** What of a row the hash covers. */
export interface ChainedRow {
  readonly seq: number;
  readonly at: number;
  readonly projectId: string;
  readonly actorKind: string;
  readonly actorId: string;
  readonly door: string;
  readonly kind: string;
  readonly subject: string;
  /** SHA-256 of the data's text. */
  readonly dataHash: Uint8Array;
}

/** The key of the chain. A KeyObject is prepared once; bare bytes are prepared for every row. */
export type AuditKey = KeyObject | Uint8Array;

/** The hash before the first row. */
export const GENESIS: Uint8Array = new Uint8Array(32);

/** SHA-256 of the text of a row's data. */
export function hashData(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

/** The hash of a row that follows a row with hash `previous`. */
export function hashRow(key: AuditKey, previous: Uint8Array, row: ChainedRow): Buffer {
  const parts = [row.seq, row.at, row.kind, row.actorKind, row.actorId, row.door, row.projectId, row.subject].map(String);
  // Put together before it is hashed: a step into OpenSSL costs more than what it hashes here. UTF-8 takes three bytes a unit at most.
  const most = parts.reduce((sum, part) => sum + 4 + part.length * 3, previous.length + row.dataHash.length);
  const input = Buffer.allocUnsafe(most);
  input.set(previous);
  let end = previous.length;
  for (const part of parts) {
    const bytes = input.write(part, end + 4);
    input.writeUInt32BE(bytes, end);
    end += 4 + bytes;
  }
  input.set(row.dataHash, end);
  return createHmac('sha256', key)
    .update(input.subarray(0, end + row.dataHash.length))
    .digest();
}
