/** Tells the journal that somebody types into a terminal, once per spell of typing. What was typed is never looked at. */
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';

/** After so long a silence typing is told again, in ms. */
const SILENCE_MS = 60_000;
/** Spells kept before those that are over are forgotten. */
const MAX_SPELLS = 1_000;

/** Spells of typing, by who types where. */
export class TypingLog {
  readonly #store: AppStore;
  readonly #now: () => number;
  readonly #lastTypedAt = new Map<string, number>();

  constructor(options: { store: AppStore; now: () => number }) {
    this.#store = options.store;
    this.#now = options.now;
  }

  /**
   * To be called before bytes are typed. Returns a promise at the start of a spell: it resolves when the journal has it, and
   * nothing must be typed before. Rejects when it cannot be written.
   */
  note(where: { agentId: AgentId; projectId: ProjectId; window: string }, caller: Caller): Promise<void> | undefined {
    const now = this.#now();
    const key = `${caller.actor.kind} ${caller.actor.id} ${caller.door} ${where.agentId} ${where.window}`;
    const last = this.#lastTypedAt.get(key);
    this.#lastTypedAt.set(key, now);
    if (last !== undefined && now - last < SILENCE_MS) return undefined;
    if (this.#lastTypedAt.size > MAX_SPELLS) this.#forgetOld(now);
    return this.#store
      .write((tx) => {
        const envelope = { projectId: where.projectId, actor: caller.actor, door: caller.door, subject: where.agentId };
        tx.record(event(envelope, 'terminal.typed', { window: where.window }));
      })
      .catch((error: unknown) => {
        this.#lastTypedAt.delete(key);
        throw error;
      });
  }

  #forgetOld(now: number): void {
    for (const [key, at] of this.#lastTypedAt) if (now - at >= SILENCE_MS) this.#lastTypedAt.delete(key);
  }
}
