/** Verification of the journal: recomputes the chain page by page and compares its end with the head file. */
import { timingSafeEqual } from 'node:crypto';
import type { JournalFault } from '#shared/journal/model.ts';
import type { AuditKey } from './chain.ts';
import { GENESIS, hashData, hashRow } from './chain.ts';
import type { JournalHead } from './head-file.ts';
import type { StoredRow } from './journal-repository.ts';

/** Reads at most this many rows at once. */
const PAGE = 500;
/** Stops after this many faults: after the first few the rest says nothing new. */
const MAX_FAULTS = 20;

/** What a verification found. */
export interface Verification {
  readonly isIntact: boolean;
  readonly rows: number;
  readonly headSeq: number | null;
  readonly faults: readonly JournalFault[];
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/**
 * Verifies the whole journal. `readPage` returns rows after a number, in order; `head` is what the head file holds.
 * A database ahead of the head is sound (the head is written after the commit), as long as the head's own row is in it.
 * A fault that a core found at its start and recorded is reported for good: the chain is whole, but not all of it is there.
 */
export async function verifyJournal(
  key: AuditKey,
  head: JournalHead | undefined,
  readPage: (after: number, limit: number) => Promise<readonly StoredRow[]>,
): Promise<Verification> {
  const faults: JournalFault[] = [];
  let previous: Uint8Array = GENESIS;
  // From below every number: a row slipped in before the first is found too.
  let seq = Number.MIN_SAFE_INTEGER;
  let expected = 1;
  let rows = 0;
  let isHeadSeen = false;
  for (;;) {
    const page = await readPage(seq, PAGE);
    if (page.length === 0 || faults.length >= MAX_FAULTS) break;
    for (const row of page) {
      rows += 1;
      if (row.seq !== expected)
        faults.push({ kind: 'gap', seq: row.seq, detail: `row ${row.seq} stands where row ${expected} should` });
      if (row.kind === 'journal.fault-found') {
        faults.push({
          kind: 'cut',
          seq: row.seq,
          detail: `before row ${row.seq} the core found the end of the journal damaged: ${row.data ?? 'details were erased'}`,
        });
      }
      if (row.data !== null && !equal(hashData(row.data), row.dataHash)) {
        faults.push({
          kind: 'changed',
          seq: row.seq,
          detail: `the data of row ${row.seq} (${row.kind}) is not what was written`,
        });
      }
      if (!equal(hashRow(key, previous, row), row.hash)) {
        faults.push({
          kind: 'changed',
          seq: row.seq,
          detail: `row ${row.seq} (${row.kind}) does not follow from the row before it`,
        });
      }
      if (head && row.seq === head.seq) {
        isHeadSeen = true;
        if (!equal(row.hash, head.hash))
          faults.push({ kind: 'changed', seq: row.seq, detail: `row ${row.seq} is not the row that the head file names` });
      }
      previous = row.hash;
      seq = row.seq;
      expected = row.seq + 1;
    }
  }
  if (!head)
    faults.push({
      kind: 'head',
      seq: null,
      detail: 'the head file "audit-head" is missing or was not written by this installation',
    });
  if (head && !isHeadSeen && head.seq > 0 && faults.length < MAX_FAULTS) {
    faults.push({
      kind: 'cut',
      seq: head.seq,
      detail: `the journal ends at row ${expected - 1}, the head file names row ${head.seq}: the end was cut off`,
    });
  }
  return { isIntact: faults.length === 0, rows, headSeq: head?.seq ?? null, faults: faults.slice(0, MAX_FAULTS) };
}
