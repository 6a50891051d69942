/** The sample crew from the empty window to the end, by mouse: started, watched, interrupted by hand, answered by message, stopped, started again. */
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { isJournalIntact, journalLines, sampleReport } from '#e2e/support/crew-truth.ts';
import { openWindow, terminalText } from '#e2e/support/window.ts';

test.describe.configure({ mode: 'serial' });

const CREW = ['scout', 'analyst-1', 'analyst-2'] as const;
const TITLE = 'State of the code';
/** Workers take some seconds to be there, on a machine that does other things. */
const STARTED = { timeout: 30_000 };

let core: TestCore;
let page: Page;

const card = (id: string): Locator => page.getByRole('listitem', { name: new RegExp(`^${id}, `) });
const place = (name: string): Locator => page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name });
const said = (text: string | RegExp): Locator =>
  page.getByRole('feed', { name: 'Messages' }).getByRole('article').filter({ hasText: text });
const button = (name: string | RegExp): Locator => page.getByRole('button', { name });

test.beforeAll(async ({ browser }) => {
  core = await startCore({ dataDir: makeDataDir() });
  page = await openWindow(browser, core);
});

test.afterAll(async () => {
  await page.context().close();
  await core.stop();
  removeDataDir(core.dataDir);
});

test('the empty window offers the sample crew, and starts it', async () => {
  await expect(page.getByRole('heading', { name: 'Set up this machine' })).toBeVisible();
  await page.getByRole('complementary', { name: 'Start' }).getByRole('button', { name: 'Start the sample crew' }).click();
  await expect(page).toHaveURL(/\/agent\/scout\/messages$/, STARTED);
  await expect.poll(() => terminalText(page), STARTED).toContain('worker scout');
  await expect(said('Survey this folder')).toBeVisible(STARTED);
});

test('it is watched: a card for each, live terminals, and what they say to one another', async () => {
  await place('Agents').click();
  for (const id of CREW) await expect(card(id)).toBeVisible(STARTED);
  await expect(card('scout')).toHaveAccessibleName('scout, Needs you', STARTED);
  await expect(card('scout').getByRole('img', { name: 'Terminal of scout, last lines' })).toContainText('asks you', STARTED);
  await expect(card('scout')).toContainText('What shall the report be called?');
  await expect(card('analyst-1').getByRole('img', { name: /^Terminal of analyst-1/ })).not.toBeEmpty();
  await place('Messages').click();
  await expect(said('Analyse the first share').first()).toBeVisible();
  await expect(said('What shall the report be called?')).toBeVisible();
});

test('its terminal is taken, the work interrupted by hand, let go on, and the keyboard given back', async () => {
  await place('Agents').click();
  await card('scout').getByRole('link', { name: 'scout', exact: true }).click();
  await expect(page.getByText('Watching.')).toBeVisible();
  await button('Take control').click();
  await expect(page.getByText('You have the keyboard.')).toBeVisible();
  await page.keyboard.press('Control+c');
  await expect.poll(() => terminalText(page)).toContain('interrupted by hand');
  await expect(page.getByRole('complementary', { name: 'About scout' })).toContainText('interrupted by hand in its terminal');
  await page.keyboard.press('Enter');
  await expect.poll(() => terminalText(page)).toContain('goes on');
  await button('Release').click();
  await expect(page.getByText('Watching.')).toBeVisible();
  expect(sampleReport(core)).toBeUndefined();
});

test('its question is answered by message, and the crew finishes', async () => {
  await place('Messages').click();
  const question = said('What shall the report be called?').last();
  await question.getByRole('button', { name: TITLE }).click();
  await expect(said(/you.*scout.*reply/s).filter({ hasText: TITLE })).toBeVisible();
  await expect(said(/scout.*you.*reply/s).filter({ hasText: 'Done in' })).toBeVisible(STARTED);
  await place('Agents').click();
  await card('scout').getByRole('link', { name: 'scout', exact: true }).click();
  await expect.poll(() => terminalText(page), STARTED).toContain('wrote report.md');
  await expect(page.getByRole('region', { name: 'Waiting for you' })).toBeHidden();
  expect(sampleReport(core)).toContain(`# ${TITLE}`);
});

test('all are stopped at once, and started again by the same message', async () => {
  await place('Agents').click();
  await button('Stop all').click();
  await expect(page.getByText('3 agents were stopped.')).toBeVisible(STARTED);
  for (const id of CREW) await expect(card(id)).toHaveAccessibleName(`${id}, Stopped`, STARTED);
  await button('Start them again').click();
  for (const id of CREW) await expect(card(id)).toHaveAccessibleName(`${id}, Idle`, STARTED);
});

test('the journal has who did what', async () => {
  const lines = await journalLines(core);
  for (const id of CREW) {
    expect(lines).toContain(`operator web agent.created ${id}`);
    expect(lines).toContain(`operator web ${id} is stopping`);
    expect(lines.filter((line) => line === `operator web ${id} is starting`)).toHaveLength(2);
  }
  for (const kind of ['terminal.control-taken', 'terminal.typed', 'terminal.control-released'])
    expect(lines).toContain(`operator web ${kind} scout`);
  expect(lines).toContain(`operator web reply to scout: ${TITLE}`);
  expect(lines).toContainEqual(expect.stringMatching(/^scout agent-mcp reply to operator: .*Done in/s));
  expect(await isJournalIntact(core)).toBe(true);
});
