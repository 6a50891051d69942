/**
 * `audit-head`: number and hash of the journal's last row, kept outside the database, so that a tail cut off is noticed.
 * Two slots are written in turn: a write torn by a power failure leaves the other one readable.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import type { AuditKey } from './chain.ts';

/** The end of the journal. */
export interface JournalHead {
  readonly seq: number;
  readonly hash: Uint8Array;
}

/** Fixed length of a slot in bytes: 16 digits, space, 64 hex digits of the hash, space, 64 of the seal, newline. */
const SLOT_BYTES = 147;

function sealOf(key: AuditKey, text: string): string {
  return createHmac('sha256', key).update('audit-head ').update(text).digest('hex');
}

function encodeSlot(key: AuditKey, head: JournalHead): string {
  const text = `${String(head.seq).padStart(16, '0')} ${Buffer.from(head.hash).toString('hex')}`;
  return `${text} ${sealOf(key, text)}\n`;
}

function decodeSlot(key: AuditKey, slot: string): JournalHead | undefined {
  const match = /^(\d{16} ([0-9a-f]{64})) ([0-9a-f]{64})\n$/.exec(slot);
  const [, text, hash, seal] = match ?? [];
  if (text === undefined || hash === undefined || seal === undefined) return undefined;
  if (!timingSafeEqual(Buffer.from(seal), Buffer.from(sealOf(key, text)))) return undefined;
  return { seq: Number(text.slice(0, 16)), hash: Buffer.from(hash, 'hex') };
}

/** The newest readable head in the file; undefined when there is none. */
export function readHeadFile(file: string, key: AuditKey): JournalHead | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'latin1');
  const heads = [text.slice(0, SLOT_BYTES), text.slice(SLOT_BYTES, 2 * SLOT_BYTES)]
    .map((slot) => decodeSlot(key, slot))
    .filter((head) => head !== undefined);
  return heads.sort((a, b) => b.seq - a.seq)[0];
}

/** Writes heads; owns the open file. */
export class HeadFile {
  readonly #fd: number;
  readonly #key: AuditKey;
  #slot = 0;

  constructor(file: string, key: AuditKey) {
    this.#key = key;
    // Keep what is there: until the first write it is the only witness.
    this.#fd = openSync(file, existsSync(file) ? 'r+' : 'w+', 0o600);
    const text = existsSync(file) ? readFileSync(file, 'latin1') : '';
    const first = decodeSlot(key, text.slice(0, SLOT_BYTES));
    const second = decodeSlot(key, text.slice(SLOT_BYTES, 2 * SLOT_BYTES));
    if (first && (!second || first.seq >= second.seq)) this.#slot = 1;
  }

  /** Overwrites the older slot. The page cache is enough: after a power failure the database may only be ahead of the head. */
  write(head: JournalHead): void {
    writeSync(this.#fd, encodeSlot(this.#key, head), this.#slot * SLOT_BYTES, 'latin1');
    this.#slot = 1 - this.#slot;
  }

  /** Overwrites both slots and waits for the disk: for the first head of a journal, and after a fault was recorded. */
  reset(head: JournalHead): void {
    this.write(head);
    this.write(head);
    fsyncSync(this.#fd);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
