/** Tells the journal that somebody types into a terminal, once per spell of typing. What was typed is never looked at. */
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';

/** After so long a silence typing is told again, in ms. */
const SILENCE_MS = 60_000;
/** Spells kept before those that are over are forgotten. */
const MAX_SPELLS = 1_000;

interface Spell {
  lastTypedAt: number;
  /** Its row, until that is committed. */
  row: Promise<void> | undefined;
}

/** Spells of typing, by who types where. */
export class TypingLog {
  readonly #store: AppStore;
  readonly #now: () => number;
  readonly #spells = new Map<string, Spell>();

  constructor(options: { store: AppStore; now: () => number }) {
    this.#store = options.store;
    this.#now = options.now;
  }

  /**
   * To be called before bytes are typed. Returns a promise until the journal has the spell's row: nothing must be typed
   * before it resolves, by whichever connection of the same caller. Rejects when the row cannot be written.
   */
  note(where: { agentId: AgentId; projectId: ProjectId; window: string }, caller: Caller): Promise<void> | undefined {
    const now = this.#now();
    const key = `${caller.actor.kind} ${caller.actor.id} ${caller.door} ${where.agentId} ${where.window}`;
    const known = this.#spells.get(key);
    if (known !== undefined && now - known.lastTypedAt < SILENCE_MS) {
      known.lastTypedAt = now;
      return known.row;
    }
    if (this.#spells.size >= MAX_SPELLS) this.#forgetOld(now);
    const spell: Spell = { lastTypedAt: now, row: undefined };
    this.#spells.set(key, spell);
    spell.row = this.#record(where, caller).then(
      () => {
        spell.row = undefined;
      },
      (error: unknown) => {
        if (this.#spells.get(key) === spell) this.#spells.delete(key);
        throw error;
      },
    );
    return spell.row;
  }

  #record(where: { agentId: AgentId; projectId: ProjectId; window: string }, caller: Caller): Promise<void> {
    return this.#store.write((tx) => {
      const envelope = { projectId: where.projectId, actor: caller.actor, door: caller.door, subject: where.agentId };
      tx.record(event(envelope, 'terminal.typed', { window: where.window }));
    });
  }

  #forgetOld(now: number): void {
    for (const [key, { lastTypedAt }] of this.#spells) if (now - lastTypedAt >= SILENCE_MS) this.#spells.delete(key);
  }
}
