/** The agent screen, in browsers over a real core: the terminal and who has its keyboard, the life of an agent, what is known of it. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import {
  axeFindings,
  goTo as openPath,
  NARROW,
  openTab,
  openWindow,
  overflows,
  shownText,
  terminalText,
  WIDE,
  ZOOMED,
} from '#e2e/support/window.ts';

test.describe.configure({ mode: 'serial' });

let core: TestCore;
let page: Page;

const post = (path: string, body: unknown): Promise<unknown> => new RestClient(core).ok('POST', path, body);
const get = (path: string): Promise<unknown> => new RestClient(core).ok('GET', path);

/** A browser of its own, logged in. */
async function openBrowser(browser: Browser, viewport: { width: number; height: number } = WIDE): Promise<Page> {
  const opened = await openWindow(browser, core, '/', { viewport });
  opened.context().setDefaultTimeout(15_000);
  return opened;
}

const goTo = (path: string, on = page): Promise<void> => openPath(on, core, path);

const terminal = (on = page) => on.getByRole('textbox', { name: 'Terminal of shell' });
const pane = (on = page) => on.getByRole('region', { name: 'Terminal of shell' });
const button = (name: string, on = page) => on.getByRole('button', { name });
const state = () => page.locator('header').filter({ has: page.getByRole('heading', { name: 'shell' }) });
const mod = 'Control';

/** Takes the keyboard, and types a line once it is there. */
async function type(line: string): Promise<void> {
  await expect(pane().getByText('You have the keyboard.')).toBeVisible();
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
}

test.beforeAll(async ({ browser }) => {
  const dataDir = makeDataDir();
  const projectFolder = join(dataDir, 'harbor');
  mkdirSync(projectFolder);
  core = await startCore({ dataDir });
  await post('/agents', {
    projectFolder,
    id: 'shell',
    type: 'command',
    command: ['bash', '--norc', '--noprofile'],
    description: 'A shell to try things in',
    environment: { PS1: '$ ' },
  });
  await post('/agents', { projectFolder, id: 'never', type: 'worker', start: false });
  await post('/agents', { projectFolder, id: 'over', type: 'command', command: ['sh', '-c', 'echo its last words; exit 3'] });
  page = await openBrowser(browser);
});

test.afterAll(async () => {
  await page.context().close();
  await core.stop();
  removeDataDir(core.dataDir);
});

test('an agent is watched: keys go nowhere, neither to the agent nor to the page', async () => {
  await goTo('/agent/shell');
  await expect(page.getByText('Watching.')).toBeVisible();
  await expect.poll(() => terminalText(page)).toContain('$ ');
  await terminal().focus();
  // "n" would make an agent and "?" show the shortcuts, were this not a terminal.
  await page.keyboard.type('n?echo watched-$((6*7))');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/agent\/shell$/);
  await expect(page.getByRole('dialog')).toBeHidden();
  expect(await terminalText(page)).not.toContain('watched');
});

test('the keyboard is taken and released by key, and by mouse', async () => {
  await terminal().focus();
  await page.keyboard.press(`${mod}+Enter`);
  await type('echo by-key-$((6*7))');
  await expect.poll(() => terminalText(page)).toContain('by-key-42');
  // Every other key is the agent's while it is taken: the palette stays shut, readline goes to the end of the line.
  await page.keyboard.press(`${mod}+k`);
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.keyboard.press(`${mod}+Enter`);
  await expect(page.getByText('Watching.')).toBeVisible();

  await button('Take control').click();
  await type('echo by-mouse-$((6*7))');
  await expect.poll(() => terminalText(page)).toContain('by-mouse-42');
  await button('Release').click();
  await expect(page.getByText('Watching.')).toBeVisible();
});

test('another browser sees who has the keyboard and takes it over; both are told', async ({ browser }) => {
  await button('Take control').click();
  await expect(page.getByText('You have the keyboard.')).toBeVisible();
  const other = await openBrowser(browser, NARROW);
  await goTo('/agent/shell', other);
  await expect(other.getByText('Another browser window has the keyboard')).toBeVisible();
  await expect(page.getByText('1 watches')).toBeVisible();
  // By keys it takes two steps: Ctrl Enter only goes to the button.
  await terminal(other).focus();
  await other.keyboard.press(`${mod}+Enter`);
  await expect(button('Take it over', other)).toBeFocused();
  await expect(page.getByText('You have the keyboard.')).toBeVisible();
  await other.keyboard.press('Enter');
  await expect(other.getByText('You have the keyboard.')).toBeVisible();
  await other.keyboard.type('echo theirs-$((6*7))');
  await other.keyboard.press('Enter');
  await expect(page.getByText('Another browser window took the keyboard over.')).toBeVisible();
  await expect.poll(() => terminalText(page)).toContain('theirs-42');
  await terminal().focus();
  await page.keyboard.type('stray');
  await button('Take it back').click();
  await expect(page.getByText('You have the keyboard.')).toBeVisible();
  await expect(other.getByText('Another browser window took the keyboard over.')).toBeVisible();
  expect(await terminalText(page)).not.toContain('stray');
  await other.context().close();
  await expect(page.getByText('1 watches')).toBeHidden();
});

test('five thousand lines can be read from the first, and the way back says what is new', async () => {
  await goTo('/agent/shell');
  await button('Take control').click();
  await type('for i in $(seq 1 5000); do echo "line $i of five thousand"; done');
  await expect.poll(() => shownText(page), { timeout: 20_000 }).toContain('line 5000 of five thousand');
  await button('Release').click();
  await terminal().focus();
  await page.keyboard.press('Home');
  await expect.poll(() => terminalText(page)).toMatch(/line 1 of five thousand\n(.*\n)*line 2500 of five thousand/);
  await expect
    .poll(async () => {
      await page.keyboard.press('Home');
      return shownText(page);
    })
    .toContain('line 1 of five thousand');
  await expect(button('To the end')).toBeVisible();
  await post('/agents/shell/terminal', { text: 'echo one; echo two; echo three', enter: true });
  await expect(pane().getByRole('button', { name: /\d+ new lines/ })).toBeVisible();
  expect(await shownText(page)).toContain('line 1 of five thousand');
  await pane()
    .getByRole('button', { name: /new lines/ })
    .click();
  await expect.poll(() => shownText(page)).toContain('three');
});

test('the terminal is searched, with all its history', async () => {
  await terminal().focus();
  await page.keyboard.press(`${mod}+Shift+F`);
  const field = page.getByRole('searchbox', { name: 'Search the terminal' });
  await expect(field).toBeFocused();
  await field.fill('line 17 of');
  await expect(page.getByText('1 of 1', { exact: true })).toBeVisible();
  await expect.poll(() => shownText(page)).toContain('line 17 of five thousand');
  await field.fill(String.raw`LINE 49\d\d `);
  await expect(page.getByText('None found')).toBeVisible();
  await button('Regular expression').click();
  await expect(page.getByText('100 of 100', { exact: true })).toBeVisible();
  await field.press('Enter');
  await expect(page.getByText('99 of 100', { exact: true })).toBeVisible();
  await field.press('Shift+Enter');
  await expect(page.getByText('100 of 100', { exact: true })).toBeVisible();
  await button('Match case').click();
  await expect(page.getByText('None found')).toBeVisible();
  await field.fill('line (');
  await expect(page.getByText('This is no pattern yet.')).toBeVisible();
  await field.press('Escape');
  await expect(field).toBeHidden();
  await expect(terminal()).toBeFocused();
  await page.keyboard.press('End');
});

test('text is made larger by keys, for all windows, and the terminal follows its box', async () => {
  const size = pane().getByTitle('Columns by rows');
  const before = await size.innerText();
  await terminal().focus();
  await page.keyboard.press(`${mod}+=`);
  await page.keyboard.press(`${mod}+=`);
  await expect(size).not.toHaveText(before);
  await expect
    .poll(async () => z.object({ terminalFontSize: z.number() }).parse(await get('/settings')).terminalFontSize)
    .toBe(15);
  await page.keyboard.press(`${mod}+0`);
  await expect(size).toHaveText(before);

  await page.setViewportSize({ width: 1300, height: 800 });
  await expect(size).not.toHaveText(before);
  const [cols, rows] = (await size.innerText()).split(' × ');
  await page.keyboard.press(`${mod}+Enter`);
  await type('clear; stty size');
  await expect.poll(() => shownText(page)).toContain(`${rows} ${cols}`);
  await page.keyboard.press(`${mod}+Enter`);
  await page.setViewportSize(WIDE);
  await expect(size).toHaveText(before);
});

test('a terminal of another size is shown whole, and can be fitted', async ({ browser }) => {
  const other = await openBrowser(browser, NARROW);
  await goTo('/agent/shell', other);
  await expect(other.getByText('Watching.')).toBeVisible();
  await expect.poll(() => shownText(other)).toContain('$ ');
  // It has the size of the first window: larger than this one's box, and whole all the same.
  const boxes = await other.evaluate(() => {
    const screen = document.querySelector('.xterm-screen')?.getBoundingClientRect();
    const box = document.querySelector('.xterm')?.closest('[role="tabpanel"]')?.getBoundingClientRect();
    return { screen, box };
  });
  expect(boxes.screen?.right).toBeLessThanOrEqual(boxes.box?.right ?? 0);
  expect(boxes.screen?.bottom).toBeLessThanOrEqual(boxes.box?.bottom ?? 0);
  await button('Fit to my window', other).click();
  await expect(button('Fit to my window', other)).toBeHidden();
  await expect(button('Fit to my window')).toBeVisible();
  // Who is left alone gets a size that fits, without asking.
  await other.context().close();
  await expect(button('Fit to my window')).toBeHidden();
});

test('the other windows of the terminal are reached by their names and by keys', async () => {
  await goTo('/agent/shell');
  const tab = (name: string) => page.getByRole('tab', { name, exact: true });
  await tab('Monitor').click();
  await expect(tab('Monitor')).toHaveAttribute('aria-selected', 'true');
  await expect.poll(() => terminalText(page)).not.toContain('$ ');
  await expect.poll(async () => (await terminalText(page)).trim()).not.toBe('');
  await page.keyboard.press('Alt+1');
  await expect(tab('Terminal')).toHaveAttribute('aria-selected', 'true');
  await expect.poll(() => terminalText(page)).toContain('$ ');
});

test('what is selected is copied, and so is the command for a terminal of one’s own', async () => {
  await goTo('/agent/shell');
  await button('Take control').click();
  await type('clear; echo copy-me');
  await expect.poll(() => shownText(page)).toMatch(/^copy-me/m);
  await button('Release').click();
  const box = await page.locator('.xterm-screen').boundingBox();
  await page.mouse.dblclick((box?.x ?? 0) + 20, (box?.y ?? 0) + 8);
  await expect(pane().getByText('Copied')).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('copy-me');
  await button('Open in my own terminal: copies the command').click();
  await expect(page.getByText('Copied. Paste it into a terminal on this machine.')).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^tmux -S .* attach -t/);
});

test('an agent lives by keys: pause, resume, restart, stop, start', async () => {
  await goTo('/agent/shell');
  await expect(page.getByText('Watching.')).toBeVisible();
  const startsBefore = z.object({ starts: z.number() }).parse(await get('/agents/shell')).starts;
  await terminal().focus();
  await page.keyboard.press('Alt+p');
  await expect(state().getByText('Paused')).toBeVisible();
  await expect(button('Resume')).toBeVisible();
  await page.keyboard.press('Alt+p');
  await expect(state().getByText(/Working|Idle/)).toBeVisible();
  await page.keyboard.press('Alt+r');
  await expect(page.getByText(`started ${startsBefore + 1} times`)).toBeVisible({ timeout: 20_000 });
  await expect(state().getByText(/Working|Idle/)).toBeVisible({ timeout: 20_000 });
  await expect(page.getByText('Watching.')).toBeVisible();
  await page.keyboard.press('Alt+x');
  await expect(state().getByText('Stopped')).toBeVisible({ timeout: 20_000 });
  await expect(pane().getByText('Ended.')).toBeVisible();
  await expect(button('Start again')).toBeVisible();
  await page.keyboard.press('Alt+s');
  await expect(state().getByText(/Working|Idle/)).toBeVisible({ timeout: 20_000 });
  await expect(page.getByText('Watching.')).toBeVisible();
});

test('the panel says what happened, how it is set up, and how it is', async () => {
  await goTo('/agent/shell');
  const tab = (name: string) => page.getByRole('tab', { name: new RegExp(`^${name}`) });
  await tab('Activity').click();
  await expect(page).toHaveURL(/\/agent\/shell\/activity$/);
  const list = page.getByRole('list', { name: 'Activity of shell' });
  await expect(
    list
      .getByRole('listitem')
      .filter({ hasText: /started run \d/ })
      .first(),
  ).toBeVisible();
  // Only what is in sight is made: the first thing that happened is at the end.
  await list.evaluate((box) => box.scrollTo(0, box.scrollHeight));
  await expect(list.getByRole('listitem').filter({ hasText: 'you created the agent' })).toContainText('REST');
  await list.evaluate((box) => box.scrollTo(0, 0));
  await button('Take control').click();
  await expect(list.getByRole('listitem').first()).toContainText('you took the keyboard');
  await button('Release').click();
  await expect(list.getByRole('listitem').first()).toContainText('you gave the keyboard back');

  await openTab(page, 'Config');
  const config = page.getByRole('tabpanel', { name: 'Config' });
  await expect(config).toContainText('bash --norc --noprofile');
  await expect(config).toContainText('A shell to try things in');
  await expect(config).toContainText('2GB');

  await openTab(page, 'Health');
  await expect(page).toHaveURL(/\/agent\/shell\/health$/);
  const health = page.getByRole('tabpanel', { name: 'Health' });
  await expect(health).toContainText('Agents of this type serve no health endpoint');
  await expect(health).toContainText(/Process\s*\d+/);
  await tab('Overview').click();
  await expect(page.getByRole('tabpanel', { name: 'Overview' })).toContainText('A shell to try things in');

  await page.getByRole('link', { name: /^Boundary of shell: host, not contained/ }).click();
  await expect(page).toHaveURL(/\/agent\/shell\/boundary$/);
  await expect(page.getByRole('tabpanel', { name: 'Boundary' })).toContainText('Not contained');
});

test('a question is answered where it stands', async () => {
  await post('/agents', { id: 'asker', type: 'worker' });
  await post('/messages', {
    to: 'asker',
    kind: 'task',
    body: 'Ask before you go on',
    data: { op: 'question', text: 'Keep the old field, or drop it?', options: ['Keep it', 'Drop it'] },
  });
  await goTo('/agent/asker');
  const question = page.getByRole('region', { name: 'Waiting for you' });
  await expect(question).toContainText('Keep the old field, or drop it?', { timeout: 20_000 });
  await expect(page.getByText('Needs you', { exact: true })).toBeVisible();
  await expectSound();
  await question.getByRole('textbox', { name: 'Reply to asker' }).fill('Keep it for one release.');
  await page.keyboard.press(`${mod}+Enter`);
  await expect(question).toBeHidden();
  await page.getByRole('tab', { name: /^Messages/ }).click();
  await expect(page.getByRole('tabpanel', { name: /^Messages/ })).toContainText('Keep it for one release.');
});

test('an agent that ended, one that never began, and one that is not there say so', async () => {
  await goTo('/agent/over');
  await expect(page.getByText('The agent exited with code 3.')).toBeVisible();
  await expect.poll(() => terminalText(page)).toContain('its last words');
  await expect(button('Take control')).toBeHidden();
  await button('Start again').click();
  await expect(page.getByText('started 2 times')).toBeVisible();

  await goTo('/agent/never');
  await expect(page.getByRole('heading', { name: 'never was never started' })).toBeVisible();
  await expectSound();

  await goTo('/agent/nobody');
  await expect(page.getByRole('heading', { name: 'There is no agent “nobody”' })).toBeVisible();
  await page.getByRole('link', { name: 'Go to the agents' }).click();
  await expect(page).toHaveURL(/\/agents$/);
});

test('an agent is removed only by typing its name', async () => {
  await goTo('/agent/never');
  await button('More of never').click();
  await page.getByRole('menuitem', { name: 'Remove', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove never?' });
  await expect(dialog.getByRole('button', { name: 'Remove never' })).toBeDisabled();
  await dialog.getByRole('textbox').fill('never');
  await dialog.getByRole('textbox').press('Enter');
  await expect(page.getByText('never was removed')).toBeVisible();
  await expect(page).toHaveURL(/\/agents$/);
});

test('a terminal has a window of its own', async () => {
  await goTo('/agent/shell');
  const popup = page.waitForEvent('popup');
  await button('More of the terminal').click();
  await page.getByRole('menuitem', { name: 'Open in a window of its own' }).click();
  const own = await popup;
  await expect(own.getByText('Watching.')).toBeVisible();
  await expect(own.getByRole('navigation')).toHaveCount(0);
  await own.keyboard.press(`${mod}+Enter`);
  await expect(own.getByText('You have the keyboard.')).toBeVisible();
  await expect(page.getByText('Another browser window has the keyboard')).toBeVisible();
  await own.close();
  await expect(page.getByText('Watching.')).toBeVisible();
});

test('the core is killed under the page and started again: the terminal is back whole, and says who has the keyboard', async () => {
  await goTo('/agent/shell');
  await button('Take control').click();
  await type('clear; for i in $(seq 1 300); do echo "kept $i"; done');
  await expect.poll(() => shownText(page)).toContain('kept 300');
  const { url, agentMcpUrl } = core.run;
  await core.kill();
  await expect(pane().getByText('Cut off.')).toBeVisible();
  await expect(button('Release')).toBeHidden();
  await expectSound();
  core = await startCore({
    dataDir: core.dataDir,
    args: ['--port', new URL(url).port, '--agent-mcp-port', new URL(agentMcpUrl).port],
  });
  // The keyboard was here when it broke, and nobody took it meanwhile.
  await expect(pane().getByText('You have the keyboard.')).toBeVisible({ timeout: 20_000 });
  await expect.poll(() => terminalText(page)).toMatch(/kept 1\n(.*\n)*kept 300/);
  await terminal().focus();
  await type('echo after-$((6*7))');
  await expect.poll(() => terminalText(page)).toContain('after-42');
  await button('Release').click();
});

test('every tab is sound in both themes, at both sizes and at 200 %', async () => {
  test.setTimeout(240_000);
  for (const tab of ['', '/messages', '/activity', '/config', '/health']) {
    await goTo(`/agent/shell${tab}`);
    await expect(page.getByText('Watching.')).toBeVisible();
    await expectSound(tab);
  }
  await button('Take control').click();
  await expect(page.getByText('You have the keyboard.')).toBeVisible();
  await page.keyboard.press(`${mod}+Shift+F`);
  await expect(page.getByRole('searchbox', { name: 'Search the terminal' })).toBeVisible();
  await expectSound('control and search');
});

/** Both themes at every size: nothing that axe finds, nothing that sticks out. */
async function expectSound(what = ''): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const size of [WIDE, NARROW, ZOOMED]) {
      await page.setViewportSize(size);
      const where = `${what} ${colorScheme} ${size.width}`;
      if (size !== ZOOMED) expect.soft(await axeFindings(page), `axe ${where}`).toEqual([]);
      expect.soft(await overflows(page), `overflow ${where}`).toEqual([]);
    }
  }
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await page.setViewportSize(WIDE);
}
