/**
 * The module that `electron` resolves to in the emulation: what the shell uses of Electron's main API, over Chromium.
 * What is not here throws. Called from ./fixture-main.ts only.
 */
import { EventEmitter } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { BrowserContext } from '@playwright/test';
import { chromium } from '@playwright/test';
import * as z from 'zod';
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

  setBadgeCount(): boolean {
    return false;
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

type CallHandler = (event: object, ...args: readonly unknown[]) => unknown;

class EmulatedIpcMain extends EventEmitter {
  readonly calls = new Map<string, CallHandler>();

  handle(channel: string, handler: CallHandler): void {
    this.calls.set(channel, handler);
  }
}

/** `ipcMain`. */
export const ipcMain = strict('ipcMain', new EmulatedIpcMain());

/** Answers a call of a page as ipcMain does: what is thrown reaches the page with its message only. */
export async function callIpc(channel: string, event: object, args: readonly unknown[]): Promise<unknown> {
  const handler = ipcMain.calls.get(channel);
  if (!handler) throw new Error(`No handler registered for '${channel}'`);
  return structuredClone(await handler(event, ...structuredClone(args)));
}

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

/** What the operator does in dialogs. */
export const answers: { folder: string | null; button: number } = { folder: null, button: 0 };

/** `dialog`. */
export const dialog = strict('dialog', {
  showErrorBox: (title: string, content: string) => {
    record.errorBoxes.push(`${title}: ${content}`);
    // Who shows one may end right after it: this is how it is still seen.
    process.stderr.write(`error box: ${title}: ${content}\n`);
  },
  showMessageBox: async (...args: readonly unknown[]): Promise<{ response: number }> => {
    record.messageBoxes.push(MessageBox.parse(args.at(-1)));
    return { response: answers.button };
  },
  showOpenDialog: async (...args: readonly unknown[]): Promise<{ canceled: boolean; filePaths: string[] }> => {
    const { title, defaultPath } = FolderDialog.parse(args.at(-1));
    record.folderDialogs.push({ title, startAt: defaultPath ?? null, hasWindow: args.length > 1 });
    return answers.folder === null ? { canceled: true, filePaths: [] } : { canceled: false, filePaths: [answers.folder] };
  },
});

const MessageBox = z.looseObject({ message: z.string(), buttons: z.array(z.string()) });
const FolderDialog = z.looseObject({
  title: z.string(),
  defaultPath: z.string().optional(),
  properties: z.tuple([z.literal('openDirectory'), z.literal('createDirectory')]),
});

class EmulatedTheme extends EventEmitter {
  themeSource = 'system';
  readonly shouldUseDarkColorsForSystemIntegratedUI = true;

  get shouldUseDarkColors(): boolean {
    return this.themeSource !== 'light';
  }
}

/** `nativeTheme`, dark unless the app says otherwise. */
export const nativeTheme = strict('nativeTheme', new EmulatedTheme());

/** `screen`: one display. */
export const screen = strict('screen', {
  getPrimaryDisplay: () => DISPLAY,
  getAllDisplays: () => [DISPLAY],
});
const DISPLAY = { id: 1, workArea: { x: 0, y: 0, width: 1920, height: 1080 } };

/** `clipboard`. */
export const clipboard = strict('clipboard', {
  writeText: async (text: string): Promise<void> => {
    record.copied.push(text);
  },
});

/** `crashReporter`. */
export const crashReporter = strict('crashReporter', {
  start: (options: { uploadToServer: boolean }) => {
    record.crashReporter = options;
  },
});

/** `nativeImage`: files that are not there are errors here, and empty pictures in Electron. */
export const nativeImage = strict('nativeImage', {
  createFromPath: (path: string) => {
    for (const file of [path, path.replace(/\.png$/, '@2x.png')])
      if (!existsSync(file)) throw new Error(`electron emulation: there is no picture ${file}`);
    return { path, setTemplateImage: () => undefined };
  },
});

/** One entry of a menu. */
export interface MenuEntry {
  readonly label?: string;
  readonly type?: string;
  readonly role?: string;
  readonly enabled?: boolean;
  readonly visible?: boolean;
  readonly click?: () => void;
  readonly submenu?: readonly MenuEntry[];
}

/** The menu of the app. */
export const appMenu: { entries: readonly MenuEntry[] } = { entries: [] };

/** The roles that the shell uses, as Electron spells them: it throws on others. */
const ROLES = new Set(
  'about hide hideOthers unhide close undo redo cut copy paste selectAll togglefullscreen appMenu windowMenu help'.split(' '),
);

function checkMenu(entries: readonly MenuEntry[]): readonly MenuEntry[] {
  for (const { label, type, role, submenu } of entries) {
    if (role !== undefined && !ROLES.has(role)) throw new Error(`electron emulation: there is no role ${role}`);
    if (label === undefined && role === undefined && type !== 'separator')
      throw new Error('electron emulation: an entry says nothing');
    checkMenu(submenu ?? []);
  }
  return entries;
}

/** `Menu`. */
export const Menu = strict('Menu', {
  buildFromTemplate: checkMenu,
  setApplicationMenu: (entries: readonly MenuEntry[]) => {
    appMenu.entries = entries;
  },
});

/** The trays there are, with their menus. */
export const trays = new Set<EmulatedTray>();

class EmulatedTray {
  entries: readonly MenuEntry[] = [];
  tooltip = '';
  icon: string;
  /** How many menus it was given. */
  menus = 0;

  constructor(image: { path: string }) {
    this.icon = basename(image.path, '.png');
    trays.add(this);
  }

  setImage(image: { path: string }): void {
    this.icon = basename(image.path, '.png');
  }

  setToolTip(text: string): void {
    this.tooltip = text;
  }

  setTitle(): void {}

  setContextMenu(entries: readonly MenuEntry[]): void {
    this.entries = entries;
    this.menus += 1;
  }

  destroy(): void {
    trays.delete(this);
  }
}

/** `Tray`. */
export class Tray extends EmulatedTray {
  constructor(image: { path: string }) {
    super(image);
    return strict('Tray', this);
  }
}

/** The notifications that were made, and what becomes of new ones. */
export const notifications: { made: EmulatedNotification[]; mode: 'shown' | 'failed' | 'unsupported' } = {
  made: [],
  mode: 'shown',
};

const NotificationOptions = z.looseObject({
  id: z.string().default(''),
  title: z.string(),
  body: z.string(),
  actions: z.array(z.object({ type: z.literal('button'), text: z.string() })).default([]),
});

class EmulatedNotification extends EventEmitter {
  readonly shown: (typeof record.notifications)[number];

  constructor(options: unknown) {
    super();
    const { id, title, body, actions } = NotificationOptions.parse(options);
    this.shown = { id, title, body, actions: actions.map(({ text }) => text), isOpen: false };
    notifications.made.push(this);
  }

  show(): void {
    if (notifications.mode === 'failed') {
      this.emit('failed', {}, 'the app is not signed');
      return;
    }
    this.shown.isOpen = true;
    record.notifications.push(this.shown);
  }

  close(): void {
    if (!this.shown.isOpen) return;
    this.shown.isOpen = false;
    this.emit('close', {});
  }
}

/** `Notification`. */
export class Notification extends EmulatedNotification {
  static isSupported(): boolean {
    return notifications.mode !== 'unsupported';
  }

  constructor(options: unknown) {
    super(options);
    return strict('Notification', this);
  }
}

setWindowHost({
  context: openBrowser,
  handlerOf: (scheme) => handlers.get(scheme),
  onContents: (contents) => app.emit('web-contents-created', {}, contents),
  onIpc: (channel, event, args) => ipcMain.emit(channel, event, ...args),
  onInvoke: callIpc,
  onAllClosed: () => {
    // Electron quits by itself unless somebody listens.
    if (!app.emit('window-all-closed')) app.quit();
  },
});
