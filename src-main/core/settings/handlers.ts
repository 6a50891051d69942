/** Handlers of the settings' procedures. */
import type { settingsContract } from '#shared/settings/contract.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { SettingsService } from './settings-service.ts';

/** Handlers of the settings' procedures. */
export function settingsHandlers(settings: SettingsService): HandlersOf<typeof settingsContract> {
  return {
    get: async () => settings.get(),
    update: (input, { caller }) => settings.update(input, caller),
  };
}
