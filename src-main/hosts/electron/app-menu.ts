/**
 * The app's menu: the system's own roles, so that copy, paste and window commands work as everywhere, zoom, and everything
 * that the tray offers too, because not every desktop shows a tray.
 */
import type { MenuItemConstructorOptions } from 'electron';
import { Menu } from 'electron';
import type { CrewView } from './crew-watch.ts';
import { attentionEntries, crewEntries, quitEntries } from './fleet-menu.ts';
import type { RunCommand } from './native-menu.ts';
import { nativeEntries } from './native-menu.ts';

/** What the menu does besides the commands. */
export interface AppMenuActions {
  readonly run: RunCommand;
  /** 1 in, -1 out, 0 back to 100 %. */
  readonly zoom: (direction: 1 | -1 | 0) => void;
  readonly reload: () => void;
}

/** Sets the app's menu, anew only when it has changed. */
export class AppMenu {
  readonly #actions: AppMenuActions;
  #shown = '';

  constructor(actions: AppMenuActions) {
    this.#actions = actions;
  }

  update(view: CrewView): void {
    const shown = JSON.stringify([attentionEntries(view), crewEntries(view)]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    Menu.setApplicationMenu(Menu.buildFromTemplate(this.#template(view)));
  }

  #template(view: CrewView): MenuItemConstructorOptions[] {
    const { run, zoom, reload } = this.#actions;
    const isMac = process.platform === 'darwin';
    const items = attentionEntries(view);
    const quit = nativeEntries(quitEntries(), run).map((entry, index) =>
      index === 0 ? { ...entry, accelerator: 'CommandOrControl+Q' } : entry,
    );
    return [
      ...(isMac
        ? [
            {
              role: 'appMenu' as const,
              submenu: [
                { role: 'about' },
                { type: 'separator' },
                ...nativeEntries(
                  [{ type: 'entry', label: 'Settings…', command: { kind: 'open', path: '/settings' }, isEnabled: true }],
                  run,
                ),
                { type: 'separator' },
                { role: 'hide' },
                { role: 'hideOthers' },
                { role: 'unhide' },
                { type: 'separator' },
                ...quit,
              ] satisfies MenuItemConstructorOptions[],
            },
          ]
        : []),
      {
        label: 'File',
        submenu: [
          { label: 'Settings…', click: () => run({ kind: 'open', path: '/settings' }), visible: !isMac },
          // Ctrl+W deletes a word in every terminal.
          { role: 'close', ...(isMac ? {} : { accelerator: 'Alt+F4' }) },
          ...(isMac ? [] : [{ type: 'separator' as const }, ...quit]),
        ],
      },
      {
        label: 'Edit',
        submenu: [
          { role: 'undo' },
          { role: 'redo' },
          { type: 'separator' },
          { role: 'cut' },
          { role: 'copy' },
          { role: 'paste' },
          { role: 'selectAll' },
        ],
      },
      {
        label: 'Agents',
        submenu: [
          ...nativeEntries(items, run),
          ...(items.length > 0 ? [{ type: 'separator' as const }] : []),
          ...nativeEntries(crewEntries(view), run),
        ],
      },
      {
        label: 'View',
        submenu: [
          { label: 'Reload the window', click: reload },
          { type: 'separator' },
          { label: 'Zoom in', accelerator: 'CommandOrControl+Plus', click: () => zoom(1) },
          // The key without Shift; shown once.
          {
            label: 'Zoom in',
            accelerator: 'CommandOrControl+=',
            visible: false,
            acceleratorWorksWhenHidden: true,
            click: () => zoom(1),
          },
          { label: 'Zoom out', accelerator: 'CommandOrControl+-', click: () => zoom(-1) },
          { label: 'Actual size', accelerator: 'CommandOrControl+0', click: () => zoom(0) },
          { type: 'separator' },
          { role: 'togglefullscreen' },
        ],
      },
      { role: 'windowMenu' },
      {
        role: 'help',
        submenu: [
          { label: 'Check this machine', click: () => run({ kind: 'open', path: '/setup' }) },
          { label: 'Keyboard shortcuts', click: () => run({ kind: 'open', path: '/settings/shortcuts' }) },
          { label: 'About Quarterdeck', click: () => run({ kind: 'open', path: '/settings/about' }) },
        ],
      },
    ];
  }
}
