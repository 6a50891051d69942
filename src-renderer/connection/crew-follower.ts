/**
 * Keeps this window's copy of the crew's state: a snapshot, then every journal event after it, folded in order.
 * Invariant: an event is applied once and none is skipped, across any number of dropped lines.
 */
import { ORPCError } from '@orpc/client';
import type { FollowItem, JournalEvent } from '#shared/journal/model.ts';
import type { CrewState } from '#shared/state.ts';
import { applyEvent } from '#shared/state.ts';

/** A line on which not even a heartbeat came for so long is taken for dead, in milliseconds. */
const SILENCE_LIMIT_MS = 90_000;

/** Deliveries that changed, the newest state of each. */
export type DeliveryChange = Extract<FollowItem, { type: 'deliveries' }>['changes'][number];

/** Receives what the follower learns. */
export interface CrewListener {
  /** A whole new state: everything that was built from earlier events must be built anew. */
  onSnapshot(state: CrewState): void;
  /** Events that followed, in order, and the state after them. */
  onEvents(events: readonly JournalEvent[], state: CrewState): void;
  onDeliveries(changes: readonly DeliveryChange[]): void;
  /** The stream stands: what comes next is live. */
  onFollowing(): void;
}

/** The two procedures that are used; the core's whole client is one. */
export interface JournalClient {
  readonly journal: {
    snapshot(input: Record<never, never>, options: { signal: AbortSignal }): PromiseLike<CrewState>;
    follow(input: { after: number }, options: { signal: AbortSignal }): PromiseLike<AsyncIterable<FollowItem>>;
  };
}

/** Follows the journal over one line after the other. */
export class CrewFollower {
  readonly #listener: CrewListener;
  #state: CrewState | undefined;

  constructor(listener: CrewListener) {
    this.#listener = listener;
  }

  /** The state folded so far; undefined before the first snapshot. */
  get state(): CrewState | undefined {
    return this.#state;
  }

  /**
   * Follows over this line until the stream ends or breaks, then returns. It goes on from the last event that was folded,
   * or from a new snapshot where that number is no longer good. Rejects with what the calls reject with.
   */
  async follow(client: JournalClient, signal: AbortSignal): Promise<void> {
    const after = this.#state?.seq;
    if (after !== undefined) {
      try {
        await this.#run(client, signal, after);
        return;
      } catch (error) {
        if (!isOutOfDate(error)) throw error;
      }
    }
    const state = await client.journal.snapshot({}, { signal });
    this.#state = state;
    this.#listener.onSnapshot(state);
    await this.#run(client, signal, state.seq);
  }

  async #run(client: JournalClient, signal: AbortSignal, after: number): Promise<void> {
    const silence = new AbortController();
    const giveUp = (): void => silence.abort(new Error('Not even a heartbeat came.'));
    let watchdog = setTimeout(giveUp, SILENCE_LIMIT_MS);
    try {
      const stream = await client.journal.follow({ after }, { signal: AbortSignal.any([signal, silence.signal]) });
      this.#listener.onFollowing();
      for await (const item of stream) {
        clearTimeout(watchdog);
        watchdog = setTimeout(giveUp, SILENCE_LIMIT_MS);
        this.#take(item);
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  #take(item: FollowItem): void {
    if (item.type === 'deliveries') {
      this.#listener.onDeliveries(item.changes);
      return;
    }
    if (item.type === 'heartbeat') return;
    let state = this.#state;
    if (state === undefined) return;
    const fresh: JournalEvent[] = [];
    for (const event of item.events) {
      if (event.seq <= state.seq) continue;
      // The journal counts without gaps: a hole means that something was lost on the way, so this copy is worth nothing.
      if (event.seq !== state.seq + 1) {
        this.#state = undefined;
        throw new Error(`The journal went from ${state.seq} to ${event.seq}.`);
      }
      state = applyEvent(state, event);
      fresh.push(event);
    }
    this.#state = state;
    if (fresh.length > 0) this.#listener.onEvents(fresh, state);
  }
}

/** Whether the core says that our number is ahead of its journal or no longer kept. */
function isOutOfDate(error: unknown): boolean {
  return error instanceof ORPCError && error.code === 'CONFLICT';
}
