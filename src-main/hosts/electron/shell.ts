/**
 * What stands around the core on a desktop: window, tray, menus, notifications, and how they follow the crew and its
 * settings. Owns all four; the core and the app's end belong to main.ts.
 */
import { app, dialog, nativeTheme, Notification } from 'electron';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { messageOf } from '#shared/kernel/errors.ts';
import { AppMenu } from './app-menu.ts';
import { pauseOrResumeAll, stopAll } from './crew-commands.ts';
import type { CrewView } from './crew-watch.ts';
import { CrewWatch, NO_VIEW } from './crew-watch.ts';
import type { DesktopCore } from './desktop-core.ts';
import type { ShellCommand } from './fleet-menu.ts';
import { trayModel } from './fleet-menu.ts';
import { Notifications } from './notifications.ts';
import { FleetTray } from './tray.ts';
import { MainWindow } from './window.ts';
import { WindowStateFile } from './window-state.ts';

/** Said once, when the window is closed for the first time and the app stays. */
const STAYS = {
  title: 'Quarterdeck keeps running',
  body: 'Your agents go on. Open the window again from the tray, or by starting Quarterdeck; "Quit" in the tray ends it.',
};

/** The desktop's side of the app. */
export class Shell implements Disposable {
  readonly #core: DesktopCore;
  readonly #quit: (ending: { stopAgents: boolean }) => void;
  readonly #state: WindowStateFile;
  readonly #window: MainWindow;
  readonly #tray: FleetTray;
  readonly #menu: AppMenu;
  readonly #notifications: Notifications;
  readonly #watch: CrewWatch;
  #view: CrewView = NO_VIEW;
  #isEnding = false;

  /** `stateFile`: where the window's place is kept. `quit` ends the app. */
  constructor(core: DesktopCore, stateFile: string, quit: (ending: { stopAgents: boolean }) => void) {
    this.#core = core;
    this.#quit = quit;
    this.#state = new WindowStateFile(stateFile);
    this.#window = new MainWindow({
      state: this.#state,
      facts: () => ({
        version: app.getVersion(),
        electron: process.versions['electron'] ?? 'unknown',
        chrome: process.versions['chrome'] ?? 'unknown',
        system: `${process.platform} ${process.arch} ${process.getSystemVersion?.() ?? ''}`.trim(),
        'crash dumps': app.getPath('crashDumps'),
      }),
      onClosed: () => this.#onWindowClosed(),
      log: (message) => core.log(message),
    });
    const run = (command: ShellCommand): void => this.#run(command);
    this.#tray = new FleetTray(trayModel(NO_VIEW), run);
    this.#menu = new AppMenu({
      run,
      zoom: (direction) => this.#window.zoom(direction),
      reload: () => this.#window.reload(),
    });
    this.#menu.update(NO_VIEW);
    this.#notifications = new Notifications({
      focusedPath: () => this.#window.focusedPath(),
      open: (path) => this.show(path),
      restart: (id) => this.#order(core.client.agents.start({ id }), `/agent/${id}`),
      log: (message) => core.log(message),
    });
    this.#watch = new CrewWatch({
      client: core.client,
      onView: (view) => this.#follow(view),
      log: (message, error) => core.log(message, error),
    });
  }

  /** Begins to follow the crew. Once. */
  start(): void {
    this.#watch.run().catch((error: unknown) => this.#core.log('the shell no longer follows the crew', error));
  }

  /** Brings the window to the front. */
  show(path?: string): void {
    if (!this.#isEnding) this.#window.show(path);
  }

  /** The page for a window in trouble. */
  troublePage(): string {
    return this.#window.troublePage();
  }

  /** Follows no more, and takes the tray away. The window stays until the app quits. */
  dispose(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#watch.dispose();
    this.#notifications.dispose();
    this.#tray.dispose();
  }

  #follow(view: CrewView): void {
    this.#view = view;
    if (nativeTheme.themeSource !== view.settings.theme) nativeTheme.themeSource = view.settings.theme;
    this.#tray.update(trayModel(view));
    this.#menu.update(view);
    this.#notifications.update(view);
    if (process.platform === 'darwin') app.setBadgeCount(view.fleet.needs);
  }

  #run(command: ShellCommand): void {
    if (this.#isEnding) return;
    const { client } = this.#core;
    switch (command.kind) {
      case 'open':
        this.show(command.path);
        break;
      case 'pause-all':
        this.#order(pauseOrResumeAll(client, this.#view, 'pause'));
        break;
      case 'resume-all':
        this.#order(pauseOrResumeAll(client, this.#view, 'resume'));
        break;
      case 'stop-all':
        this.#order(stopAll(client));
        break;
      case 'quit':
        this.#quit({ stopAgents: false });
        break;
      case 'quit-and-stop':
        this.#quit({ stopAgents: true });
        break;
    }
  }

  /** Sees an order through: what fails is logged, and the window shows the crew as it is. */
  #order(done: Promise<unknown>, path = '/agents'): void {
    done.catch((error: unknown) => {
      this.#core.log(`an order from tray, menu or notification failed: ${messageOf(error)}`);
      this.show(path);
    });
  }

  #onWindowClosed(): void {
    if (this.#isEnding) return;
    if (!this.#view.settings.closeToTray) {
      this.#quit({ stopAgents: false });
      return;
    }
    if (this.#state.state.hasToldTray) return;
    this.#state.update({ hasToldTray: true });
    if (Notification.isSupported()) {
      const notification = new Notification(STAYS);
      notification.on('click', () => this.show());
      notification.show();
    } else {
      dialog.showMessageBox({ type: 'info', message: STAYS.title, detail: STAYS.body, buttons: ['OK'] }).catch(() => undefined);
    }
  }
}
