/** What the journal says about settings, and how a window folds it. */
import * as z from 'zod';
import { Settings } from './model.ts';

/** Data of each journal event about settings, by kind. The subject is "settings"; the data is the whole, as it is now. */
export const settingsEvents = {
  'settings.changed': z.object({ settings: Settings }),
};

/** Folds one event: the newest settings replace what was there. */
export function reduceSettings(
  _settings: Settings,
  event: { kind: 'settings.changed'; subject: string; data: { settings: Settings } },
): Settings {
  return event.data.settings;
}
