import type { ReactNode } from 'react';
import { useMemo } from 'react';
import { useWindowState } from '#renderer/store/session-context.tsx';
import { useSettings } from '#renderer/store/use-settings.ts';
import { Switch } from '#renderer/ui/checkbox.tsx';
import { MultiCombobox } from '#renderer/ui/combobox.tsx';
import { TextField } from '#renderer/ui/text-field.tsx';
import { SettingsGroup, SettingsRow } from '#renderer/ui/settings-group.tsx';

/** What quiet hours begin with when they are switched on. */
const NIGHT = { from: '22:00', to: '07:00' };

/** When the desktop tells the operator. */
export function NotificationSettings(): ReactNode {
  const [settings, change] = useSettings();
  const agents = useWindowState((state) => state.crew.agents);
  const { notifications } = settings;
  const { quietHours } = notifications;
  const options = useMemo(
    () => [...new Set([...Object.keys(agents), ...notifications.mutedAgents])].sort().map((id) => ({ value: id, text: id })),
    [agents, notifications.mutedAgents],
  );
  return (
    <>
      <SettingsGroup
        title="What you are told"
        note="Only for what you can act on: a question, an agent that failed or was lost. Everything is also listed behind the bell, whether or not the system showed it."
      >
        <Switch
          label="Show notifications of the system"
          hint="By the desktop app. A browser window tells you itself, while it is open."

          checked={notifications.isEnabled}
          onChange={(isEnabled) => change({ notifications: { isEnabled } })}
        />
        <Switch
          label="Quiet hours"
          hint="Nothing is shown from one time of day to the other, over midnight when the second is earlier."

          checked={quietHours !== null}
          onChange={(isOn) => change({ notifications: { quietHours: isOn ? NIGHT : null } })}
        />
        {quietHours === null ? null : (
          <div className="flex gap-3 self-end">
            <TextField
              label="From"
              type="time"
              required
              value={quietHours.from}
              onChange={(from) => (from === '' ? undefined : change({ notifications: { quietHours: { ...quietHours, from } } }))}
            />
            <TextField
              label="To"
              type="time"
              required
              value={quietHours.to}
              onChange={(to) => (to === '' ? undefined : change({ notifications: { quietHours: { ...quietHours, to } } }))}
            />
          </div>
        )}
        <SettingsRow name="Quiet agents" hint="They notify of nothing; behind the bell they are listed.">
          <MultiCombobox
            label="Quiet agents"
            isLabelHidden
            values={notifications.mutedAgents}
            options={options}
            placeholder="None"
            onChange={(mutedAgents) => change({ notifications: { mutedAgents: [...mutedAgents] } })}
          />
        </SettingsRow>
      </SettingsGroup>
      <SettingsGroup title="Closing the window">
        <Switch
          label="Stay in the tray"
          hint="The desktop app goes on in the tray when its last window is closed; the crew runs on in any case."
          checked={settings.closeToTray}
          onChange={(closeToTray) => change({ closeToTray })}
        />
      </SettingsGroup>
    </>
  );
}
