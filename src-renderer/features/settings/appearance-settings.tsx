import { Monitor, Moon, Sun } from 'lucide-react';
import type { ReactNode } from 'react';
import { useSettings } from '#renderer/store/use-settings.ts';
import { Switch } from '#renderer/ui/checkbox.tsx';
import { Segmented } from '#renderer/ui/segmented.tsx';
import { Select } from '#renderer/ui/select.tsx';
import { SettingsGroup, SettingsRow } from '#renderer/ui/settings-group.tsx';

/** Sizes of terminal text that are offered, in pixels. */
const FONT_SIZES = [10, 11, 12, 13, 14, 16, 18, 20, 24] as const;

/** How the window looks, for all windows of this core. */
export function AppearanceSettings(): ReactNode {
  const [settings, change] = useSettings();
  const sizes = [...new Set([...FONT_SIZES, settings.terminalFontSize])].sort((a, b) => a - b);
  return (
    <>
      <SettingsGroup title="Theme">
        <SettingsRow name="Colours" hint="Both themes are made for long days; text keeps a contrast of 4.5 to 1 in each.">
          <Segmented
            label="Colours"
            value={settings.theme}
            options={[
              { value: 'system', text: 'As the system', icon: <Monitor aria-hidden className="size-3.5" /> },
              { value: 'dark', text: 'Dark', icon: <Moon aria-hidden className="size-3.5" /> },
              { value: 'light', text: 'Light', icon: <Sun aria-hidden className="size-3.5" /> },
            ]}
            onChange={(theme) => change({ theme })}
          />
        </SettingsRow>
        <Switch
          label="Labels beside the icons of the rail"

          checked={settings.isRailExpanded}
          onChange={(isRailExpanded) => change({ isRailExpanded })}
        />
      </SettingsGroup>
      <SettingsGroup title="Terminals">
        <SettingsRow name="Size of text" hint="Also by Ctrl + and Ctrl − in a terminal.">
          <Select
            label="Size of text"
            isLabelHidden
            value={String(settings.terminalFontSize)}
            options={sizes.map((size) => ({ value: String(size), text: `${size} px` }))}
            onChange={(size) => change({ terminalFontSize: Number(size) })}
          />
        </SettingsRow>
      </SettingsGroup>
    </>
  );
}
