/** What a window goes through: every address, other windows beside it, the core killed under it, and an hour of sleep. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Locator, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { effort } from '#e2e/support/effort.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { PlainChromium } from '#e2e/support/plain-chromium.ts';
import { goTo, loginLink, openWindow, shownText, terminalText, WIDE } from '#e2e/support/window.ts';

test.describe.configure({ mode: 'serial' });

/** What takes a moment more on a machine that does other things. */
const SOON = { timeout: 30_000 };
/** What thousands of events take on a machine that does other things. */
const CAUGHT_UP = { timeout: 90_000 };
/** Agents beside the two that are worked with, so that the fleet scrolls. */
const CROWD = 24;
/** A window is held still for so long, in milliseconds: longer than a flood takes. */
const HELD_MS = 8_000;
/** Journal events that are written while a window sleeps: each message is one. */
const SLEPT_MESSAGES = 5 * Math.min(1_000, effort.messages);
/** Messages that are sent while a window is hidden. */
const HIDDEN_MESSAGES = Math.min(300, effort.messages);
/** Messages that are sent at one time. */
const AT_ONCE = 20;

let core: TestCore;
let folder: string;
let page: Page;
let context: BrowserContext;

const button = (name: string | RegExp, on = page): Locator => on.getByRole('button', { name });
const offline = (on: Page): Locator => on.getByRole('alert').filter({ hasText: 'The core does not answer.' });
const card = (id: string, on = page): Locator => on.getByRole('listitem', { name: new RegExp(`^${id}, `) });
const writing = (on: Page): Locator => on.getByRole('textbox', { name: 'Message' });
const filter = (on: Page): Locator => on.getByRole('searchbox', { name: 'Filter agents' });
const rest = (): RestClient => new RestClient(core);

/** Another window of the same browser, at a path. */
async function openTab(path: string): Promise<Page> {
  const tab = await context.newPage();
  await goTo(tab, core, path);
  await expect(tab.getByRole('navigation', { name: 'Screens' })).toBeVisible();
  return tab;
}

/** Holds the page's own thread, as a window does that is busy or was put to sleep; its socket is not read meanwhile. */
function hold(on: Page, ms: number): Promise<void> {
  return on.evaluate((duration) => {
    const end = performance.now() + duration;
    while (performance.now() < end);
  }, ms);
}

test.beforeAll(async ({ browser }) => {
  core = await startCore({ dataDir: makeDataDir() });
  folder = mkdtempSync(join(tmpdir(), 'qd-window-'));
  await rest().ok('POST', '/projects', { folder });
  const command = ['bash', '--norc', '--noprofile'];
  await rest().ok('POST', '/agents', { id: 'shell', type: 'command', command, environment: { PS1: '$ ' } });
  await rest().ok('POST', '/agents', { id: 'wanda', type: 'worker' });
  for (let n = 1; n <= CROWD; n += 1)
    await rest().ok('POST', '/agents', { id: `spare-${n}`, type: 'worker', start: false, description: `number ${n}` });
  context = await browser.newContext({ colorScheme: 'dark', reducedMotion: 'reduce', viewport: { width: 1440, height: 900 } });
  page = await context.newPage();
});

test.afterAll(async () => {
  await context.close();
  await core.stop();
  removeDataDir(core.dataDir);
  rmSync(folder, { recursive: true, force: true });
});

test('a browser without a login is told how to get one', async () => {
  await page.goto(core.run.url);
  await expect(page.getByRole('heading', { name: 'This browser is not logged in' })).toBeVisible();
  await expect(page.getByText('quarterdeck open', { exact: true })).toBeVisible();
});

test('a login link logs in once, and leaves the address', async ({ browser }) => {
  const link = await loginLink(core);
  // The same document with another fragment: a link pasted into an open tab must work too.
  await page.goto(link);
  await expect(card('shell')).toBeVisible(SOON);
  expect(page.url()).not.toContain('login=');
  const other = await browser.newContext();
  const used = await other.newPage();
  await used.goto(link);
  await expect(used.getByRole('alert')).toContainText('used up or too old');
  await used.goto(await loginLink(core));
  await expect(card('shell', used)).toBeVisible(SOON);
  await other.close();
});

const PLACES: readonly (readonly [path: string, shows: string | RegExp])[] = [
  ['/', 'shell'],
  ['/agents', 'shell'],
  ['/agents?q=type:worker', 'wanda'],
  ['/agent/wanda', 'Watching.'],
  ['/agent/wanda/messages', 'Nothing was said yet'],
  ['/agent/wanda/activity', /started/i],
  ['/agent/wanda/config', 'Limits'],
  ['/agent/wanda/health', /memory/i],
  ['/messages', 'Nothing was said yet'],
  ['/message/msg_01a1febe-7b9a-7302-a5fb-b86391369d9f', /./],
  ['/setup', 'Set up this machine'],
  ['/new', 'From a template'],
  ['/new/worker', 'New agent, from Worker'],
  ['/settings', 'Appearance'],
  ['/settings/connections', 'claude mcp add'],
  ['/settings/notifications', 'Quiet hours'],
  ['/settings/shortcuts', 'Everywhere'],
  ['/settings/about', 'MIT'],
];

test('every address leads to its place, and stays in the address bar', async () => {
  test.setTimeout(120_000);
  for (const [path, shows] of PLACES) {
    await goTo(page, core, path);
    await expect(page.getByRole('main').getByText(shows).filter({ visible: true }).first(), path).toBeVisible(SOON);
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe(path);
  }
});

test('an address that leads nowhere says so, and offers a way on', async () => {
  for (const path of ['/nowhere', '/agent', '/agent/wanda/nothing', '/settings/x', '/settings/about/x']) {
    await goTo(page, core, path);
    await expect(page.getByRole('heading', { name: 'There is no such screen' }), path).toBeVisible();
  }
  // What means nothing as an address is the window's to say, too, and not the core's.
  await goTo(page, core, '/agent/%zz');
  await expect(page.getByRole('heading', { name: 'There is no such screen' })).toBeVisible();
  await goTo(page, core, '/agent/%00');
  await expect(page.getByRole('heading', { name: 'There is no agent' })).toBeVisible();
  await goTo(page, core, '/agent/e2e.nightly');
  await expect(page.getByRole('heading', { name: 'There is no agent “e2e.nightly”' })).toBeVisible();
  await goTo(page, core, '/message/x');
  await expect(page.getByRole('heading', { name: 'There is no such message' })).toBeVisible();
  await button('Show all messages').click();
  await expect(page).toHaveURL(/\/messages$/);
  await expect(page.getByRole('heading', { name: 'There is no such message' })).toBeHidden();
  await goTo(page, core, '/agent/nobody');
  await expect(page.getByRole('heading', { name: 'There is no agent “nobody”' })).toBeVisible();
  await page.getByRole('main').getByRole('link', { name: 'Go to the agents' }).click();
  await expect(card('shell')).toBeVisible();
});

test('back and forward lead through the screens, and a click with Ctrl opens another window', async () => {
  const place = (name: string): Locator => page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name });
  await place('Messages').click();
  await place('Settings').click();
  await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'About' }).click();
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'Appearance' })).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/\/messages$/);
  await expect(writing(page)).toBeVisible();
  await page.goBack();
  await expect(card('shell')).toBeVisible();
  await page.goForward();
  await expect(writing(page)).toBeVisible();
  const opened = context.waitForEvent('page');
  await place('Agents').click({ modifiers: ['ControlOrMeta'] });
  const other = await opened;
  await expect(card('shell', other)).toBeVisible(SOON);
  await other.close();
});

test('a setting that is changed in one window is changed in all', async ({ browser }) => {
  const here = await openTab('/settings');
  const there = await openWindow(browser, core, '/agents');
  const theme = (on: Page): Promise<string> => on.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await theme(there);
  await here.getByRole('radio', { name: 'Light' }).click();
  await expect.poll(() => theme(there)).not.toBe(dark);
  await expect.poll(async () => (await theme(there)) === (await theme(here))).toBe(true);
  await here.getByRole('switch', { name: /Labels beside/ }).click();
  await expect(button('Hide the labels', there)).toBeVisible();
  await there.getByRole('radio', { name: 'Table' }).click();
  await expect(page.getByRole('navigation', { name: 'Screens' })).toBeVisible();
  await goTo(here, core, '/agents');
  await expect(here.getByRole('table', { name: 'Agents' })).toBeVisible();
  await here.getByRole('radio', { name: 'Grid' }).click();
  await expect(there.getByRole('list', { name: /^Agents, / })).toBeVisible();
  await rest().ok('PATCH', '/settings', { theme: 'system', isRailExpanded: false });
  await expect.poll(() => theme(there)).toBe(dark);
  await there.context().close();
  await here.close();
});

test('what is written in one window stands in the others, and is sent or discarded once', async () => {
  const [here, there] = [await openTab('/messages'), await openTab('/messages')];
  await writing(here).fill('@wanda written here');
  await expect(writing(there)).toHaveValue('@wanda written here');
  await writing(there).pressSequentially(', ended there');
  await expect(writing(here)).toHaveValue('@wanda written here, ended there');
  await there.keyboard.press('Control+Enter');
  await expect(writing(here)).toHaveValue('');
  await expect(here.getByRole('article').filter({ hasText: 'written here, ended there' })).toHaveCount(1);
  await here.close();
  await there.close();
});

test('the core is killed under every screen: each says so, comes back by itself, and has lost nothing', async () => {
  test.setTimeout(150_000);
  await rest().ok('POST', '/messages', { to: 'wanda', body: 'Said before the crash.' });
  const fleet = await openTab('/agents?q=type:worker');
  await card('wanda', fleet).hover();
  await card('wanda', fleet).getByRole('checkbox').click();
  await expect(fleet.getByRole('region', { name: 'Selected agents' })).toContainText('1 selected');
  const scroller = (on: Page): Locator => on.getByRole('list', { name: /^Agents, / }).locator('..');
  await scroller(fleet).evaluate((box) => box.scrollTo(0, 600));
  const agent = await openTab('/agent/shell/messages');
  await writing(agent).fill('To the shell, not yet sent');
  await rest().ok('POST', '/agents/shell/terminal', { text: 'echo before-$((6*7))', enter: true });
  await expect.poll(() => terminalText(agent), SOON).toContain('before-42');
  const messages = await openTab('/messages?agent=wanda');
  await messages.getByRole('article').filter({ hasText: 'Said before the crash.' }).click();
  await writing(messages).fill('A draft that must survive.');
  const made = await openTab('/new');
  await made.getByRole('textbox', { name: 'Description' }).fill('To be made after the crash');
  const settings = await openTab('/settings/notifications');
  const setup = await openTab('/setup');
  const tabs = [fleet, agent, messages, made, settings, setup];

  const { url, agentMcpUrl } = core.run;
  await core.kill();
  for (const tab of tabs) await expect(offline(tab)).toBeVisible(SOON);
  await expect(agent.getByText('Cut off.')).toBeVisible();
  core = await startCore({
    dataDir: core.dataDir,
    args: ['--port', new URL(url).port, '--agent-mcp-port', new URL(agentMcpUrl).port],
  });
  for (const tab of tabs) await expect(offline(tab)).toBeHidden(SOON);

  await expect(filter(fleet)).toHaveValue('type:worker');
  await expect(fleet.getByRole('region', { name: 'Selected agents' })).toContainText('1 selected');
  expect(await scroller(fleet).evaluate((box) => box.scrollTop)).toBe(600);
  await expect(writing(agent)).toHaveValue('To the shell, not yet sent');
  await expect(agent.getByText('Watching.')).toBeVisible(SOON);
  await expect.poll(() => terminalText(agent), SOON).toContain('before-42');
  await rest().ok('POST', '/agents/shell/terminal', { text: 'echo after-$((6*7))', enter: true });
  await expect.poll(() => terminalText(agent), SOON).toContain('after-42');
  await expect(writing(messages)).toHaveValue('A draft that must survive.');
  await rest().ok('POST', '/messages', { to: 'wanda', body: 'Said after the crash.' });
  await expect(messages.getByRole('article').filter({ hasText: 'Said after the crash.' })).toHaveCount(1, SOON);
  await expect(messages.getByRole('article').filter({ hasText: 'Said before the crash.' })).toHaveCount(1);
  await expect(messages).toHaveURL(/agent=wanda/);
  await expect(made.getByRole('textbox', { name: 'Description' })).toHaveValue('To be made after the crash');
  await made.getByRole('textbox', { name: 'Name' }).fill('after-crash');
  await button('Create and start', made).click();
  await expect(made).toHaveURL(/\/agent\/after-crash/, SOON);
  await expect(card('after-crash', fleet)).toBeAttached(SOON);
  for (const tab of tabs) await tab.close();
});

test('a screen that cannot be loaded says so, and the rest of the window stays', async () => {
  const tab = await openTab('/agents');
  // As after an update: what the open window asks for is not there any more.
  await tab.route('**/assets/settings-page*', (route) => route.fulfill({ status: 404 }));
  const place = (name: string): Locator => tab.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name });
  await place('Settings').click();
  await expect(tab.getByRole('alert').filter({ hasText: 'This screen could not be loaded' })).toBeVisible(SOON);
  await expect(button('Copy diagnostics', tab)).toBeVisible();
  await place('Agents').click();
  await expect(card('shell', tab)).toBeVisible();
  await place('Settings').click();
  await tab.unroute('**/assets/settings-page*');
  await button('Try again', tab).click();
  await expect(tab.getByRole('heading', { name: 'Appearance' })).toBeVisible(SOON);
  await tab.close();
});

test('a terminal keeps its size while the next screen is still on its way', async () => {
  const tab = await openTab('/agent/shell');
  await expect(tab.getByText('Watching.')).toBeVisible(SOON);
  await expect.poll(() => shownText(tab), SOON).toContain('after-42');
  let letThrough: () => void = () => undefined;
  const wait = new Promise<void>((resolve) => (letThrough = resolve));
  // What the next screen is made of comes late, as from a slow disk.
  await tab.route('**/assets/messages-page*', async (route) => {
    await wait;
    await route.continue();
  });
  await tab.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Messages' }).click();
  await rest().ok('POST', '/agents/shell/terminal', { text: 'sleep 1; stty size; echo size-$((6*7))', enter: true });
  const screen = async (): Promise<string> =>
    z
      .object({ lines: z.array(z.string()) })
      .parse(await rest().ok('GET', '/agents/shell/terminal'))
      .lines.join('\n');
  await expect.poll(screen, SOON).toContain('size-42');
  const [rows = 0, cols = 0] = (/(\d+) (\d+)\s+size-42/.exec(await screen()) ?? []).slice(1).map(Number);
  expect(rows).toBeGreaterThan(20);
  expect(cols).toBeGreaterThan(80);
  letThrough();
  await expect(writing(tab)).toBeVisible(SOON);
  await tab.close();
});

test('a window that stands still slows neither the agent nor another window, and then shows the same', async () => {
  test.setTimeout(120_000);
  const still = await openTab('/agent/shell');
  const other = await openTab('/agent/shell');
  for (const tab of [still, other]) await expect.poll(() => shownText(tab), SOON).toContain('after-42');
  const lines = Math.round(effort.floodBytes / 32);
  const held = hold(still, HELD_MS);
  let isHeld = true;
  const end = held.then(() => (isHeld = false));
  await rest().ok('POST', '/agents/shell/terminal', {
    text: `clear; seq -f 'line %.0f of a flood of lines' 1 ${lines}; echo flood-$((6*7))`,
    enter: true,
  });
  await expect.poll(() => shownText(other), { ...SOON, intervals: [50] }).toContain('flood-42');
  const wasHeld = isHeld;
  await end;
  await expect.poll(() => shownText(still), SOON).toContain('flood-42');
  expect(await shownText(still)).toBe(await shownText(other));
  // In a deep run the flood takes longer than a window can be held.
  if (lines < 200_000) expect(wasHeld, 'the other window was there first').toBe(true);
  await still.close();
  await other.close();
});

test('a hidden window slows neither the agent nor another window, and shows the same when it is looked at', async () => {
  test.setTimeout(120_000);
  const chromium = await PlainChromium.start();
  try {
    const hidden = await chromium.open(await loginLink(core), WIDE);
    const asked = (expression: string) => () => hidden.evaluate(expression).then(String);
    await expect.poll(asked('document.querySelectorAll("nav").length > 0'), SOON).toBe('true');
    await hidden.evaluate(`location.href = ${JSON.stringify(new URL('/agent/shell', core.run.url).href)}`);
    const shown = asked('globalThis.quarterdeckTerminalShown?.() ?? ""');
    const other = await openTab('/agent/shell');
    await rest().ok('POST', '/agents/shell/terminal', { text: 'clear; echo hidden-$((6*7))', enter: true });
    await expect.poll(shown, SOON).toContain('hidden-42');
    await expect.poll(() => shownText(other), SOON).toContain('hidden-42');

    // Another tab in front: no frames are drawn in this one any more, and its timers are held back.
    await chromium.open('about:blank', WIDE);
    const isHidden = asked('document.hidden');
    await expect.poll(isHidden, SOON).toBe('true');
    const lines = Math.round(effort.floodBytes / 32);
    await rest().ok('POST', '/agents/shell/terminal', {
      text: `clear; seq -f 'line %.0f of a flood of lines' 1 ${lines}; echo flood-$((6*7))`,
      enter: true,
    });
    await expect.poll(() => shownText(other), SOON).toContain('flood-42');
    const messages = await openTab('/messages');
    for (let sent = 0; sent < HIDDEN_MESSAGES; sent += AT_ONCE)
      await Promise.all(
        Array.from({ length: AT_ONCE }, (_, n) =>
          rest().ok('POST', '/messages', { to: 'shell', body: `While it was hidden, number ${sent + n + 1}.` }),
        ),
      );
    await rest().ok('POST', '/messages', { to: 'shell', body: 'The last one while it was hidden.' });
    await expect(messages.getByRole('article').filter({ hasText: 'The last one while it was hidden.' })).toBeInViewport(SOON);
    expect(await isHidden(), 'it was hidden all the time').toBe('true');

    await hidden.activate();
    await expect.poll(isHidden, SOON).toBe('false');
    await expect.poll(async () => (await shown()) === (await shownText(other)), SOON).toBe(true);
    await rest().ok('POST', '/agents/shell/terminal', { text: 'clear; echo after-$((6*7))', enter: true });
    await expect.poll(shown, SOON).toContain('after-42');
    await other.close();
    await messages.close();
  } finally {
    await chromium.close();
  }
});

test('a window that slept while thousands of things happened wakes up, and shows what a fresh one shows', async () => {
  test.setTimeout(240_000);
  const fleet = await openTab('/agents');
  const messages = await openTab('/messages');
  const asleep = await Promise.all([fleet, messages].map((tab) => context.newCDPSession(tab)));
  for (const session of asleep) await session.send('Page.setWebLifecycleState', { state: 'frozen' });

  for (let sent = 0; sent < SLEPT_MESSAGES; sent += AT_ONCE)
    await Promise.all(
      Array.from({ length: AT_ONCE }, (_, n) =>
        rest().ok('POST', '/messages', { to: 'shell', body: `While it slept, number ${sent + n + 1}.` }),
      ),
    );
  await rest().ok('POST', '/agents', { id: 'made-meanwhile', type: 'worker', start: false });
  await rest().ok('POST', '/agents/wanda/stop', {});
  // Said last, so that what is newest is known.
  await rest().ok('POST', '/messages', { to: 'shell', body: 'The last word.' });

  for (const session of asleep) await session.send('Page.setWebLifecycleState', { state: 'active' });
  await expect(card('made-meanwhile', fleet)).toBeAttached(SOON);
  const last = messages.getByRole('article').filter({ hasText: 'The last word.' });
  // Who was at the end is at the end, however much came.
  await expect(last).toBeInViewport(CAUGHT_UP);
  await expect(messages.getByRole('button', { name: /\d new$/ })).toBeHidden();
  const freshFleet = await openTab('/agents');
  const freshMessages = await openTab('/messages');
  await expect(freshMessages.getByRole('article').filter({ hasText: 'The last word.' })).toBeVisible(SOON);
  const names = (on: Page): Promise<string[]> =>
    on.getByRole('listitem').evaluateAll((cards) => cards.map((each) => each.getAttribute('aria-label') ?? ''));
  await expect.poll(async () => (await names(fleet)).join() === (await names(freshFleet)).join(), SOON).toBe(true);
  const words = (on: Page): Promise<string[]> => on.getByRole('article').locator('p').allInnerTexts();
  await expect
    .poll(async () => (await words(messages)).slice(-5).join() === (await words(freshMessages)).slice(-5).join(), SOON)
    .toBe(true);
  const unread = (on: Page): Promise<string> => card('shell', on).innerText();
  const { unread: queued } = z.object({ unread: z.number() }).parse(await rest().ok('GET', '/agents/shell'));
  expect(queued).toBeGreaterThan(SLEPT_MESSAGES);
  await expect.poll(async () => (await unread(fleet)).includes(String(queued)), SOON).toBe(true);
});
