/**
 * Stores the gateway's log of connections: rows for people to look through, journal rows for what opened and what was refused.
 * Invariant: an entry and the note that it is stored are one transaction, so that each counts exactly once, whatever ends.
 */
import { AppError } from '#shared/kernel/errors.ts';
import type { GatewayEvent } from '#shared/gateway/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import type { LogPosition } from './egress-repository.ts';
import { KEPT_CONNECTIONS, markOf, pruneConnections, readPosition, savePosition, upsertConnection } from './egress-repository.ts';
import type { EventReader, GatewayLog } from './gateway-client.ts';

/** Entries that share a transaction: some milliseconds of the writer's time. */
const MAX_ENTRIES = 50;
/** Until a write that failed (a full disk) is tried again, in milliseconds. */
const RETRY_MS = 2_000;

/** What the log is made of. */
export interface EgressLogOptions {
  readonly store: AppStore;
  readonly log: GatewayLog;
  /** Rows that are kept. */
  readonly kept?: number;
  readonly retryMs?: number;
}

/** Follows one log. */
export class EgressLog implements EventReader {
  readonly #o: EgressLogOptions;
  readonly #closing = new AbortController();
  #position: LogPosition = { log: 1, n: 0, mark: '' };

  constructor(options: EgressLogOptions) {
    this.#o = options;
  }

  /** Reads how far the log was stored. */
  open(): void {
    this.#position = this.#o.store.peek(readPosition);
  }

  /**
   * The number after which the log is to be read. The last entry that is stored is read once more: if it is another one than
   * was stored, this is another log.
   */
  after(lastEvent: number): number {
    const { n } = this.#position;
    if (lastEvent < n) this.#startOver(`it ends at entry ${lastEvent}, and ${n} are stored`);
    return Math.max(0, this.#position.n - 1);
  }

  async take(events: readonly GatewayEvent[]): Promise<boolean> {
    for (let at = 0; at < events.length; at += MAX_ENTRIES) {
      if (!(await this.#takeSome(events.slice(at, at + MAX_ENTRIES)))) return false;
    }
    return true;
  }

  /** What is read after this is not stored: the next core reads it again. */
  dispose(): void {
    this.#closing.abort();
  }

  async #takeSome(events: readonly GatewayEvent[]): Promise<boolean> {
    const known = events.find(({ n }) => n === this.#position.n);
    if (known !== undefined && markOf(known) !== this.#position.mark) {
      this.#startOver(`its entry ${known.n} is not the one that was stored`);
      return false;
    }
    const fresh = events.filter(({ n }) => n > this.#position.n);
    const last = fresh.at(-1);
    if (last === undefined) return true;
    const first = fresh[0]?.n ?? 0;
    if (first > this.#position.n + 1)
      this.#o.log.warn({ after: this.#position.n, before: first }, 'entries of the log of connections are missing');
    const position = { log: this.#position.log, n: last.n, mark: markOf(last) };
    await this.#write((tx) => {
      let isGrown = false;
      for (const entry of fresh) isGrown = store(tx, position.log, entry) || isGrown;
      if (isGrown) pruneConnections(tx, this.#o.kept ?? KEPT_CONNECTIONS);
      savePosition(tx, position);
    });
    this.#position = position;
    return true;
  }

  #startOver(why: string): void {
    this.#o.log.warn({ why }, 'the log of connections is another one than before; it is read from its beginning');
    this.#position = { log: this.#position.log + 1, n: 0, mark: '' };
  }

  /** Writes, again and again while the disk does not take it: what the gateway has seen must not be lost for that. */
  async #write(run: (tx: Tx) => void): Promise<void> {
    for (;;) {
      this.#closing.signal.throwIfAborted();
      try {
        await this.#o.store.write(run);
        return;
      } catch (error) {
        if (!(error instanceof AppError && error.code === 'UNAVAILABLE')) throw error;
        this.#o.log.warn({ err: error }, 'connections could not be stored; it is tried again');
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, this.#o.retryMs ?? RETRY_MS);
          timer.unref();
          this.#closing.signal.addEventListener('abort', resolve, { once: true });
        });
      }
    }
  }
}

/** Stores one entry. True when its connection is a new row. */
function store(tx: Tx, log: number, entry: GatewayEvent): boolean {
  const { connection: c, count } = entry;
  const { isNew } = upsertConnection(tx, log, entry);
  // It is the agent that connects; the gateway only tells.
  const by: Pick<Caller, 'actor' | 'door'> = { actor: { kind: 'agent', id: c.agentId }, door: 'core' };
  const envelope = { projectId: c.projectId, actor: by.actor, door: by.door, subject: c.agentId };
  const target = { host: c.host, port: c.port, protocol: c.protocol, reason: c.reason };
  if (c.outcome === 'refused') tx.record(event(envelope, 'egress.refused', { ...target, count }));
  // Seen for the first time when it has ended already: it was opened all the same.
  else if (isNew && (c.outcome === 'open' || c.outcome === 'closed'))
    tx.record(event(envelope, 'egress.opened', { ...target, address: c.address ?? '' }));
  return isNew;
}
