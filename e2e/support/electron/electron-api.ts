/**
 * The module that `electron` resolves to in the emulation: what the shell uses of Electron's main API, over Chromium.
 * What is not here throws. Called from ./fixture-main.ts only.
 */
import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext } from '@playwright/test';
import { chromium } from '@playwright/test';
import { record } from './emulation-state.ts';
import { preventable, setWindowHost } from './emulated-window.ts';
import { strict } from './strict.ts';

export { MessageChannelMain } from './emulated-ports.ts';
export { BrowserWindow } from './emulated-window.ts';

/** Where the spec's own connection to the browser goes. */
const debuggingPort = Number(process.env['QD_EMULATION_PORT'] ?? '0');
const profile = mkdtempSync(join(tmpdir(), 'qd-emulation-'));

let opening: Promise<BrowserContext> | undefined;
function openBrowser(): Promise<BrowserContext> {
  opening ??= chromium.launchPersistentContext(profile, {
    executablePath: process.env['QD_EMULATION_CHROMIUM'] ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb', `--remote-debugging-port=${debuggingPort}`],
  });
  return opening;
}

const paths = new Map<string, string>();

class EmulatedApp extends EventEmitter {
  readonly isPackaged = false;
  readonly #ready = openBrowser().then(() => this.emit('ready'));

  async whenReady(): Promise<void> {
    await this.#ready;
  }

  requestSingleInstanceLock(): boolean {
    return process.env['QD_EMULATION_SECOND'] !== '1';
  }

  enableSandbox(): void {
    record.isSandboxed = true;
  }

  getVersion(): string {
    return '0.0.0-emulation';
  }

  setPath(name: string, path: string): void {
    paths.set(name, path);
  }

  getPath(name: string): string {
    return paths.get(name) ?? '';
  }

  quit(): void {
    const before = preventable({});
    this.emit('before-quit', before.event);
    if (before.isPrevented) return;
    this.emit('will-quit', {});
    this.exit(0);
  }

  exit(code: number): void {
    record.hasQuit = true;
    openBrowser()
      .then((context) => context.close())
      .catch(() => undefined)
      .finally(() => {
        rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
        process.exit(code);
      })
      .catch(() => undefined);
  }
}

/** `app`. */
export const app = strict('app', new EmulatedApp());

/** `ipcMain`. */
export const ipcMain = strict('ipcMain', new EventEmitter());

const handlers = new Map<string, (request: Request) => Response | Promise<Response>>();

/** `protocol`. */
export const protocol = strict('protocol', {
  registerSchemesAsPrivileged: (schemes: readonly { scheme: string }[]) =>
    record.privilegedSchemes.push(...schemes.map(({ scheme }) => scheme)),
  handle: (scheme: string, handler: (request: Request) => Response | Promise<Response>) => handlers.set(scheme, handler),
});

type PermissionRequest = (contents: unknown, permission: string, callback: (isGranted: boolean) => void) => void;

/** The permission handlers that the shell has set. */
export const permissions: {
  request?: PermissionRequest;
  check?: (contents: unknown, permission: string, origin: string) => boolean;
  device?: () => boolean;
} = {};

/** `session`. */
export const session = strict('session', {
  defaultSession: strict('session.defaultSession', {
    setPermissionRequestHandler: (handler: PermissionRequest) => (permissions.request = handler),
    setPermissionCheckHandler: (handler: NonNullable<typeof permissions.check>) => (permissions.check = handler),
    setDevicePermissionHandler: (handler: () => boolean) => (permissions.device = handler),
  }),
});

/** `shell`. */
export const shell = strict('shell', {
  openExternal: async (url: string): Promise<void> => {
    record.openedExternally.push(url);
  },
});

/** `dialog`. */
export const dialog = strict('dialog', {
  showErrorBox: (title: string, content: string) => {
    record.errorBoxes.push(`${title}: ${content}`);
    // Who shows one may end right after it: this is how it is still seen.
    process.stderr.write(`error box: ${title}: ${content}\n`);
  },
});

/** `nativeTheme`. */
export const nativeTheme = strict('nativeTheme', { shouldUseDarkColors: true });

/** `nativeImage`. */
export const nativeImage = strict('nativeImage', { createFromPath: (path: string) => ({ path }) });

/** One entry of a menu. */
export interface MenuEntry {
  readonly label?: string;
  readonly type?: string;
  readonly click?: () => void;
}

/** `Menu`. */
export const Menu = strict('Menu', { buildFromTemplate: (entries: readonly MenuEntry[]) => entries });

/** The trays there are, with their menus. */
export const trays = new Set<EmulatedTray>();

class EmulatedTray {
  entries: readonly MenuEntry[] = [];

  constructor() {
    trays.add(this);
  }

  setToolTip(): void {}

  setContextMenu(entries: readonly MenuEntry[]): void {
    this.entries = entries;
  }

  destroy(): void {
    trays.delete(this);
  }
}

/** `Tray`. */
export class Tray extends EmulatedTray {
  constructor() {
    super();
    return strict('Tray', this);
  }
}

setWindowHost({
  context: openBrowser,
  handlerOf: (scheme) => handlers.get(scheme),
  onContents: (contents) => app.emit('web-contents-created', {}, contents),
  onIpc: (channel, event, args) => ipcMain.emit(channel, event, ...args),
  onAllClosed: () => {
    // Electron quits by itself unless somebody listens.
    if (!app.emit('window-all-closed')) app.quit();
  },
});
