/**
 * The process of the electron emulation: makes `electron` resolve to the emulation, runs the built main process, and
 * answers the spec. `node fixture-main.ts <out/main/main.js> [arguments of the app]`.
 */
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { CONNECT_CHANNEL } from '#hosts/electron/channels.ts';
import type { Look } from './control.ts';
import { ControlRequest } from './control.ts';
import { app, ipcMain, permissions, trays } from './electron-api.ts';
import { record } from './emulation-state.ts';
import { windows } from './emulated-window.ts';

const api = new URL('./electron-api.ts', import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) => (specifier === 'electron' ? { url: api, shortCircuit: true } : next(specifier, context)),
});

function look(): Look {
  return {
    ...record,
    windows: [...windows].map(({ isVisible }) => ({ isVisible })),
    trayLabels: [...trays].flatMap(({ entries }) => entries.flatMap(({ label }) => label ?? [])),
  };
}

async function answer(command: ControlRequest['command']): Promise<unknown> {
  switch (command.name) {
    case 'look':
      return look();
    case 'click-tray':
      for (const { entries } of trays) for (const entry of entries) if (entry.label === command.label) entry.click?.();
      return undefined;
    case 'close-window':
      for (const window of windows) await window.close();
      return undefined;
    case 'second-instance':
      app.emit('second-instance', {}, [], '');
      return undefined;
    case 'ipc-from':
      return ipcFrom(command.origin, command.isMainFrame);
    case 'permission':
      return permission(command.permission, command.url);
    case 'quit':
      app.quit();
      return undefined;
  }
}

/** Whether a frame of that origin is given ports; null is a frame that is gone. */
function ipcFrom(origin: string | null, isMainFrame: boolean): boolean {
  let isGiven = false;
  const [window] = windows;
  const senderFrame = origin === null ? null : { origin, parent: isMainFrame ? null : {}, postMessage: () => (isGiven = true) };
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

const [, , main, ...args] = process.argv;
if (main === undefined) throw new Error('usage: fixture-main.ts <main.js> [arguments]');
process.argv = [process.argv[0] ?? 'node', main, ...args];
await import(pathToFileURL(main).href);
