/** Journals commands that were refused, at most one a second per caller and procedure: a client in a loop cannot fill the journal. */
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import { QuietTimes } from '#core/journal/quiet-times.ts';
import type { CommandStore } from './command-results.ts';

/** Is told of what was refused: what an agent in a box asked for stands with the agent, too. */
export type OnRefused = (caller: Caller, asked: string, reason: string) => Promise<void>;

/** Writes refusals down. */
export class Refusals {
  readonly #store: CommandStore;
  readonly #onRefused: OnRefused | undefined;
  readonly #quiet: QuietTimes;

  constructor(store: CommandStore, options: { now?: () => number; onRefused?: OnRefused | undefined } = {}) {
    this.#store = store;
    this.#onRefused = options.onRefused;
    this.#quiet = new QuietTimes(options.now);
  }

  /** Journals one refusal, unless the same was journaled within the last second. */
  async record(caller: Caller, procedure: string, reason: string): Promise<void> {
    if (!this.#quiet.isDue([caller.actor.kind, caller.actor.id, procedure])) return;
    await Promise.all([
      this.#store.write((tx) => {
        tx.record(
          event({ projectId: SYSTEM_PROJECT_ID, actor: caller.actor, door: caller.door, subject: procedure }, 'access.refused', {
            procedure,
            reason,
          }),
        );
      }),
      this.#onRefused?.(caller, procedure, reason),
    ]);
  }
}
