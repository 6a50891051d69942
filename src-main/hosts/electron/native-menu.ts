/** Turns entries of our own into those of Electron's menus. */
import type { MenuItemConstructorOptions } from 'electron';
import type { MenuEntry, ShellCommand } from './fleet-menu.ts';

/** Carries out a command of a menu. */
export type RunCommand = (command: ShellCommand) => void;

/** The entries for Menu.buildFromTemplate. */
export function nativeEntries(entries: readonly MenuEntry[], run: RunCommand): MenuItemConstructorOptions[] {
  return entries.map((entry) =>
    entry.type === 'separator'
      ? { type: 'separator' }
      : {
          // A single & would underline the next letter.
          label: entry.label.replace(/&/g, '&&'),
          enabled: entry.isEnabled,
          click: () => run(entry.command),
        },
  );
}
