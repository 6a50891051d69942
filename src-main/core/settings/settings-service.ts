/** Settings: what the operator chose. Invariant: what is kept is valid and whole, and every change of it is in the journal. */
import { canonicalJson } from '#shared/kernel/json.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Settings, SettingsChanges } from '#shared/settings/model.ts';
import { changeSettings } from '#shared/settings/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import { readSettings, saveSettings } from './settings-repository.ts';

/** Owns the settings. */
export class SettingsService {
  readonly #store: AppStore;

  constructor(options: { store: AppStore }) {
    this.#store = options.store;
  }

  /** The settings as they are now. */
  get(): Settings {
    return this.#store.peek(readSettings);
  }

  /** Changes what is stated, and returns the whole. A change that changes nothing is no event. */
  update(changes: SettingsChanges, caller: Caller): Promise<Settings> {
    return this.#store.write((tx) => {
      // From the table: of several changes in one batch each sees those before it.
      const before = readSettings(tx);
      const settings = changeSettings(before, changes);
      if (canonicalJson(settings) === canonicalJson(before)) return before;
      saveSettings(tx, settings);
      tx.record(
        event({ projectId: SYSTEM_PROJECT_ID, actor: caller.actor, door: caller.door, subject: 'settings' }, 'settings.changed', {
          settings,
        }),
      );
      return settings;
    });
  }
}
