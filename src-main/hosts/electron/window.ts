/** The one window. It comes and goes; the core and its crew stay. */
import { BrowserWindow, nativeTheme } from 'electron';
import { DESKTOP_FILES } from './desktop-files.ts';
import { APP_URL } from './protocol.ts';

/** The window's ground before the page is drawn: the token bg-0 of src-renderer/ui/tokens.css, so that nothing flashes. */
const GROUND = { dark: '#0d1013', light: '#f7f8f9' };

/** Shows the window: the one that is open, or a new one. */
export class MainWindow {
  #window: BrowserWindow | undefined;

  /** Brings the window to the front. */
  show(): void {
    if (this.#window !== undefined) {
      if (this.#window.isMinimized()) this.#window.restore();
      this.#window.show();
      this.#window.focus();
      return;
    }
    const window = new BrowserWindow({
      width: 1440,
      height: 900,
      minWidth: 1024,
      minHeight: 640,
      show: false,
      title: 'Quarterdeck',
      icon: DESKTOP_FILES.icon,
      autoHideMenuBar: true,
      backgroundColor: nativeTheme.shouldUseDarkColors ? GROUND.dark : GROUND.light,
      webPreferences: {
        preload: DESKTOP_FILES.preload,
        contextIsolation: true,
        sandbox: true,
        nodeIntegration: false,
        spellcheck: false,
      },
    });
    this.#window = window;
    window.once('ready-to-show', () => window.show());
    window.once('closed', () => {
      this.#window = undefined;
    });
    // The page is on the disk: if it cannot be loaded the window says so by itself.
    window.loadURL(APP_URL).catch(() => window.show());
  }
}
