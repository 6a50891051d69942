/** The sample crew from the empty window to the end by keyboard alone: no mouse event is made here. */
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { isJournalIntact, journalLines, sampleReport } from '#e2e/support/crew-truth.ts';
import { KeyboardHand } from '#e2e/support/keyboard-hand.ts';
import { openWindow, terminalText } from '#e2e/support/window.ts';

test.describe.configure({ mode: 'serial' });

const CREW = ['scout', 'analyst-1', 'analyst-2'] as const;
const TITLE = 'What the harbour shop is made of';
/** Workers take some seconds to be there, on a machine that does other things. */
const STARTED = { timeout: 30_000 };

let core: TestCore;
let page: Page;
let hand: KeyboardHand;

const card = (id: string): Locator => page.getByRole('listitem', { name: new RegExp(`^${id}, `) });
const said = (text: string | RegExp): Locator =>
  page.getByRole('feed', { name: 'Messages' }).getByRole('article').filter({ hasText: text });
const button = (name: string | RegExp): Locator => page.getByRole('button', { name });

test.beforeAll(async ({ browser }) => {
  core = await startCore({ dataDir: makeDataDir() });
  page = await openWindow(browser, core);
  hand = new KeyboardHand(page);
  // Whatever moves the pointer or presses it is counted by the page itself.
  await page.evaluate(() => {
    for (const type of ['pointerdown', 'mousedown', 'mousemove', 'wheel', 'touchstart'])
      window.addEventListener(type, () => Reflect.set(window, 'pointerWasUsed', true), { capture: true });
  });
});

test.afterAll(async () => {
  await page.context().close();
  await core.stop();
  removeDataDir(core.dataDir);
});

test('the sample crew is started with Tab and Enter', async () => {
  await expect(page.getByRole('heading', { name: 'Set up this machine' })).toBeVisible();
  await hand.tabTo(button('Start the sample crew'));
  await hand.press('Enter');
  await expect(page).toHaveURL(/\/agent\/scout\/messages$/, STARTED);
  await expect(said('Survey this folder')).toBeVisible(STARTED);
});

test('it is watched: the shortcuts of the screens lead to cards, terminals and messages', async () => {
  await hand.goTo('g', 'm', /\/messages$/);
  await expect(said('Analyse the first share').first()).toBeVisible(STARTED);
  await hand.goTo('g', 'a', /\/agents$/);
  await expect(card('scout')).toHaveAccessibleName('scout, Needs you', STARTED);
  await expect(card('scout').getByRole('img', { name: 'Terminal of scout, last lines' })).toContainText('asks you', STARTED);
  await hand.press('?');
  await expect(page.getByRole('dialog', { name: 'Shortcuts' })).toContainText('Show the agents as cards');
  await hand.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
});

test('its terminal is taken, the work interrupted by hand, let go on, and the keyboard given back', async () => {
  await hand.press('ArrowDown', 'Home');
  await expect(card('scout').getByRole('link', { name: 'scout', exact: true })).toBeFocused();
  await hand.press('Enter');
  await expect(page.getByText('Watching.')).toBeVisible();
  await hand.press('Control+Enter');
  await expect(page.getByText('You have the keyboard.')).toBeVisible();
  await hand.press('Control+c');
  await expect.poll(() => terminalText(page)).toContain('interrupted by hand');
  await hand.press('Enter');
  await expect.poll(() => terminalText(page)).toContain('goes on');
  await hand.press('Control+Enter');
  await expect(page.getByText('Watching.')).toBeVisible();
});

test('its question is answered by message, and the crew finishes', async () => {
  // The terminal still has the focus, where plain keys go nowhere: the palette works from anywhere.
  await hand.run('Go to what needs you');
  await expect(page).toHaveURL(/\/message\/msg_/);
  await expect(page.getByRole('article').and(page.locator('[aria-current="true"]'))).toBeVisible();
  await hand.press('r');
  await expect(page.getByRole('textbox', { name: 'Message' })).toBeFocused();
  await hand.type(TITLE);
  await hand.press('Control+Enter');
  await expect(said(TITLE).first()).toBeVisible();
  await expect(said(/scout.*you.*reply/s).filter({ hasText: 'Done in' })).toBeVisible(STARTED);
  await hand.run('scout');
  await expect.poll(() => terminalText(page), STARTED).toContain('wrote report.md');
  expect(sampleReport(core)).toContain(`# ${TITLE}`);
});

test('all are stopped from the palette, and started again from what says so', async () => {
  await hand.run('Go to the agents');
  await hand.run('Stop all agents');
  await expect(page.getByText('3 agents were stopped.')).toBeVisible(STARTED);
  await hand.press('Alt+t');
  await hand.tabTo(button('Start them again'));
  await hand.press('Enter');
  for (const id of CREW) await expect(card(id)).toHaveAccessibleName(`${id}, Idle`, STARTED);
});

test('no mouse was there, and the journal has who did what', async () => {
  expect(await page.evaluate(() => 'pointerWasUsed' in window)).toBe(false);
  const lines = await journalLines(core);
  for (const id of CREW) expect(lines.filter((line) => line === `operator web ${id} is starting`)).toHaveLength(2);
  for (const kind of ['terminal.control-taken', 'terminal.typed', 'terminal.control-released'])
    expect(lines).toContain(`operator web ${kind} scout`);
  expect(lines).toContain(`operator web reply to scout: ${TITLE}`);
  expect(await isJournalIntact(core)).toBe(true);
});
