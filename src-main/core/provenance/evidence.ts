/** What stands in the database about one message: read on the reader's thread, judged in ./judge-message.ts. */
import { merklePath } from '#shared/provenance/merkle.ts';
import type { Message } from '#shared/messages/model.ts';
import { NO_BATCH } from '#shared/provenance/model.ts';
import { findMessage } from '#core/messages/messages-repository.ts';
import type { Db } from '#core/store/database.ts';
import type { CheckArgs, CheckPage } from './check-page.ts';
import { checkPage, hasRoot } from './check-page.ts';
import { batchText, leafOf, sha256 } from './hashes.ts';
import type { Copy, StoredBatch } from './provenance-repository.ts';
import { batchAt, batchOf, copiesOf, isImported, leafAt, leavesBetween } from './provenance-repository.ts';

/** What stands in the database about one message. Plain data. */
export interface Evidence {
  readonly message: Message;
  readonly copies: readonly Copy[];
  /** Its hash as it was stored; undefined when it has none. */
  readonly leaf: Uint8Array | undefined;
  /** Whether it was read from a file. */
  readonly isImported: boolean;
  /** Whether the message, as it stands there, has that hash. */
  readonly isUnchanged: boolean;
  /** The batch its place is in, and what of that batch is right. */
  readonly batch: StoredBatch | undefined;
  readonly hasRoot: boolean;
  readonly isChained: boolean;
  /** Its place in the batch, and its path. */
  readonly index: number;
  readonly path: readonly string[];
}

/** What is there about a message. */
export type Found = { readonly kind: 'nothing' } | { readonly kind: 'unreadable' } | ({ readonly kind: 'message' } & Evidence);

function find(db: Db, id: string): Found {
  let stored: ReturnType<typeof findMessage>;
  try {
    stored = findMessage(db, id);
  } catch {
    // A row that is not one of a message: somebody wrote it.
    return { kind: 'unreadable' };
  }
  if (!stored) return { kind: 'nothing' };
  const { seq, message } = stored;
  const leaf = leafAt(db, seq)?.leaf;
  const batch = leaf && batchOf(db, seq);
  const next = batch && batchAt(db, batch.batch.number + 1);
  const leaves = batch ? leavesBetween(db, batch.firstSeq, next?.firstSeq ?? Number.MAX_SAFE_INTEGER) : [];
  const index = leaves.findIndex((one) => one.seq === seq);
  return {
    kind: 'message',
    message,
    copies: copiesOf(db, seq),
    leaf,
    isImported: leaf === undefined && isImported(db, seq),
    isUnchanged: leaf !== undefined && leafOf(message).equals(leaf),
    batch,
    hasRoot: batch !== undefined && hasRoot(batch, leaves),
    isChained: batch !== undefined && isChained(db, batch, next),
    index,
    path:
      index < 0
        ? []
        : merklePath(
            leaves.map((one) => one.leaf),
            index,
            sha256,
          ).map((hash) => Buffer.from(hash).toString('hex')),
  };
}

/** Whether a batch names the one before it, and is named by the one after it. */
function isChained(db: Db, { batch }: StoredBatch, next: StoredBatch | undefined): boolean {
  const before = batch.number === 1 ? undefined : batchAt(db, batch.number - 1);
  const previous = before ? sha256(batchText(before.batch)).toString('hex') : NO_BATCH;
  if (batch.previous !== previous || (before === undefined) !== (batch.number === 1)) return false;
  return next === undefined || next.batch.previous === sha256(batchText(batch)).toString('hex');
}

/** Reads of provenance, run by the reader. */
export const provenanceReads = {
  /** What is there about a message. */
  'provenance.evidence': (db: Db, args: { id: string }): Found => find(db, args.id),

  /** The text of a batch; undefined when there is none of this number. */
  'provenance.batch': (db: Db, args: { number: number }): string | undefined => {
    const stored = batchAt(db, args.number);
    return stored && batchText(stored.batch);
  },

  /** Checks some batches. */
  'provenance.check': (db: Db, args: CheckArgs): CheckPage => checkPage(db, args),
};
