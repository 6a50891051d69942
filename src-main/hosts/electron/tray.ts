/** The icon in the tray: how the fleet stands, and the way back to a closed window. */
import { Menu, nativeImage, nativeTheme, Tray } from 'electron';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { DESKTOP_FILES } from './desktop-files.ts';
import type { TrayModel } from './fleet-menu.ts';
import { nativeEntries } from './native-menu.ts';
import type { RunCommand } from './native-menu.ts';

/** Puts the icon into the tray. Must be kept: a tray that is collected disappears. */
export class FleetTray implements Disposable {
  readonly #tray: Tray;
  readonly #run: RunCommand;
  #model: TrayModel;
  #shown = '';
  readonly #onTheme = (): void => this.update(this.#model);

  constructor(model: TrayModel, run: RunCommand) {
    this.#run = run;
    this.#model = model;
    this.#tray = new Tray(imageOf(model));
    nativeTheme.on('updated', this.#onTheme);
    this.update(model);
  }

  /** Shows a model; what is the same as before is left alone, so that an open menu does not close under the pointer. */
  update(model: TrayModel): void {
    this.#model = model;
    const shown = JSON.stringify([model, imageName(model)]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#tray.setImage(imageOf(model));
    this.#tray.setToolTip(model.tooltip);
    // macOS has room for a figure beside its one-coloured icon.
    if (process.platform === 'darwin') this.#tray.setTitle(model.count > 0 ? String(model.count) : '');
    // No click handler: not every desktop reports clicks, and all of them show the menu.
    this.#tray.setContextMenu(Menu.buildFromTemplate(nativeEntries(model.entries, this.#run)));
  }

  dispose(): void {
    nativeTheme.off('updated', this.#onTheme);
    this.#tray.destroy();
  }
}

function imageOf(model: TrayModel): Electron.NativeImage {
  const image = nativeImage.createFromPath(`${DESKTOP_FILES.trayIcons}/${imageName(model)}.png`);
  if (process.platform === 'darwin') image.setTemplateImage(true);
  return image;
}

function imageName({ icon }: TrayModel): string {
  if (process.platform === 'darwin') return `${icon.replace(/-.*$/, '')}Template`;
  return `${icon}-${isPanelDark() ? 'dark' : 'light'}`;
}

/** Whether the panel is dark. GNOME's is, in either theme; Windows has a setting of its own for it. */
function isPanelDark(): boolean {
  if (process.platform === 'win32') return nativeTheme.shouldUseDarkColorsForSystemIntegratedUI;
  return /gnome|unity/i.test(process.env['XDG_CURRENT_DESKTOP'] ?? '') || nativeTheme.shouldUseDarkColors;
}
