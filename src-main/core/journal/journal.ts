/**
 * The journal: gives events their number, time and hash inside the transaction of their change, and publishes them after it.
 * Invariant: listeners see every committed event exactly once, in order, and never one that was not committed.
 */
import type { EventData, EventKind, JournalEvent, PendingEvent } from '#shared/journal/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import type { Db } from '#core/store/database.ts';
import type { BatchSink } from '#core/store/store.ts';
import { GENESIS, hashData, hashRow } from './chain.ts';
import { HeadFile } from './head-file.ts';
import type { JournalHead } from './head-file.ts';
import { insertRow, lastRow } from './journal-repository.ts';

/** How many committed events are kept in memory for followers that are a little behind. */
const RECENT_EVENTS = 4_096;

/** Where a journal keeps its head, and its key. */
export interface JournalOptions {
  readonly headFile: string;
  readonly auditKey: Uint8Array;
  readonly now?: () => number;
}

/** Owns the chain's end and the recent events. */
export class Journal implements BatchSink {
  readonly #key: Uint8Array;
  readonly #now: () => number;
  readonly #headFilePath: string;
  readonly #committed = new Emitter<readonly JournalEvent[]>();
  #head: JournalHead = { seq: 0, hash: GENESIS };
  #pendingHead: JournalHead | undefined;
  #pendingEvents: JournalEvent[] = [];
  #recent: JournalEvent[] = [];
  #headFile: HeadFile | undefined;

  constructor(options: JournalOptions) {
    this.#key = options.auditKey;
    this.#headFilePath = options.headFile;
    this.#now = options.now ?? Date.now;
  }

  /** Continues the chain where the database ends. */
  open(db: Db): void {
    const row = lastRow(db);
    if (row) this.#head = { seq: row.seq, hash: row.hash };
    this.#headFile = new HeadFile(this.#headFilePath, this.#key);
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

  beforeCommit(db: Db, events: readonly PendingEvent[]): void {
    const at = this.#now();
    let head = this.#head;
    for (const event of events) {
      const text = JSON.stringify(event.data);
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
    this.#headFile?.write(this.#head);
    const events = this.#pendingEvents;
    this.rolledBack();
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
export function event<K extends EventKind>(envelope: Omit<PendingEvent, 'kind' | 'data'>, kind: K, data: EventData<K>): PendingEvent {
  return { ...envelope, kind, data } as PendingEvent;
}
