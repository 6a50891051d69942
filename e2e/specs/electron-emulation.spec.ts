/** The shell's wiring, in the electron emulation. What it proves and what not: e2e/support/electron/emulation.ts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { makeDataDir, removeDataDir } from '#e2e/support/core.ts';
import type { EmulatedShell } from '#e2e/support/electron/emulation.ts';
import { runToEnd, startEmulation } from '#e2e/support/electron/emulation.ts';
import type { ShellCrew } from '#e2e/support/electron/shell-crew.ts';
import { crewOf } from '#e2e/support/electron/shell-crew.ts';

test.describe.configure({ mode: 'serial' });
// The browser belongs to the emulation: recording a trace of it from outside waits for its windows to come and go.
test.use({ trace: 'off' });

let dataDir: string;
let shell: EmulatedShell;
let page: Page;
let crew: ShellCrew;

/** What a spec sees of the shell, once it is so. */
async function waitFor<T>(what: (look: Awaited<ReturnType<EmulatedShell['look']>>) => T, expected: T): Promise<void> {
  await expect.poll(async () => what(await shell.look()), { timeout: 20_000 }).toEqual(expected);
}

/** Closes the window, sees it gone, and opens it again with `open`. */
async function reopen(open: () => Promise<unknown>): Promise<void> {
  await shell.ask({ name: 'close-window' });
  // This process learns of the page's end a moment later, and must not take it for the new one.
  await expect.poll(() => page.isClosed()).toBe(true);
  await open();
  page = await shell.page();
}

const trayIcon = (look: Awaited<ReturnType<EmulatedShell['look']>>): string | undefined => look.tray?.icon;

test.beforeAll(async () => {
  dataDir = makeDataDir();
  shell = await startEmulation(dataDir);
  page = await shell.page();
  crew = crewOf(dataDir);
});

test.afterAll(async () => {
  await shell.end();
  removeDataDir(dataDir);
});

test('electron emulation: the window loads over app:// and is shown', async () => {
  await expect(page).toHaveTitle(/Quarterdeck/);
  await expect(page.getByRole('main')).toBeVisible();
  await waitFor(({ windows }) => windows.map(({ isVisible }) => isVisible), [true]);
  expect(await shell.look()).toMatchObject({
    isSandboxed: true,
    privilegedSchemes: ['app'],
    // Kept, and never sent.
    crashReporter: { uploadToServer: false },
    consoleErrors: [],
  });
});

test('electron emulation: the tray shows a quiet fleet, and the menu has what every platform expects', async () => {
  await waitFor(trayIcon, 'idle-dark');
  const { tray, menu } = await shell.look();
  expect(tray).toMatchObject({
    tooltip: 'Quarterdeck: no agents',
    labels: [
      'Open Quarterdeck',
      'New agent…',
      'Pause all',
      'Resume all',
      'Stop all',
      'Quit (agents keep running)',
      'Quit and stop all agents',
    ],
  });
  expect(Object.keys(menu)).toEqual(['File', 'Edit', 'Agents', 'View', 'windowMenu', 'help']);
  expect(menu['Edit']).toEqual(['undo', 'redo', 'cut', 'copy', 'paste', 'selectAll']);
  // What the tray offers is here too: not every desktop shows a tray.
  expect(menu['Agents']).toEqual(['New agent…', 'Pause all', 'Resume all', 'Stop all']);
  expect(menu['File']).toEqual(expect.arrayContaining(['Quit (agents keep running)', 'Quit and stop all agents']));
  await expect(shell.ask({ name: 'click-tray', label: 'Stop all' })).rejects.toThrow('cannot be clicked');
});

test('electron emulation: calls and terminal bytes go over the MessagePorts, and a question reaches tray, menu and desktop', async () => {
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  await shell.ask({ name: 'focus', isFocused: false });
  await crew.ask('ada', 'Which branch & why?');
  await expect(page.getByText('ada').first()).toBeVisible();
  await waitFor(trayIcon, 'needs-1-dark');
  await waitFor(
    ({ notifications }) => notifications.map(({ title, body, actions }) => ({ title, body, actions })),
    [{ title: 'ada asks', body: 'Which branch & why?', actions: ['Reply', 'Open'] }],
  );
  const { tray, menu } = await shell.look();
  expect(tray?.tooltip).toMatch(/^Quarterdeck: 1 needs you · 1 /);
  expect(tray?.labels[0]).toBe('ada asks: Which branch && why?');
  expect(menu['Agents']?.[0]).toBe('ada asks: Which branch && why?');
  await shell.ask({ name: 'click-tray', label: 'ada asks: Which branch & why?' });
  await waitFor(({ windows }) => windows[0]?.url.startsWith('app://bundle/message/msg_'), true);
  await shell.ask({ name: 'second-instance', args: ['/opt/quarterdeck', '--no-sandbox', 'quarterdeck://agent/ada'] });
  await waitFor(({ windows }) => windows[0]?.url, 'app://bundle/agent/ada');
  await expect.poll(() => crew.terminalOf(page), { timeout: 20_000 }).toContain('hello from the agent');
  expect(sockets).toEqual([]);
});

test('electron emulation: an answered question leaves tray and desktop, once', async () => {
  const before = (await shell.look()).tray?.menus ?? 0;
  await crew.answerAll();
  await waitFor(trayIcon, 'working-dark');
  await waitFor(({ notifications }) => notifications.filter(({ isOpen }) => isOpen), []);
  // Rebuilt when it changed: not for each event on the way.
  expect((await shell.look()).tray?.menus).toBeLessThanOrEqual(before + 2);
});

test('electron emulation: a failure can be mended from its notification; muted and quiet agents say nothing', async () => {
  await shell.ask({ name: 'focus', isFocused: false });
  await crew.fail('bob');
  await waitFor(trayIcon, 'trouble-dark');
  await waitFor(({ notifications }) => notifications.at(-1)?.title, 'bob failed');
  const first = (await shell.look()).notifications.length;
  await shell.ask({ name: 'click-notification', title: 'bob failed', action: 0 });
  // It was started again, and fails again: another cause, another notification.
  await waitFor(({ notifications }) => notifications.length, first + 1);
  expect(await crew.startsOf('bob')).toBe(2);
  await shell.ask({ name: 'click-notification', title: 'bob failed', action: 1 });
  await waitFor(({ windows }) => windows[0]?.url, 'app://bundle/agent/bob');

  await crew.settings({ notifications: { mutedAgents: ['cy'] } });
  await shell.ask({ name: 'focus', isFocused: false });
  await crew.fail('cy');
  await waitFor(({ tray }) => tray?.labels.filter((label) => label.startsWith('cy failed')).length, 1);
  await crew.settings({ notifications: { mutedAgents: [], quietHours: { from: '00:00', to: '23:59' } } });
  // The last minute of the day is not quiet; a spec that runs in it would see a notification.
  if (new Date().getHours() !== 23 || new Date().getMinutes() < 58) {
    await crew.fail('dan');
    await waitFor(({ tray }) => tray?.labels.filter((label) => label.startsWith('dan failed')).length, 1);
    expect((await shell.look()).notifications).toHaveLength(first + 1);
  }
  await crew.settings({ notifications: { quietHours: null } });
});

test('electron emulation: what the operator looks at is not told again, nor what the desktop refuses', async () => {
  const before = (await shell.look()).notifications.length;
  await shell.ask({ name: 'open-url', url: 'quarterdeck://agent/eve' });
  await waitFor(({ windows }) => [windows[0]?.url, windows[0]?.isFocused], ['app://bundle/agent/eve', true]);
  await crew.fail('eve');
  await waitFor(({ tray }) => tray?.labels.filter((label) => label.startsWith('eve failed')).length, 1);
  await shell.ask({ name: 'focus', isFocused: false });
  await shell.ask({ name: 'notifications', mode: 'failed' });
  await crew.fail('fay');
  await expect.poll(() => shell.log()).toContain('the desktop did not show a notification (the app is not signed)');
  expect((await shell.look()).notifications).toHaveLength(before);
  await shell.ask({ name: 'notifications', mode: 'shown' });
});

test('electron emulation: what was put aside no longer counts', async () => {
  await crew.dismissAll();
  await waitFor(trayIcon, 'working-dark');
});

test('electron emulation: pause all, resume all and stop all act on the crew', async () => {
  await waitFor(({ tray }) => tray?.labels.includes('Pause all (1)'), true);
  await shell.ask({ name: 'click-menu', path: ['Agents', 'Pause all (1)'] });
  await expect.poll(() => crew.statusOf('ada')).toBe('paused');
  await waitFor(({ tray }) => tray?.labels.includes('Resume all (1)'), true);
  await shell.ask({ name: 'click-tray', label: 'Resume all (1)' });
  await expect.poll(() => crew.statusOf('ada')).not.toBe('paused');
  await waitFor(({ tray }) => tray?.labels.includes('Stop all (1)'), true);
  await shell.ask({ name: 'click-tray', label: 'Stop all (1)' });
  await expect.poll(() => crew.statusOf('ada'), { timeout: 20_000 }).toBe('stopped');
  await shell.ask({ name: 'click-tray', label: 'New agent…' });
  await waitFor(({ windows }) => windows[0]?.url, 'app://bundle/new');
});

test('electron emulation: deep links go to places of the window, and nowhere else', async () => {
  await shell.ask({ name: 'open-url', url: 'quarterdeck://settings/notifications' });
  await waitFor(({ windows }) => windows[0]?.url, 'app://bundle/settings/notifications');
  for (const url of ['quarterdeck://agent/../../etc', 'quarterdeck://evil.example/', 'https://example.com/'])
    await shell.ask({ name: 'open-url', url });
  await shell.ask({ name: 'second-instance', args: ['/opt/quarterdeck', 'quarterdeck:javascript:alert(1)'] });
  expect((await shell.look()).windows[0]?.url).toBe('app://bundle/settings/notifications');
  expect(shell.log()).toContain('quarterdeck://evil.example/');
  // A closed window opens at the place.
  await reopen(() => shell.ask({ name: 'second-instance', args: ['/opt/quarterdeck', 'quarterdeck://messages'] }));
  expect(new URL(page.url()).pathname).toBe('/messages');
  await expect(page.getByRole('main')).toBeVisible();
});

test('electron emulation: the window opens again where and as it was, and zooms from 50 to 200 %', async () => {
  const bounds = { x: 40, y: 50, width: 1200, height: 800 };
  await shell.ask({ name: 'place-window', bounds });
  await shell.ask({ name: 'click-menu', path: ['View', 'Zoom in'] });
  await shell.ask({ name: 'wheel-zoom', direction: 'in' });
  await waitFor(({ windows }) => windows[0]?.zoom, 1.25);
  await reopen(() => shell.ask({ name: 'click-tray', label: 'Open Quarterdeck' }));
  await waitFor(
    ({ windows }) => windows.map(({ bounds: placed, zoom, url }) => ({ placed, zoom, url })),
    [{ placed: bounds, zoom: 1.25, url: 'app://bundle/messages' }],
  );
  for (let step = 0; step < 12; step += 1) await shell.ask({ name: 'click-menu', path: ['View', 'Zoom in'] });
  expect((await shell.look()).windows[0]?.zoom).toBe(2);
  for (let step = 0; step < 12; step += 1) await shell.ask({ name: 'click-menu', path: ['View', 'Zoom out'] });
  expect((await shell.look()).windows[0]?.zoom).toBe(0.5);
  await shell.ask({ name: 'click-menu', path: ['View', 'Actual size'] });
  expect((await shell.look()).windows[0]?.zoom).toBe(1);
});

test('electron emulation: closing leaves the crew running and says so once; pages that are gone are followed no longer', async () => {
  const told = (await shell.look()).notifications.filter(({ title }) => title === 'Quarterdeck keeps running');
  // The window was closed twice by now.
  expect(told).toHaveLength(1);
  await page.reload();
  await expect(page.getByRole('main')).toBeVisible();
  // The window, and the shell itself.
  await expect.poll(() => crew.followers()).toBe(2);
  await shell.ask({ name: 'second-instance', args: [] });
  expect((await shell.look()).windows).toHaveLength(1);
});

test('electron emulation: the theme of the settings is the theme of the app', async () => {
  await crew.settings({ theme: 'light' });
  await waitFor(({ themeSource, tray }) => [themeSource, tray?.icon], ['light', 'idle-light']);
  await crew.settings({ theme: 'system' });
  await waitFor(({ themeSource }) => themeSource, 'system');
});

test('electron emulation: a window whose process ends comes back, and after some times says what happened', async () => {
  await shell.ask({ name: 'second-instance', args: ['quarterdeck://agent/ada'] });
  await waitFor(({ windows }) => windows[0]?.url, 'app://bundle/agent/ada');
  await shell.ask({ name: 'crash', reason: 'crashed' });
  await expect.poll(() => new URL(page.url()).pathname, { timeout: 20_000 }).toBe('/agent/ada');
  await expect(page.getByRole('main')).toBeVisible();
  for (let times = 2; times <= 3; times += 1) {
    await shell.ask({ name: 'crash', reason: 'oom' });
    await expect.poll(() => page.url(), { timeout: 20_000 }).toContain('app--bundle');
  }
  await shell.ask({ name: 'crash', reason: 'crashed' });
  await expect(page.getByRole('heading', { name: 'The window stopped and could not be brought back' })).toBeVisible();
  await expect(page.getByText('oom (exit code 139)').first()).toBeVisible();
  await page.getByRole('link', { name: 'Copy diagnostics' }).click();
  await expect(page.getByRole('status')).toHaveText('The diagnostics were copied.');
  expect((await shell.look()).copied[0]).toContain('Quarterdeck: the window ended unexpectedly');
  // This page is none of the window: it is given no connection.
  await page.evaluate(() => {
    const bridge: unknown = Reflect.get(window, 'quarterdeck');
    const connect: unknown = typeof bridge === 'object' && bridge !== null ? Reflect.get(bridge, 'connect') : undefined;
    if (typeof connect === 'function') Reflect.apply(connect, bridge, []);
  });
  await expect.poll(() => shell.log()).toContain('a page of app://shell asked for something of the app and was refused');
  await page.getByRole('link', { name: 'Try again' }).click();
  await expect.poll(() => new URL(page.url()).pathname).toBe('/agent/ada');
  await expect(page.getByRole('main')).toBeVisible();
});

test('electron emulation: a window that hangs asks once whether to wait', async () => {
  await shell.ask({ name: 'answer-box', button: 1 });
  await shell.ask({ name: 'hang', isHanging: true });
  await waitFor(
    ({ messageBoxes }) => messageBoxes,
    [{ message: 'The window does not answer.', buttons: ['Wait', 'Reload the window'] }],
  );
  // Reloading ends the process that hangs; recovery brings the page back.
  await expect.poll(() => shell.log()).toContain('the window ended (killed');
  await expect.poll(() => page.url(), { timeout: 20_000 }).toContain('app--bundle');
  await expect(page.getByRole('main')).toBeVisible();
});

test('electron emulation: a folder is chosen in the system dialog, for our own page only', async () => {
  const choose = (request: object): Promise<unknown> =>
    page.evaluate(async (asked) => {
      const bridge: unknown = Reflect.get(window, 'quarterdeck');
      const call: unknown = typeof bridge === 'object' && bridge !== null ? Reflect.get(bridge, 'chooseFolder') : undefined;
      return typeof call === 'function' ? ((await Reflect.apply(call, bridge, [asked])) as unknown) : 'no bridge';
    }, request);
  await shell.ask({ name: 'choose-folder', path: '/home/me/project' });
  expect(await choose({ title: 'Open a project', startAt: '/home/me' })).toBe('/home/me/project');
  await shell.ask({ name: 'choose-folder', path: null });
  expect(await choose({})).toBeNull();
  await expect(choose({ properties: ['openFile'] })).rejects.toThrow(/properties/);
  expect((await shell.look()).folderDialogs).toEqual([
    { title: 'Open a project', startAt: '/home/me', hasWindow: true },
    { title: 'Choose a folder', startAt: null, hasWindow: true },
  ]);
  for (const [origin, isMainFrame] of [
    ['https://evil.example', true],
    ['app://shell', true],
    ['app://bundle', false],
    [null, true],
  ] as const)
    expect(await shell.ask({ name: 'folder-from', origin, isMainFrame })).toContain('Only the window of Quarterdeck');
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

test('electron emulation: only files of the bundle are served, and the page at its places', async () => {
  const answers = await page.evaluate(async () => {
    const paths = [
      '/',
      '/agent/ada',
      '/settings/about',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/%2e%2e/package.json',
      '/agent/..%2f..%2fpackage.json',
      '/.stamp',
      '/assets',
      '/nothing.js',
      '/nowhere',
      '/a%00b.js',
      '/%zz',
    ];
    const fetched = await Promise.all(paths.map((path) => fetch(path)));
    const posted = await fetch('/', { method: 'POST' });
    return {
      statuses: [...fetched.map(({ status }) => status), posted.status],
      policies: new Set(fetched.map(({ headers }) => headers.get('content-security-policy'))).size,
      types: fetched.slice(0, 3).map(({ headers }) => headers.get('content-type')),
    };
  });
  expect(answers).toEqual({
    statuses: [200, 200, 200, 404, 404, 404, 404, 404, 404, 404, 404, 404, 405],
    policies: 1,
    types: Array.from({ length: 3 }, () => 'text/html; charset=utf-8'),
  });
});

test('electron emulation: only the main frame of our own page gets ports', async () => {
  const ask = (origin: string | null, isMainFrame: boolean): Promise<unknown> =>
    shell.ask({ name: 'ipc-from', origin, isMainFrame });
  expect(await ask('https://evil.example', true)).toBe(false);
  expect(await ask('null', true)).toBe(false);
  expect(await ask('app://bundle.evil', true)).toBe(false);
  expect(await ask('app://shell', true)).toBe(false);
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
  expect(await ask('notifications', 'app://shell/trouble')).toBe(false);
});

test('electron emulation: popups are denied and https links go to the browser', async () => {
  for (const url of ['https://example.com/docs', 'http://example.com/docs', 'file:///etc/passwd'])
    await page.evaluate((address) => {
      window.open(address);
    }, url);
  await waitFor(
    ({ popups }) => popups,
    [
      { url: 'https://example.com/docs', action: 'deny' },
      { url: 'http://example.com/docs', action: 'deny' },
      { url: 'file:///etc/passwd', action: 'deny' },
    ],
  );
  expect((await shell.look()).openedExternally).toEqual(['https://example.com/docs']);
});

test('electron emulation: a terminal gets a window of its own, once, and nothing else does', async () => {
  await crew.start('ada');
  const open = (address: string): Promise<void> => page.evaluate((url) => void window.open(url), address);
  const urls = async (): Promise<string[]> => (await shell.look()).windows.map(({ url }) => url);
  const before = await urls();
  for (const address of ['/agent/ada', '/agent/ada/config?solo=1', '/agent/ada?solo=1&x=1', '/messages?solo=1'])
    await open(address);
  await page.goto(new URL('/agent/ada', page.url()).href);
  await page.getByRole('button', { name: 'More of the terminal' }).click();
  await page.getByRole('menuitem', { name: 'Open in a window of its own' }).click();
  const address = 'app://bundle/agent/ada?solo=1';
  await expect.poll(async () => (await urls()).slice(before.length)).toEqual([address]);
  // It has ports of its own, and the preload of the main window.
  const own = (): Page | undefined =>
    page
      .context()
      .pages()
      .find((one) => one.url().endsWith('/agent/ada?solo=1'));
  await expect.poll(own).toBeDefined();
  await expect.poll(() => own()?.getByText('Watching.').isVisible(), { timeout: 20_000 }).toBe(true);
  await shell.ask({ name: 'focus', isFocused: false });
  await open('/agent/ada?solo=1');
  await expect.poll(async () => (await shell.look()).windows.map(({ isFocused }) => isFocused)).toEqual([false, true]);
  await shell.ask({ name: 'close-window', which: 1 });
  await expect.poll(async () => (await urls()).length).toBe(before.length);
  // The main one stands.
  await expect(page.getByRole('main')).toBeVisible();
  expect((await shell.look()).popups.every(({ action }) => action === 'deny')).toBe(true);
});

test('electron emulation: the page cannot be led away', async () => {
  await page.evaluate(() => {
    window.location.href = 'https://example.com/elsewhere';
  });
  await expect
    .poll(async () => (await shell.look()).navigations)
    .toContainEqual({ url: 'https://example.com/elsewhere', isPrevented: true });
  await expect(page.getByRole('main')).toBeVisible();
});

test('electron emulation: a second app says why it does not start, and a second instance only calls the first', async () => {
  const inUse = await runToEnd(dataDir);
  expect(inUse.code).toBe(1);
  expect(inUse.log).toContain('error box: Quarterdeck did not start:');
  expect(inUse.log).toContain(dataDir);
  const second = await runToEnd(dataDir, { QD_EMULATION_SECOND: '1' });
  expect(second).toMatchObject({ code: 0, log: '' });
});

test('electron emulation: without the tray, closing the window ends the app; its agents and its place are kept', async () => {
  await crew.start('ada');
  // It has asked again: from here on it needs no core.
  await waitFor(trayIcon, 'needs-1-dark');
  await crew.settings({ closeToTray: false });
  await waitFor(({ tray }) => tray?.labels.includes('Stop all (1)'), true);
  await shell.ask({ name: 'close-window' });
  expect(await shell.exitCode()).toBe(0);
  expect(JSON.parse(readFileSync(join(dataDir, 'window', 'state.json'), 'utf8'))).toMatchObject({
    bounds: { x: 40, y: 50, width: 1200, height: 800 },
    hasToldTray: true,
  });
  // The next app finds the agent at its work, and starts at the link it was given.
  shell = await startEmulation(dataDir, ['quarterdeck://agent/ada/activity']);
  page = await shell.page();
  crew = crewOf(dataDir);
  expect(new URL(page.url()).pathname).toBe('/agent/ada/activity');
  expect(await crew.statusOf('ada')).toBe('working');
  await waitFor(({ tray }) => tray?.labels.includes('Stop all (1)'), true);
});

test('electron emulation: quitting with its agents stops them, and ends the core', async () => {
  const pid = await crew.pidOf('ada');
  await shell.ask({ name: 'click-tray', label: 'Quit and stop all agents' });
  expect(await shell.exitCode()).toBe(0);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
