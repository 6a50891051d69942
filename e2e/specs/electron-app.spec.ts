/**
 * The desktop app in the real Electron, where its runtime is on this machine. The only specs that are skipped elsewhere: what
 * can be said without it is in electron-emulation.spec.ts and e2e/checks/package.test.ts.
 */
import { join } from 'node:path';
import type { ElectronApplication, Page } from '@playwright/test';
import { _electron, expect, test } from '@playwright/test';
import { makeDataDir, removeDataDir } from '#e2e/support/core.ts';
import { findElectron, hasDisplay } from '#hosts/cli/desktop.ts';

const root = join(import.meta.dirname, '..', '..');
const binary = findElectron(root, process.env);

test.describe.configure({ mode: 'serial' });
test.skip(
  binary === undefined || !hasDisplay(process.env),
  'The Electron runtime, or a display for it, is not here: see the electron emulation.',
);

let dataDir: string;
let app: ElectronApplication;
let page: Page;

test.beforeAll(async () => {
  dataDir = makeDataDir();
  app = await _electron.launch({
    ...(binary === undefined ? {} : { executablePath: binary }),
    // Chromium's own sandbox does not start for root, as in many containers; the window's options stay as they are.
    args: [
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      root,
      '--data-dir',
      dataDir,
      '--port',
      '0',
      '--agent-mcp-port',
      '0',
      '--stop-agents',
    ],
  });
  page = await app.firstWindow();
});

test.afterAll(async () => {
  // Neither is there where the specs are skipped.
  if (app !== undefined) await app.close();
  if (dataDir !== undefined) removeDataDir(dataDir);
});

test('electron: the window loads over app:// and talks to its core without a socket', async () => {
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await expect(page.getByRole('main')).toBeVisible();
  expect(page.url()).toMatch(/^app:\/\/bundle\//);
  expect(await page.evaluate(() => window.origin)).toBe('app://bundle');
  expect(sockets).toEqual([]);
});

test('electron: the page has no Node, and sees of the preload two functions only', async () => {
  const seen = await page.evaluate(() => {
    const bridge: unknown = Reflect.get(globalThis, 'quarterdeck');
    const names = typeof bridge === 'object' && bridge !== null ? Object.keys(bridge) : [];
    return {
      require: typeof Reflect.get(globalThis, 'require'),
      process: typeof Reflect.get(globalThis, 'process'),
      bridge: names.sort((a, b) => a.localeCompare(b)),
    };
  });
  expect(seen).toEqual({ require: 'undefined', process: 'undefined', bridge: ['chooseFolder', 'connect'] });
});

test('electron: inline scripts are blocked, and other files are not served', async () => {
  const seen = await page.evaluate(async () => {
    const script = document.createElement('script');
    script.textContent = 'document.documentElement.dataset.ran = "yes"';
    document.head.append(script);
    const statuses = await Promise.all(['/agent/ada', '/..%2f..%2fpackage.json'].map(async (path) => (await fetch(path)).status));
    return { ran: document.documentElement.dataset['ran'] ?? 'blocked', statuses };
  });
  expect(seen).toEqual({ ran: 'blocked', statuses: [200, 404] });
});

test('electron: a deep link of a second instance moves the window', async () => {
  await app.evaluate(({ app: electron }) => {
    electron.emit('second-instance', {}, ['quarterdeck://settings'], '');
  });
  await expect.poll(() => new URL(page.url().replace('app:', 'http:')).pathname).toBe('/settings');
});

test('electron: permissions are refused, popups too, and a page cannot be led away', async () => {
  expect(await page.evaluate(() => navigator.permissions.query({ name: 'geolocation' }).then(({ state }) => state))).toBe(
    'denied',
  );
  await page.evaluate(() => {
    window.open('http://example.com/');
    window.location.href = 'http://example.com/';
  });
  await expect(page.getByRole('main')).toBeVisible();
  expect(page.url()).toMatch(/^app:\/\/bundle\//);
  expect(app.windows()).toHaveLength(1);
});

test('electron: the app has a menu with the system roles, and one window with the sandbox on', async () => {
  const seen = await app.evaluate(({ BrowserWindow, Menu }) => ({
    roles: (Menu.getApplicationMenu()?.items ?? []).flatMap(
      ({ submenu }) => submenu?.items.flatMap(({ role }) => role ?? []) ?? [],
    ),
    windows: BrowserWindow.getAllWindows().length,
  }));
  expect(seen.roles.map((role) => role.toLowerCase())).toEqual(expect.arrayContaining(['copy', 'paste', 'selectall']));
  expect(seen.windows).toBe(1);
});
