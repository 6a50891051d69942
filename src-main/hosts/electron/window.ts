/**
 * The one window. It comes and goes; the core and its crew stay. It opens where it was, is brought back when its process
 * ends, and goes to the places that it is sent to.
 */
import type { Event, RenderProcessGoneDetails, WebContents } from 'electron';
import { BrowserWindow, clipboard, dialog, nativeTheme, screen } from 'electron';
import { NAVIGATE_CHANNEL } from './channels.ts';
import type { Crash } from './crash-recovery.ts';
import { afterCrash, diagnosticsOf, recentCrashes } from './crash-recovery.ts';
import { DESKTOP_FILES } from './desktop-files.ts';
import { APP_ORIGIN } from './protocol.ts';
import { TROUBLE_ORDERS, TROUBLE_URL, troublePage } from './trouble-page.ts';
import { isWindowPath } from './window-paths.ts';
import type { WindowStateFile } from './window-state.ts';
import { boundsFor, LEAST, zoomed } from './window-state.ts';

/** The window's ground before the page is drawn: the token bg-0 of src-renderer/ui/tokens.css, so that nothing flashes. */
export const GROUND = { dark: '#0d1013', light: '#f7f8f9' };

/** What a page of ours may do, in whatever window. */
export const PAGE_PREFERENCES = {
  preload: DESKTOP_FILES.preload,
  contextIsolation: true,
  sandbox: true,
  nodeIntegration: false,
  spellcheck: false,
} as const;

/** Moving and resizing are written down when they have ended for so long, in milliseconds. */
const SETTLED_MS = 400;

/** What the window needs of the app. */
export interface WindowHost {
  readonly state: WindowStateFile;
  /** Versions and places for diagnostics, by name. */
  facts(): Readonly<Record<string, string>>;
  /** The operator closed the window. */
  onClosed(): void;
  log(message: string): void;
}

/** Shows the window: the one that is open, or a new one. */
export class MainWindow {
  readonly #host: WindowHost;
  #window: BrowserWindow | undefined;
  #crashes: readonly Crash[] = [];
  #isCopied = false;
  /** Where to go once the page that is being loaded is there. */
  #wanted: string | undefined;
  #isLoaded = false;

  constructor(host: WindowHost) {
    this.#host = host;
  }

  /** The page for a window in trouble, as it is to be now. */
  troublePage(): string {
    return troublePage({ diagnostics: this.#diagnostics(), isCopied: this.#isCopied });
  }

  /** The path that the operator has before the eyes; undefined when the window has not the focus, or is not there. */
  focusedPath(): string | undefined {
    const window = this.#window;
    return window?.isFocused() === true ? pathOf(window.webContents) : undefined;
  }

  /** Brings the window to the front, at a place of the window where one is given. */
  show(path?: string): void {
    const window = this.#window;
    if (window === undefined) {
      this.#open(path ?? this.#host.state.state.path);
      return;
    }
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
    if (path === undefined) return;
    if (pathOf(window.webContents) === undefined) this.#load(window, path);
    else if (this.#isLoaded) window.webContents.send(NAVIGATE_CHANNEL, path);
    else this.#wanted = path;
  }

  /** Zooms by a step: 1 in, -1 out, 0 back to 100 %. */
  zoom(direction: 1 | -1 | 0): void {
    const { state } = this.#host;
    state.update({ zoom: zoomed(state.state.zoom, direction) });
    this.#window?.webContents.setZoomFactor(state.state.zoom);
  }

  /** Loads the page anew, at the place that it shows. */
  reload(): void {
    if (this.#window) this.#load(this.#window, pathOf(this.#window.webContents) ?? '/');
  }

  #open(path: string): void {
    const { state } = this.#host;
    const primary = screen.getPrimaryDisplay();
    const others = screen.getAllDisplays().filter(({ id }) => id !== primary.id);
    const bounds = boundsFor(
      state.state.bounds,
      [primary, ...others].map(({ workArea }) => workArea),
    );
    const window = new BrowserWindow({
      ...bounds,
      minWidth: Math.min(LEAST.width, bounds.width),
      minHeight: Math.min(LEAST.height, bounds.height),
      show: false,
      title: 'Quarterdeck',
      icon: DESKTOP_FILES.icon,
      autoHideMenuBar: true,
      backgroundColor: nativeTheme.shouldUseDarkColors ? GROUND.dark : GROUND.light,
      webPreferences: PAGE_PREFERENCES,
    });
    this.#window = window;
    const { isMaximised } = state.state;
    window.once('ready-to-show', () => {
      // Not before: maximising shows a window, whatever is in it.
      if (isMaximised) window.maximize();
      window.show();
    });
    this.#remember(window);
    this.#guard(window);
    window.once('closed', () => {
      this.#window = undefined;
      this.#host.onClosed();
    });
    this.#load(window, path);
  }

  #load(window: BrowserWindow, path: string): void {
    this.#loadUrl(window, `${APP_ORIGIN}${path}`);
  }

  #loadUrl(window: BrowserWindow, url: string): void {
    this.#isLoaded = false;
    // The page is on the disk: if it cannot be loaded the window says so by itself.
    window.loadURL(url).catch(() => void (window.isDestroyed() || window.show()));
  }

  /** Keeps the file of the window's state true. */
  #remember(window: BrowserWindow): void {
    const { state } = this.#host;
    let settling: NodeJS.Timeout | undefined;
    const write = (): void => {
      clearTimeout(settling);
      const path = pathOf(window.webContents);
      state.update({
        bounds: window.getNormalBounds(),
        isMaximised: window.isMaximized(),
        ...(path !== undefined && isWindowPath(path) ? { path } : {}),
      });
    };
    const settle = (): void => {
      clearTimeout(settling);
      settling = setTimeout(write, SETTLED_MS);
    };
    window.on('resize', settle);
    window.on('move', settle);
    window.webContents.on('did-navigate-in-page', settle);
    window.on('maximize', write);
    window.on('unmaximize', write);
    window.on('close', write);
    window.once('closed', () => clearTimeout(settling));
    const { webContents } = window;
    webContents.on('did-finish-load', () => {
      webContents.setZoomFactor(state.state.zoom);
      if (pathOf(webContents) === undefined) return;
      this.#isLoaded = true;
      const wanted = this.#wanted;
      this.#wanted = undefined;
      if (wanted !== undefined) webContents.send(NAVIGATE_CHANNEL, wanted);
    });
    webContents.on('zoom-changed', (_event, direction) => this.zoom(direction === 'in' ? 1 : -1));
  }

  /** Brings the page back when its process ends, and asks when it hangs. */
  #guard(window: BrowserWindow): void {
    const { webContents } = window;
    let waiting: NodeJS.Timeout | undefined;
    window.once('closed', () => clearTimeout(waiting));
    webContents.on('render-process-gone', (_event: Event, { reason, exitCode }: RenderProcessGoneDetails) => {
      if (reason === 'clean-exit') return;
      const at = Date.now();
      this.#crashes = [...recentCrashes(this.#crashes, at), { at, reason, exitCode }];
      this.#isCopied = false;
      this.#isLoaded = false;
      const next = afterCrash(this.#crashes, at);
      this.#host.log(
        `the window ended (${reason}, exit code ${exitCode}); ${next === 'give-up' ? 'it is not tried again' : `it is loaded again in ${next.waitMs} ms`}`,
      );
      const { state } = this.#host;
      const path = pathOf(webContents) ?? state.state.path;
      if (isWindowPath(path)) state.update({ path });
      clearTimeout(waiting);
      waiting = setTimeout(
        () => (next === 'give-up' ? this.#loadUrl(window, TROUBLE_URL) : this.#load(window, path)),
        next === 'give-up' ? 0 : next.waitMs,
      );
    });
    // The trouble page has no script: its links are its buttons. security.ts has stopped them from being followed.
    webContents.on('will-navigate', ({ url }) => {
      if (webContents.getURL() !== TROUBLE_URL) return;
      if (url === TROUBLE_ORDERS.copy) {
        clipboard
          .writeText(this.#diagnostics())
          .then(() => (this.#isCopied = true))
          .catch(() => this.#host.log('the diagnostics could not be copied'))
          // Once the refused navigation is over.
          .finally(() => setImmediate(() => this.#loadUrl(window, TROUBLE_URL)))
          .catch(() => undefined);
      } else if (url === TROUBLE_ORDERS.retry) {
        this.#crashes = [];
        setImmediate(() => this.#load(window, this.#host.state.state.path));
      }
    });
    this.#askWhenItHangs(window);
  }

  #askWhenItHangs(window: BrowserWindow): void {
    let question: AbortController | undefined;
    const take = (): void => {
      question?.abort();
      question = undefined;
    };
    window.on('responsive', take);
    window.once('closed', take);
    window.on('unresponsive', () => {
      if (question !== undefined) return;
      this.#host.log('the window does not answer');
      question = new AbortController();
      const { signal } = question;
      dialog
        .showMessageBox(window, {
          type: 'warning',
          message: 'The window does not answer.',
          detail: 'Your agents are not affected. Reloading the window loses only what was typed and not sent.',
          buttons: ['Wait', 'Reload the window'],
          defaultId: 0,
          cancelId: 0,
          signal,
        })
        .then(({ response }) => {
          question = undefined;
          // A page that hangs does not hear a reload; its process is ended, and recovery loads it again.
          if (response === 1 && !signal.aborted && !window.isDestroyed()) window.webContents.forcefullyCrashRenderer();
        })
        .catch(() => undefined);
    });
  }

  #diagnostics(): string {
    return diagnosticsOf(this.#crashes, this.#host.facts());
  }
}

/** The path of the window's page; undefined for every other page. */
function pathOf(contents: WebContents): string | undefined {
  const url = contents.getURL();
  return url.startsWith(`${APP_ORIGIN}/`) ? URL.parse(url)?.pathname : undefined;
}
