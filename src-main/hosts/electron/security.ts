/** What a page in our window may not do: leave its own files, open windows, embed pages, or use the computer's devices. */
import type { Session, WebContents } from 'electron';
import { app, shell } from 'electron';
import { APP_ORIGIN } from './protocol.ts';
import { openTerminalWindow } from './terminal-windows.ts';

/** The only permissions that the window needs. */
const ALLOWED: ReadonlySet<string> = new Set(['notifications', 'clipboard-sanitized-write']);

function isOurs(url: string): boolean {
  return url === APP_ORIGIN || url.startsWith(`${APP_ORIGIN}/`);
}

/** Refuses every permission but `ALLOWED`, and those to every page but ours. */
export function limitPermissions(session: Session): void {
  session.setPermissionRequestHandler((contents, permission, callback) =>
    callback(ALLOWED.has(permission) && contents !== null && isOurs(contents.getURL())),
  );
  session.setPermissionCheckHandler(
    (_contents, permission, origin) => ALLOWED.has(permission) && isOurs(origin.replace(/\/$/, '')),
  );
  session.setDevicePermissionHandler(() => false);
}

/** Keeps every page that is ever made, in whatever window, on our own files. */
export function limitNavigation(): void {
  app.on('web-contents-created', (_event, contents) => confine(contents));
}

function confine(contents: WebContents): void {
  contents.on('will-navigate', (event) => {
    if (!isOurs(event.url)) event.preventDefault();
  });
  contents.on('will-frame-navigate', (event) => {
    if (!event.isMainFrame || !isOurs(event.url)) event.preventDefault();
  });
  contents.on('will-redirect', (event) => {
    if (!isOurs(event.url)) event.preventDefault();
  });
  contents.on('will-attach-webview', (event) => event.preventDefault());
  contents.setWindowOpenHandler(({ url }) => {
    // A terminal in a window of its own is the one window that a page may ask for. Other links go to the operator's own
    // browser, and only links to the web.
    if (openTerminalWindow(url)) return { action: 'deny' };
    if (URL.parse(url)?.protocol === 'https:') shell.openExternal(url).catch(() => undefined);
    return { action: 'deny' };
  });
}
