/**
 * The process of the electron emulation: makes `electron` resolve to the emulation, runs the built main process, and
 * answers the spec. `node fixture-main.ts <out/main/main.js> [arguments of the app]`.
 */
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { CHOOSE_FOLDER_CHANNEL, CONNECT_CHANNEL } from '#hosts/electron/channels.ts';
import type { Look } from './control.ts';
import { ControlRequest } from './control.ts';
import type { MenuEntry } from './electron-api.ts';
import { answers, app, appMenu, callIpc, ipcMain, nativeTheme, notifications, permissions, trays } from './electron-api.ts';
import { record } from './emulation-state.ts';
import { preventable, windows } from './emulated-window.ts';

const api = new URL('./electron-api.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) => (specifier === 'electron' ? { url: api, shortCircuit: true } : next(specifier, context)),
});

function look(): Look {
  const [tray] = trays;
  return {
    ...record,
    themeSource: nativeTheme.themeSource,
    windows: [...windows].map((window) => ({
      isVisible: window.isVisible,
      isFocused: window.isFocused(),
      url: window.contents.getURL(),
      bounds: window.getNormalBounds(),
      zoom: window.contents.zoom,
    })),
    tray:
      tray === undefined
        ? null
        : {
            icon: tray.icon,
            tooltip: tray.tooltip,
            labels: tray.entries.flatMap(({ label }) => label ?? []),
            menus: tray.menus,
          },
    menu: Object.fromEntries(
      appMenu.entries.map((menu) => [
        menu.label ?? menu.role ?? '',
        (menu.submenu ?? []).flatMap(({ label, role, visible }) => (visible === false ? [] : (label ?? role ?? []))),
      ]),
    ),
  };
}

/** Clicks what these labels lead to. Labels are compared as they are shown: && is one &. */
function clickEntry(entries: readonly MenuEntry[], [label, ...rest]: readonly string[]): void {
  const entry = entries.find((one) => one.visible !== false && (one.label?.replaceAll('&&', '&') ?? one.role) === label);
  if (entry === undefined)
    throw new Error(`there is no entry "${label}" among ${entries.map((one) => one.label ?? one.role).join(', ')}`);
  if (rest.length > 0) clickEntry(entry.submenu ?? [], rest);
  else if (entry.enabled === false || entry.click === undefined) throw new Error(`the entry "${label}" cannot be clicked`);
  else entry.click();
}

async function answer(command: ControlRequest['command']): Promise<unknown> {
  const [window] = windows;
  switch (command.name) {
    case 'look':
      return look();
    case 'click-tray':
      clickEntry(
        [...trays].flatMap(({ entries }) => entries),
        [command.label],
      );
      return undefined;
    case 'click-menu':
      clickEntry(appMenu.entries, command.path);
      return undefined;
    case 'click-notification': {
      const notification = notifications.made.findLast(({ shown }) => shown.title === command.title && shown.isOpen);
      if (notification === undefined) throw new Error(`no notification says "${command.title}"`);
      if (command.action === null) notification.emit('click', {});
      else notification.emit('action', { actionIndex: command.action, selectionIndex: -1 }, command.action, -1);
      notification.close();
      return undefined;
    }
    case 'notifications':
      notifications.mode = command.mode;
      return undefined;
    case 'focus':
      window?.setFocused(command.isFocused);
      return undefined;
    case 'place-window':
      await window?.place(command.bounds);
      return undefined;
    case 'wheel-zoom':
      window?.contents.emit('zoom-changed', {}, command.direction);
      return undefined;
    case 'crash':
      await window?.contents.crash(command.reason);
      return undefined;
    case 'hang':
      window?.emit(command.isHanging ? 'unresponsive' : 'responsive');
      return undefined;
    case 'answer-box':
      answers.button = command.button;
      return undefined;
    case 'choose-folder':
      answers.folder = command.path;
      return undefined;
    case 'open-url':
      app.emit('open-url', preventable({}).event, command.url);
      return undefined;
    case 'close-window':
      for (const [index, one] of [...windows].entries())
        if (command.which === undefined || command.which === index) await one.close();
      return undefined;
    case 'second-instance':
      app.emit('second-instance', {}, command.args, '');
      return undefined;
    case 'ipc-from':
      return ipcFrom(command.origin, command.isMainFrame);
    case 'folder-from':
      return callIpc(
        CHOOSE_FOLDER_CHANNEL,
        { sender: window?.webContents, senderFrame: frameOf(command.origin, command.isMainFrame, () => undefined) },
        [],
      ).then(
        () => null,
        (error: unknown) => String(error),
      );
    case 'permission':
      return permission(command.permission, command.url);
    case 'quit':
      app.quit();
      return undefined;
  }
}

function frameOf(origin: string | null, isMainFrame: boolean, postMessage: () => void): object | null {
  return origin === null ? null : { origin, parent: isMainFrame ? null : {}, postMessage };
}

/** Whether a frame of that origin is given ports; null is a frame that is gone. */
function ipcFrom(origin: string | null, isMainFrame: boolean): boolean {
  let isGiven = false;
  const [window] = windows;
  const senderFrame = frameOf(origin, isMainFrame, () => (isGiven = true));
  ipcMain.emit(CONNECT_CHANNEL, { sender: window?.webContents, senderFrame });
  return isGiven;
}

function permission(name: string, url: string): boolean {
  let isGranted = false;
  permissions.request?.({ getURL: () => url }, name, (granted) => (isGranted = granted));
  const isChecked = permissions.check?.(
    null,
    name,
    new URL(url).origin === 'null' ? url.replace(/^(\w+:\/\/[^/]+).*$/, '$1/') : new URL(url).origin,
  );
  if (isGranted !== isChecked)
    throw new Error(`the request of ${name} for ${url} is answered ${isGranted}, its check ${isChecked}`);
  return isGranted;
}

process.on('message', (message) => {
  const { id, command } = ControlRequest.parse(message);
  answer(command).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, value: null, problem: String(error) }),
  );
});

// The spec is gone, however it ended: nobody is left to end this process and its browser.
process.on('disconnect', () => app.exit(1));

const [, , main, ...args] = process.argv;
if (main === undefined) throw new Error('usage: fixture-main.ts <main.js> [arguments]');
process.argv = [process.argv[0] ?? 'node', main, ...args];
await import(pathToFileURL(main).href);
