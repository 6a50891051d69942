/** Journals commands that were refused, at most one a second per caller and procedure: a client in a loop cannot fill the journal. */
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { CommandStore } from './command-results.ts';

/** The least time between two rows of one caller and procedure, in milliseconds. */
const QUIET_MS = 1_000;
/** Callers and procedures remembered at once. */
const MAX_REMEMBERED = 1_000;

/** Writes refusals down. */
export class Refusals {
  readonly #store: CommandStore;
  readonly #now: () => number;
  readonly #last = new Map<string, number>();

  constructor(store: CommandStore, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** Journals one refusal, unless the same was journaled within the last second. */
  async record(caller: Caller, procedure: string, reason: string): Promise<void> {
    const now = this.#now();
    const key = JSON.stringify([caller.actor.kind, caller.actor.id, procedure]);
    const last = this.#last.get(key);
    if (last !== undefined && now - last < QUIET_MS) return;
    // Re-inserted, so that the oldest stands first.
    this.#last.delete(key);
    this.#last.set(key, now);
    const oldest = this.#last.size > MAX_REMEMBERED ? this.#last.keys().next().value : undefined;
    if (oldest !== undefined) this.#last.delete(oldest);
    await this.#store.write((tx) => {
      tx.record(
        event({ projectId: SYSTEM_PROJECT_ID, actor: caller.actor, door: caller.door, subject: procedure }, 'access.refused', {
          procedure,
          reason,
        }),
      );
    });
  }
}
