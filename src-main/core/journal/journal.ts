/**
 * The journal: gives events their number, time and hash inside the transaction of their change, and publishes them after it.
 * Invariant: listeners see every committed event exactly once, in order, and never one that was not committed.
 */
import { createSecretKey, timingSafeEqual } from 'node:crypto';
import type { EventData, EventKind, JournalEvent, PendingEvent } from '#shared/journal/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import { messageOf } from '#shared/kernel/errors.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import { CORE } from '#core/caller.ts';
import type { Db } from '#core/store/database.ts';
import type { BatchSink, RecordedEvent } from '#core/store/store.ts';
import type { AuditKey } from './chain.ts';
import { GENESIS, hashData, hashRow } from './chain.ts';
import { HeadFile, readHeadFile } from './head-file.ts';
import type { JournalHead } from './head-file.ts';
import { insertRow, lastRow, rowAt } from './journal-repository.ts';

/** How many committed events are kept in memory for followers that are a little behind. */
const RECENT_EVENTS = 4_096;

/** Where a journal keeps its head, and its key. */
export interface JournalOptions {
  readonly headFile: string;
  readonly auditKey: Uint8Array;
  readonly now?: () => number;
  /** Told what the operator should know: a damaged end of the journal, a head file that cannot be written, a listener that threw. */
  readonly warn?: (message: string) => void;
}

/** Owns the chain's end and the recent events. */
export class Journal implements BatchSink {
  readonly #key: AuditKey;
  readonly #now: () => number;
  readonly #headFilePath: string;
  readonly #warn: (message: string) => void;
  readonly #committed: Emitter<readonly JournalEvent[]>;
  #head: JournalHead = { seq: 0, hash: GENESIS };
  #pendingHead: JournalHead | undefined;
  #pendingEvents: JournalEvent[] = [];
  #recent: JournalEvent[] = [];
  #headFile: HeadFile | undefined;
  /** Found at the start and not recorded yet: goes in front of the next events. */
  #fault: EventData<'journal.fault-found'> | undefined;

  constructor(options: JournalOptions) {
    this.#key = createSecretKey(options.auditKey);
    this.#headFilePath = options.headFile;
    this.#now = options.now ?? Date.now;
    this.#warn = options.warn ?? ((message) => process.emitWarning(message));
    this.#committed = new Emitter((error) => this.#warn(`a listener of the journal failed: ${messageOf(error)}`));
  }

  /**
   * Continues the chain where the database ends. When that is not where the head file says it ended, rows were lost or taken
   * away while no core ran: this is told, and recorded with the next events. Until then the head file is left as it is, and
   * afterwards the record stands in its place: going on writing must not hide what happened.
   */
  open(db: Db): void {
    const row = lastRow(db);
    if (row) this.#head = { seq: row.seq, hash: row.hash };
    const stored = readHeadFile(this.#headFilePath, this.#key);
    this.#fault = this.#findFault(db, stored);
    if (this.#fault)
      this.#warn(
        `The audit trail is damaged: ${this.#fault.detail}. Changes that were confirmed may be missing from the database beside ${this.#headFilePath}. Verify it (verify_audit), and compare with a backup.`,
      );
    this.#headFile = new HeadFile(this.#headFilePath, this.#key);
    // From the first start on there is a head, so that a missing one always means that it was taken away.
    if (!stored && !this.#fault) this.#headFile.reset(this.#head);
  }

  #findFault(db: Db, stored: JournalHead | undefined): EventData<'journal.fault-found'> | undefined {
    const foundSeq = this.#head.seq;
    if (!stored) {
      return foundSeq === 0
        ? undefined
        : {
            headSeq: null,
            foundSeq,
            detail:
              'the head file "audit-head" is missing or was not written by this installation; rows may be missing at the end',
          };
    }
    const headSeq = stored.seq;
    if (headSeq > foundSeq)
      return {
        headSeq,
        foundSeq,
        detail: `the journal ends at row ${foundSeq}, the head file names row ${headSeq}: the end was cut off, or an older database was put back`,
      };
    const row = headSeq === 0 ? undefined : rowAt(db, headSeq);
    const isSame = headSeq === 0 || (row?.hash.length === stored.hash.length && timingSafeEqual(row.hash, stored.hash));
    return isSame
      ? undefined
      : { headSeq, foundSeq, detail: `row ${headSeq} is not the row that the head file names: the end was replaced` };
  }

  /** Number of the last committed event. */
  get seq(): number {
    return this.#head.seq;
  }

  /** Committed events, a batch at a time. */
  onCommitted(listener: (events: readonly JournalEvent[]) => void): Disposable {
    return this.#committed.on(listener);
  }

  /** The events after `seq` if they are all still in memory, at most `limit`; undefined when they have to be read. */
  recentAfter(seq: number, limit: number): readonly JournalEvent[] | undefined {
    const first = this.#recent[0]?.seq ?? this.#head.seq + 1;
    if (seq + 1 < first) return undefined;
    const start = seq + 1 - first;
    return this.#recent.slice(start, start + limit);
  }

  beforeCommit(db: Db, recorded: readonly RecordedEvent[]): void {
    const at = this.#now();
    let head = this.#head;
    for (const { event, text } of this.#fault ? [faultEvent(this.#fault), ...recorded] : recorded) {
      const dataHash = hashData(text);
      const row = {
        seq: head.seq + 1,
        at,
        projectId: event.projectId,
        actorKind: event.actor.kind,
        actorId: event.actor.id,
        door: event.door,
        kind: event.kind,
        subject: event.subject,
        dataHash,
      };
      const hash = hashRow(this.#key, head.hash, row);
      insertRow(db, { ...row, data: text, hash });
      this.#pendingEvents.push({ seq: row.seq, at, ...event } as JournalEvent);
      head = { seq: row.seq, hash };
    }
    this.#pendingHead = head;
  }

  afterCommit(): void {
    if (this.#pendingHead) this.#head = this.#pendingHead;
    const events = this.#pendingEvents;
    this.rolledBack();
    try {
      if (this.#fault) this.#headFile?.reset(this.#head);
      else this.#headFile?.write(this.#head);
      this.#fault = undefined;
    } catch (error) {
      // The database is ahead of the head now, which is sound; the next commit writes it again.
      this.#warn(`The head file of the audit trail cannot be written: ${messageOf(error)}. Check free space of the data folder.`);
    }
    this.#recent.push(...events);
    if (this.#recent.length > RECENT_EVENTS * 2) this.#recent = this.#recent.slice(-RECENT_EVENTS);
    this.#committed.fire(events);
  }

  rolledBack(): void {
    this.#pendingHead = undefined;
    this.#pendingEvents = [];
  }

  close(): void {
    this.#headFile?.close();
    this.#headFile = undefined;
    this.#committed.dispose();
  }
}

/** Shapes an event for `Tx.record`, with the data checked against its kind. */
export function event<K extends EventKind>(
  envelope: Omit<PendingEvent, 'kind' | 'data'>,
  kind: K,
  data: EventData<K>,
): PendingEvent {
  return { ...envelope, kind, data } as PendingEvent;
}

function faultEvent(data: EventData<'journal.fault-found'>): RecordedEvent {
  return {
    event: event(
      { projectId: SYSTEM_PROJECT_ID, actor: CORE.actor, door: CORE.door, subject: 'journal' },
      'journal.fault-found',
      data,
    ),
    text: JSON.stringify(data),
  };
}
