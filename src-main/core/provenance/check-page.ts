/**
 * Checks messages against what was signed, some batches at a time: the signature and the chain of each batch, its root over
 * the hashes, each message against its hash, and its copies against whom it was sent to. Runs on the reader's thread.
 */
import { timingSafeEqual, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import * as z from 'zod';
import { messageOf as textOf } from '#shared/kernel/errors.ts';
import type { Message } from '#shared/messages/model.ts';
import { merkleRoot } from '#shared/provenance/merkle.ts';
import type { MessageFault } from '#shared/provenance/model.ts';
import { NO_BATCH } from '#shared/provenance/model.ts';
import { MESSAGE_COLUMNS, messageOf, MessageRow } from '#core/messages/messages-repository.ts';
import type { Db } from '#core/store/database.ts';
import { batchText, leafOf, publicKeyOf, sha256 } from './hashes.ts';
import type { LeafRow, StoredBatch } from './provenance-repository.ts';
import { batchesAfter, countImported, leavesBetween, unsignedBetween } from './provenance-repository.ts';
import { removalMark } from './removal-mark.ts';

/** A page ends at the first batch past so many messages, */
const PAGE_MESSAGES = 300;
/** and past so many batches: verifying a signature takes about 0.1 ms. */
const PAGE_BATCHES = 100;
/** A page reports no more than this. */
const PAGE_FAULTS = 20;
/** Past every place in the order of storing. */
const END = Number.MAX_SAFE_INTEGER;

/** Where a check goes on. */
export interface CheckPlace {
  /** Number of the last batch that was checked; 0 at the beginning. */
  readonly after: number;
  /** SHA-256 of its text. */
  readonly previous: string;
  /** Messages before this place were checked. */
  readonly fromSeq: number;
}

/** Where a check begins. */
export const CHECK_START: CheckPlace = { after: 0, previous: NO_BATCH, fromSeq: Number.MIN_SAFE_INTEGER };

/** What a page of a check needs. Plain data: it goes to another thread. */
export interface CheckArgs {
  readonly place: CheckPlace;
  /** The keys that are believed: id and 32 bytes. */
  readonly keys: readonly { readonly keyId: string; readonly publicKey: Uint8Array }[];
  /** The key of the marks of removed messages. */
  readonly markKey: Uint8Array;
  /** The batch that the head file names, to be compared in passing; undefined when there is none. */
  readonly head: { readonly number: number; readonly hash: Uint8Array } | undefined;
}

/** What a page found. */
export interface CheckPage {
  readonly faults: readonly MessageFault[];
  readonly messages: number;
  readonly batches: number;
  readonly removed: number;
  readonly imported: number;
  readonly isHeadSeen: boolean;
  readonly place: CheckPlace;
  readonly isLast: boolean;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Checks the next batches. */
export function checkPage(db: Db, { place, keys, markKey, head }: CheckArgs): CheckPage {
  const faults: MessageFault[] = [];
  const found = batchesAfter(db, place.after, PAGE_BATCHES + 1);
  const page = takePage(found);
  const next = found[page.length];
  const to = next?.firstSeq ?? END;
  const known = new Map(keys.map(({ keyId, publicKey }) => [keyId, publicKeyOf(publicKey)]));
  let previous = place.previous;
  let number = place.after;
  let isHeadSeen = false;
  for (const stored of page) {
    const text = batchText(stored.batch);
    faults.push(...faultsOfBatch(stored, text, { expected: number + 1, previous, key: known.get(stored.batch.keyId) }));
    const hash = sha256(text);
    if (head?.number === stored.batch.number) {
      isHeadSeen = true;
      if (!isEqual(hash, head.hash))
        faults.push(batchFault(stored, `batch ${stored.batch.number} is not the one that the head file names`));
    }
    previous = hex(hash);
    number = stored.batch.number;
  }
  const counted = checkMessages(db, { page, from: place.fromSeq, to, markKey, faults });
  return {
    faults: faults.slice(0, PAGE_FAULTS),
    batches: page.length,
    ...counted,
    isHeadSeen,
    place: { after: number, previous, fromSeq: to },
    isLast: next === undefined,
  };
}

function takePage(found: readonly StoredBatch[]): StoredBatch[] {
  const page: StoredBatch[] = [];
  let messages = 0;
  for (const stored of found.slice(0, PAGE_BATCHES)) {
    page.push(stored);
    messages += stored.batch.count;
    if (messages >= PAGE_MESSAGES) break;
  }
  return page;
}

function batchFault({ batch }: StoredBatch, detail: string, kind: MessageFault['kind'] = 'batch'): MessageFault {
  return { kind, messageId: null, batch: batch.number, detail };
}

function faultsOfBatch(
  stored: StoredBatch,
  text: string,
  { expected, previous, key }: { expected: number; previous: string; key: KeyObject | undefined },
): MessageFault[] {
  const { batch, signature } = stored;
  const faults: MessageFault[] = [];
  if (batch.number !== expected)
    faults.push(batchFault(stored, `batch ${batch.number} stands where batch ${expected} should: batches are missing or moved`));
  else if (batch.previous !== previous)
    faults.push(batchFault(stored, `batch ${batch.number} does not follow from the batch before it`));
  if (!key) faults.push(batchFault(stored, `batch ${batch.number} is signed by ${batch.keyId}, which is no key of ours`, 'key'));
  else if (!verify(null, Buffer.from(text), key, signature))
    faults.push(batchFault(stored, `the signature of batch ${batch.number} is wrong`));
  return faults;
}

interface MessagesPart {
  readonly page: readonly StoredBatch[];
  readonly from: number;
  readonly to: number;
  readonly markKey: Uint8Array;
  readonly faults: MessageFault[];
}

function checkMessages(
  db: Db,
  { page, from, to, markKey, faults }: MessagesPart,
): { messages: number; removed: number; imported: number } {
  const leaves = leavesBetween(db, from, to);
  const first = page[0];
  const stray = leaves.filter(({ seq }) => first === undefined || seq < first.firstSeq).length;
  if (stray > 0)
    faults.push({ kind: 'batch', messageId: null, batch: null, detail: `${stray} hashes of messages belong to no batch` });
  for (const [index, stored] of page.entries()) {
    const end = page[index + 1]?.firstSeq ?? to;
    const own = leaves.filter(({ seq }) => seq >= stored.firstSeq && seq < end);
    if (!hasRoot(stored, own))
      faults.push(
        batchFault(stored, `the ${own.length} hashes of batch ${stored.batch.number} are not the ${stored.batch.count} signed`),
      );
  }
  for (const seq of unsignedBetween(db, from, to, PAGE_FAULTS)) {
    faults.push({
      kind: 'unsigned',
      messageId: idAt(db, seq),
      batch: null,
      detail: `message ${seq} was never signed: it was put into the database beside the product`,
    });
  }
  const rows = new Map(rowsBetween(db, from, to).map((row) => [row.seq, row.row]));
  const copies = recipientsBetween(db, from, to);
  let removed = 0;
  for (const leaf of leaves) {
    const batch = page.findLast(({ firstSeq }) => firstSeq <= leaf.seq)?.batch.number ?? null;
    const row = rows.get(leaf.seq);
    const isMarked = leaf.removed !== null && isEqual(leaf.removed, removalMark(markKey, leaf.seq, leaf.leaf));
    if (row === undefined && isMarked) removed += 1;
    const fault = row === undefined ? faultOfMissing(leaf, isMarked) : faultOfMessage(row, leaf, copies.get(leaf.seq) ?? []);
    if (fault && faults.length < PAGE_FAULTS) faults.push({ ...fault, batch });
  }
  const imported = countImported(db, from, to);
  return { messages: rows.size + imported, removed, imported };
}

/** Whether the hashes are those that a batch was signed over. */
export function hasRoot({ batch, firstSeq }: StoredBatch, leaves: readonly LeafRow[]): boolean {
  return (
    leaves.length === batch.count &&
    leaves[0]?.seq === firstSeq &&
    hex(
      merkleRoot(
        leaves.map(({ leaf }) => leaf),
        sha256,
      ),
    ) === batch.root
  );
}

type Fault = Omit<MessageFault, 'batch'>;

function faultOfMissing({ seq }: LeafRow, isMarked: boolean): Fault | undefined {
  return isMarked
    ? undefined
    : { kind: 'missing', messageId: null, detail: `message ${seq} is gone, and it was not retention that deleted it` };
}

function faultOfMessage(row: unknown, leaf: LeafRow, recipients: readonly string[]): Fault | undefined {
  let message: Message;
  try {
    message = messageOf(MessageRow.parse(row));
  } catch (error) {
    return { kind: 'changed', messageId: null, detail: `message ${leaf.seq} cannot be read: ${textOf(error)}` };
  }
  const { id: messageId } = message;
  if (!isEqual(leafOf(message), leaf.leaf))
    return { kind: 'changed', messageId, detail: `message ${messageId} is not what was sent` };
  if (leaf.removed !== null)
    return { kind: 'unsigned', messageId, detail: `message ${messageId} was deleted by retention and stands there again` };
  const sent = [...message.recipients].sort();
  if (sent.length === recipients.length && sent.every((recipient, index) => recipient === recipients[index])) return undefined;
  const other = recipients.filter((recipient) => !sent.includes(recipient));
  const lost = sent.filter((recipient) => !recipients.includes(recipient));
  const detail = [
    ...(other.length > 0 ? [`stands in inboxes that it was not sent to (${other.join(', ')})`] : []),
    ...(lost.length > 0 ? [`lacks the copies of ${lost.join(', ')}`] : []),
  ].join(' and ');
  return { kind: 'delivery', messageId, detail: `message ${messageId} ${detail}` };
}

const SeqRow = z.object({ seq: z.number() });
const CopyRow = z.object({ seq: z.number(), recipient: z.string() });

function rowsBetween(db: Db, from: number, to: number): { seq: number; row: unknown }[] {
  return db
    .prepare(
      `SELECT ${MESSAGE_COLUMNS} FROM message_leaves l JOIN messages m ON m.seq = l.seq WHERE l.seq >= ? AND l.seq < ? ORDER BY l.seq`,
    )
    .all(from, to)
    .map((row) => ({ seq: SeqRow.parse(row).seq, row }));
}

function recipientsBetween(db: Db, from: number, to: number): Map<number, string[]> {
  const copies = new Map<number, string[]>();
  const rows = db
    .prepare(
      'SELECT d.message_seq AS seq, d.recipient FROM message_leaves l JOIN deliveries d ON d.message_seq = l.seq WHERE l.seq >= ? AND l.seq < ?',
    )
    .all(from, to);
  for (const row of rows) {
    const { seq, recipient } = CopyRow.parse(row);
    const own = copies.get(seq);
    if (own) own.push(recipient);
    else copies.set(seq, [recipient]);
  }
  for (const own of copies.values()) own.sort();
  return copies;
}

function idAt(db: Db, seq: number): string | null {
  const row = db.prepare('SELECT id FROM messages WHERE seq = ?').get(seq);
  return row === undefined ? null : z.object({ id: z.string() }).parse(row).id;
}
