import { showToast } from '#renderer/ui/toast.tsx';
import type { Settings, SettingsChanges } from '#shared/settings/model.ts';
import { useSession, useWindowState } from './session-context.tsx';
import { problemOf } from './use-command.ts';

/** The settings, and the way to change some of them. Every window follows; a change that was refused is said in a toast. */
export function useSettings(): readonly [Settings, (changes: SettingsChanges) => void] {
  const session = useSession();
  const settings = useWindowState((state) => state.crew.settings);
  const change = (changes: SettingsChanges): void => {
    Promise.resolve()
      .then(() => session.client.settings.update(changes))
      .catch((error: unknown) => showToast({ title: 'The setting was not changed.', detail: problemOf(error), tone: 'failed' }));
  };
  return [settings, change];
}
