/** The icon in the tray: the way back to a closed window, and the way out. */
import { Menu, nativeImage, Tray } from 'electron';
import { DESKTOP_FILES } from './desktop-files.ts';

/** What the menu does. */
export interface TrayActions {
  open(): void;
  stopAll(): void;
  quit(): void;
}

/** Puts the icon into the tray. The returned object must be kept: a tray that is collected disappears. */
export function createTray(actions: TrayActions): Tray {
  const tray = new Tray(nativeImage.createFromPath(DESKTOP_FILES.trayIcon));
  tray.setToolTip('Quarterdeck');
  // No click handler: not every desktop reports clicks, and all of them show the menu.
  tray.setContextMenu(
    Menu.buildFromTemplate([
      { label: 'Open Quarterdeck', click: () => actions.open() },
      { type: 'separator' },
      { label: 'Stop all agents', click: () => actions.stopAll() },
      { type: 'separator' },
      { label: 'Quit', click: () => actions.quit() },
    ]),
  );
  return tray;
}
