/** The shell's wiring, in the electron emulation. What it proves and what not: e2e/support/electron/emulation.ts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import * as z from 'zod';
import { makeDataDir, removeDataDir } from '#e2e/support/core.ts';
import type { EmulatedShell } from '#e2e/support/electron/emulation.ts';
import { runToEnd, startEmulation } from '#e2e/support/electron/emulation.ts';
import { terminalText } from '#e2e/support/first-page.ts';
import { RunInfo } from '#shared/system/model.ts';

test.describe.configure({ mode: 'serial' });

let dataDir: string;
let shell: EmulatedShell;
let page: Page;

/** How many windows follow the journal, by the core's own count. */
async function followers(): Promise<number> {
  const { apiUrl } = RunInfo.parse(JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8')));
  const token = readFileSync(join(dataDir, 'operator-token'), 'utf8').trim();
  const response = await fetch(`${apiUrl}/v1/system/stats`, { headers: { authorization: `Bearer ${token}` } });
  return z.object({ followers: z.number() }).parse(await response.json()).followers;
}

test.beforeAll(async () => {
  dataDir = makeDataDir();
  shell = await startEmulation(dataDir);
  page = await shell.page();
});

test.afterAll(async () => {
  await shell.end();
  removeDataDir(dataDir);
});

test('electron emulation: the window loads over app:// and is shown', async () => {
  await expect(page.getByRole('heading', { name: 'No agents yet' })).toBeVisible();
  await expect(page.getByText('Connected')).toBeVisible();
  const look = await shell.look();
  expect(look).toMatchObject({
    isSandboxed: true,
    privilegedSchemes: ['app'],
    windows: [{ isVisible: true }],
    consoleErrors: [],
  });
});

test('electron emulation: calls and terminal bytes go over the MessagePorts', async () => {
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await page.getByRole('main').getByRole('button', { name: 'Start the sample crew' }).click();
  await expect(page.getByRole('button', { name: /^scout/ })).toBeVisible();
  await expect.poll(() => terminalText(page), { timeout: 30_000 }).toContain('wrote report.md');
  await expect(page.getByRole('log')).toContainText('Survey this folder');
  expect(sockets).toEqual([]);
});

test('electron emulation: the window reloads and closes without leaving the crew', async () => {
  await page.reload();
  await expect(page.getByRole('button', { name: /^scout/ })).toBeVisible();
  await shell.ask({ name: 'close-window' });
  expect((await shell.look()).windows).toEqual([]);
  // This process learns of the page's end a moment later, and must not take it for the new one.
  await expect.poll(() => page.isClosed()).toBe(true);
  await shell.ask({ name: 'click-tray', label: 'Open Quarterdeck' });
  page = await shell.page();
  await expect(page.getByRole('button', { name: /^scout/ })).toContainText('Idle');
  // Pages that are gone are followed no longer.
  await expect.poll(followers).toBe(1);
  await shell.ask({ name: 'second-instance' });
  expect((await shell.look()).windows).toEqual([{ isVisible: true }]);
});

test('electron emulation: inline scripts are blocked by the policy of app://', async () => {
  const result = await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'document.documentElement.dataset.ran = "yes"';
    document.head.append(script);
    return document.documentElement.dataset['ran'] ?? 'blocked';
  });
  expect(result).toBe('blocked');
});

test('electron emulation: only files of the bundle are served', async () => {
  const statuses = await page.evaluate(async () => {
    const paths = [
      '/',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/%2e%2e/package.json',
      '/.stamp',
      '/assets',
      '/nothing.js',
      '/a%00b.js',
      '/%zz',
    ];
    const answers = await Promise.all(paths.map((path) => fetch(path)));
    const posted = await fetch('/', { method: 'POST' });
    return [...answers.map(({ status }) => status), posted.status];
  });
  expect(statuses).toEqual([200, 404, 404, 404, 404, 404, 404, 404, 405]);
});

test('electron emulation: only the main frame of our own page gets ports', async () => {
  const ask = (origin: string | null, isMainFrame: boolean): Promise<unknown> =>
    shell.ask({ name: 'ipc-from', origin, isMainFrame });
  expect(await ask('https://evil.example', true)).toBe(false);
  expect(await ask('null', true)).toBe(false);
  expect(await ask('app://bundle.evil', true)).toBe(false);
  expect(await ask('app://bundle', false)).toBe(false);
  expect(await ask(null, true)).toBe(false);
  expect(shell.log()).toContain('https://evil.example');
});

test('electron emulation: pages get two permissions at most, and only ours', async () => {
  const ours = 'app://bundle/';
  const ask = (permission: string, url: string): Promise<unknown> => shell.ask({ name: 'permission', permission, url });
  expect(await ask('notifications', ours)).toBe(true);
  expect(await ask('clipboard-sanitized-write', ours)).toBe(true);
  for (const permission of ['media', 'geolocation', 'clipboard-read', 'openExternal'])
    expect(await ask(permission, ours)).toBe(false);
  expect(await ask('notifications', 'https://evil.example/')).toBe(false);
  expect(await ask('notifications', 'app://bundle.evil/')).toBe(false);
});

test('electron emulation: popups are denied and https links go to the browser', async () => {
  const pages = page.context().pages().length;
  // One at a time: which page belongs to which request cannot be told here when there are several.
  for (const [index, url] of ['https://example.com/docs', 'http://example.com/docs'].entries()) {
    await page.evaluate((address) => {
      window.open(address);
    }, url);
    await expect.poll(async () => (await shell.look()).popups[index]).toEqual({ url, action: 'deny' });
    await expect.poll(() => page.context().pages().length).toBe(pages);
  }
  expect((await shell.look()).openedExternally).toEqual(['https://example.com/docs']);
});

test('electron emulation: the page cannot be led away', async () => {
  await page.evaluate(() => {
    window.location.href = 'https://example.com/elsewhere';
  });
  await expect
    .poll(async () => (await shell.look()).navigations)
    .toContainEqual({ url: 'https://example.com/elsewhere', isPrevented: true });
  await expect(page.getByRole('button', { name: /^scout/ })).toBeVisible();
});

test('electron emulation: a second app says why it does not start, and a second instance only calls the first', async () => {
  const inUse = await runToEnd(dataDir);
  expect(inUse.code).toBe(1);
  expect(inUse.log).toContain('error box: Quarterdeck did not start:');
  expect(inUse.log).toContain(dataDir);
  const second = await runToEnd(dataDir, { QD_EMULATION_SECOND: '1' });
  expect(second).toMatchObject({ code: 0, log: '' });
});

test('electron emulation: the tray stops the crew, and quitting ends the core', async () => {
  expect((await shell.look()).trayLabels).toEqual(['Open Quarterdeck', 'Stop all agents', 'Quit']);
  await shell.ask({ name: 'click-tray', label: 'Stop all agents' });
  await expect(page.getByRole('button', { name: /^scout/ })).toContainText('Stopped', { timeout: 20_000 });
  expect(await shell.quit()).toBe(0);
});
