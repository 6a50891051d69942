/** SQL of settings: one fact of the installation, as JSON. */
import type { Settings } from '#shared/settings/model.ts';
import { settingsFrom } from '#shared/settings/model.ts';
import type { Db } from '#core/store/database.ts';
import { readFact, saveFact } from '#core/store/facts-repository.ts';

const SETTINGS_FACT = 'settings';

/** The settings as they are kept; defaults where nothing usable is. */
export function readSettings(db: Db): Settings {
  return settingsFrom(parse(readFact(db, SETTINGS_FACT)));
}

/** Keeps the settings. */
export function saveSettings(db: Db, settings: Settings): void {
  saveFact(db, SETTINGS_FACT, JSON.stringify(settings));
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined; // Nobody but the core writes it; should it be damaged all the same, the defaults hold.
  }
}
