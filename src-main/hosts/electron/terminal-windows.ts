/**
 * Terminals in windows of their own. A page asks for one as in a browser, by opening an address; it never gets one that it
 * could reach into: the window is made here, confined and sandboxed like the main one.
 */
import { BrowserWindow, nativeTheme } from 'electron';
import { DESKTOP_FILES } from './desktop-files.ts';
import { APP_ORIGIN } from './protocol.ts';
import { GROUND, PAGE_PREFERENCES } from './window.ts';
import { agentOfTerminalWindow } from './window-paths.ts';

/** Size of such a window, and the least that it can be made; in pixels. */
const SIZE = { width: 920, height: 640 } as const;
const LEAST = { width: 360, height: 240 } as const;

/** More at one time are of no use to anybody, but would be to a page that means harm. */
const MOST_WINDOWS = 16;

const windows = new Map<string, BrowserWindow>();

/** Opens the window that an address asks for, or brings it to the front. false: it is no such address, and nothing was done. */
export function openTerminalWindow(url: string): boolean {
  const agent = url.startsWith(`${APP_ORIGIN}/`) ? agentOfTerminalWindow(url.slice(APP_ORIGIN.length)) : undefined;
  if (agent === undefined) return false;
  const open = windows.get(agent);
  if (open !== undefined) {
    open.show();
    open.focus();
    return true;
  }
  if (windows.size >= MOST_WINDOWS) return true;
  const window = new BrowserWindow({
    ...SIZE,
    minWidth: LEAST.width,
    minHeight: LEAST.height,
    show: false,
    title: agent,
    icon: DESKTOP_FILES.icon,
    autoHideMenuBar: true,
    backgroundColor: nativeTheme.shouldUseDarkColors ? GROUND.dark : GROUND.light,
    webPreferences: PAGE_PREFERENCES,
  });
  windows.set(agent, window);
  window.once('closed', () => windows.delete(agent));
  window.once('ready-to-show', () => window.show());
  // The page is on the disk: if it cannot be loaded the window says so by itself.
  window.loadURL(url).catch(() => void (window.isDestroyed() || window.show()));
  return true;
}
