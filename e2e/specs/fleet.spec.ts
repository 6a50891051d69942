/** The home of the window over a real core: the fleet as cards, as a table, as a wall; who needs the operator; many at once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { axeFindings, openWindow, overflows, SIZES, ZOOMED } from '#e2e/support/window.ts';

test.describe.configure({ mode: 'serial', timeout: 150_000 });

const LONG = 'May I archive the old entries? '.repeat(12).trim();
const ASKING_AGENT = new URL('../support/asking-agent.ts', import.meta.url).pathname;
const PRINTERS = ['ada', 'ben', 'cleo'] as const;

let core: TestCore;
let page: Page;
let folder: string;

const post = (path: string, body: unknown): Promise<unknown> => new RestClient(core).ok('POST', path, body);

const card = (id: string): Locator => page.locator(`[data-agent="${id}"]`);
const nameOf = (id: string): Locator => card(id).getByRole('link', { name: id, exact: true });
const chip = (name: RegExp): Locator => page.getByRole('group', { name: 'Filter by state' }).getByRole('button', { name });
const view = (name: string): Locator => page.getByRole('radio', { name, exact: true });
const filterField = (): Locator => page.getByRole('searchbox', { name: 'Filter agents' });

/** The agents in the order in which they are shown; of the cards and panes by their place, not by the document. */
function shownOrder(): Promise<string[]> {
  return page.locator('[data-agent]').evaluateAll((elements) =>
    elements
      .map((element) => ({ id: element.getAttribute('data-agent') ?? '', box: element.getBoundingClientRect() }))
      .toSorted((a, b) => a.box.top - b.box.top || a.box.left - b.box.left)
      .map(({ id }) => id),
  );
}

/** Both themes at both sizes, and zoomed: nothing that sticks out, and nothing that axe finds (`once`: looked for in one of them). */
async function expectSound(what: string, axe: 'everywhere' | 'once' = 'everywhere'): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const size of [...SIZES, ZOOMED]) {
      await page.setViewportSize(size);
      expect.soft(await overflows(page), `overflow, ${what}, ${colorScheme}, ${size.width}`).toEqual([]);
      const isLooked = axe === 'everywhere' ? size !== ZOOMED : size === SIZES[1] && colorScheme === 'light';
      if (isLooked) expect.soft(await axeFindings(page), `axe, ${what}, ${colorScheme}, ${size.width}`).toEqual([]);
    }
  }
  await page.setViewportSize(SIZES[0]);
}

test.beforeAll(async ({ browser }) => {
  core = await startCore({ dataDir: makeDataDir() });
  folder = mkdtempSync(join(tmpdir(), 'qd-fleet-'));
  await post('/projects', { folder });
  for (const id of PRINTERS) {
    const script = `while true; do printf '\\033[31mred\\033[0m and \\033[1mbold\\033[0m of ${id}\\n'; sleep 0.3; done`;
    await post('/agents', { id, type: 'command', command: ['sh', '-c', script], description: `prints for ${id}` });
  }
  await post('/agents', { id: 'wanda', type: 'worker', capabilities: ['review'], description: 'reviews what comes in' });
  await post('/agents', { id: 'broken', type: 'command', command: ['sh', '-c', 'echo about to fail; exit 3'] });
  const questions = [
    { body: 'Keep `couponCode`, or drop it?', options: ['Keep', 'Drop'] },
    { body: 'Which name is right?' },
    { body: LONG, options: ['Yes', 'No'] },
  ];
  await post('/agents', { id: 'quinn', type: 'command', command: [process.execPath, ASKING_AGENT, JSON.stringify(questions)] });
  // With motion, unlike other specs: what moves must not upset the order either.
  page = await openWindow(browser, core, '/', { reducedMotion: 'no-preference' });
});

test.afterAll(async () => {
  try {
    await page.context().close();
  } finally {
    await core.stop();
  }
  removeDataDir(core.dataDir);
  rmSync(folder, { recursive: true, force: true });
});

test('cards show real terminals in whole rows, and who needs the operator first', async () => {
  for (const id of PRINTERS) {
    const terminal = card(id).getByRole('img', { name: `Terminal of ${id}, last lines` });
    await expect(terminal).toContainText(`red and bold of ${id}`, { timeout: 20_000 });
    await expect(terminal.locator('span', { hasText: 'red' }).first()).toHaveCSS('color', 'rgb(244, 117, 108)');
    const { height } = (await terminal.boundingBox()) ?? { height: 1 };
    expect(height % 14, 'whole rows').toBe(0);
  }
  await expect(card('broken')).toContainText('exit code 3', { timeout: 20_000 });
  await expect(card('wanda')).toContainText('host, not contained');
  await expect(card('wanda')).toContainText('Idle');
  await expect(card('ada')).toContainText(/mem\s*\d/, { timeout: 20_000 });
  await expect(card('quinn')).toContainText('Needs you', { timeout: 20_000 });
  await expect.poll(shownOrder).toEqual(['quinn', 'broken', 'ada', 'ben', 'cleo', 'wanda']);
  await expectSound('grid');
});

test('a question is answered on the card, and the agent hears it', async () => {
  const strip = card('quinn').getByRole('region', { name: 'Question of quinn' });
  await expect(strip.locator('code')).toHaveText('couponCode');
  await strip.getByRole('button', { name: 'Keep' }).click();
  await expect(card('quinn')).toContainText('was told: Keep');

  await expect(strip).toContainText('Which name is right?');
  await strip.getByRole('button', { name: 'Reply' }).click();
  const field = strip.getByRole('textbox', { name: 'Reply to quinn' });
  await expect(field).toBeFocused();
  await field.fill('The second one.');
  await page.keyboard.press('Escape');
  await expect(strip.getByRole('button', { name: 'Reply' })).toBeFocused();
  await strip.getByRole('button', { name: 'Reply' }).click();
  await expect(field, 'what was begun is kept').toHaveValue('The second one.');
  await expect(field).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(card('quinn')).toContainText('was told: The second one.');

  // What does not fit whole is not answered by a button here.
  await expect(strip).toContainText('May I archive');
  await expect(strip.getByRole('button', { name: 'Read and answer' })).toBeVisible();
  await expect(strip.getByRole('button', { name: 'Yes' })).toHaveCount(0);
});

test('the fleet is filtered by state and by words, and the address says so', async () => {
  await expect(chip(/^All/)).toHaveAttribute('aria-pressed', 'true');
  await expect(chip(/^Working/)).toContainText('3');
  await chip(/^Working/).click();
  await expect(page).toHaveURL(/q=state%3Aworking/);
  await expect.poll(shownOrder).toEqual(['ada', 'ben', 'cleo']);
  await chip(/^Working/).click();
  await filterField().fill('type:worker cap:rev');
  await expect.poll(shownOrder).toEqual(['wanda']);
  await page.reload();
  await expect.poll(shownOrder).toEqual(['wanda']);

  await page.getByRole('button', { name: 'Saved filters' }).click();
  await page.getByRole('textbox', { name: 'Save this filter as' }).fill('Reviewers');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: /^Reviewers/ })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);

  await filterField().fill('nobody-of-this-name');
  await expect(page.getByRole('heading', { name: 'No agent matches the filter' })).toBeVisible();
  await expectSound('nothing matches', 'once');
  await page.getByRole('button', { name: 'Clear the filter' }).last().click();
  await expect.poll(async () => (await shownOrder()).length).toBe(6);

  await page.getByRole('button', { name: 'Saved filters' }).click();
  await page.getByRole('button', { name: /^Reviewers/ }).click();
  await expect.poll(shownOrder).toEqual(['wanda']);
  await page.getByRole('button', { name: 'Remove Reviewers' }).click();
  await expect(page.getByRole('button', { name: /^Reviewers/ })).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await filterField().fill('');
  await expect.poll(async () => (await shownOrder()).length).toBe(6);
});

test('the order keeps still under the pointer, and is put right when it leaves', async () => {
  await page.mouse.move(5, 5);
  const before = await shownOrder();
  expect(before.slice(2, 5)).toEqual(['ada', 'ben', 'cleo']);
  await card('ben').hover();
  await post('/agents/ada/stop', {});
  await expect(card('ada')).toContainText('Stopped', { timeout: 20_000 });
  await expect(page.getByRole('button', { name: 'Order changed' })).toBeVisible();
  expect(await shownOrder()).toEqual(before);
  await page.mouse.move(5, 5);
  await expect.poll(shownOrder).toEqual(['quinn', 'broken', 'ben', 'cleo', 'wanda', 'ada']);
  await expect(page.getByRole('button', { name: 'Order changed' })).toHaveCount(0);
  await post('/agents/ada/start', {});
  await expect.poll(shownOrder, { timeout: 20_000 }).toEqual(before);
});

test('several agents are stopped at once, and started again from what says so', async () => {
  for (const id of ['ada', 'ben']) {
    await card(id).hover();
    await card(id)
      .getByRole('checkbox', { name: `Select ${id}` })
      .click();
  }
  // With Shift, everything up to it.
  await card('cleo')
    .getByRole('checkbox', { name: 'Select cleo' })
    .click({ modifiers: ['Shift'] });
  const bar = page.getByRole('region', { name: 'Selected agents' });
  await expect(bar).toContainText('3 selected');
  await expectSound('selection', 'once');
  await bar.getByRole('button', { name: 'Stop' }).click();
  await expect(page.getByText('3 agents were stopped')).toBeVisible({ timeout: 30_000 });
  for (const id of PRINTERS) await expect(card(id)).toContainText('Stopped');
  await page.getByRole('button', { name: 'Start again' }).click();
  for (const id of PRINTERS) await expect(card(id)).toContainText('Working', { timeout: 20_000 });
  await bar.getByRole('button', { name: 'Clear the selection' }).click();
  await expect(bar).toHaveCount(0);
});

test('a failed agent is started again from its card', async () => {
  await expect(card('broken')).toContainText('Failed');
  const age = await card('broken').getByRole('button', { name: 'Restart' }).count();
  expect(age).toBe(1);
  await card('broken').click({ button: 'right', position: { x: 60, y: 90 } });
  await expect(page.getByRole('menuitem', { name: /^Start\b/ })).toBeVisible();
  await page.keyboard.press('Escape');
  const starts = async (): Promise<number> => {
    const broken = await new RestClient(core).ok('GET', '/agents/broken');
    return z.object({ starts: z.number() }).parse(broken).starts;
  };
  const before = await starts();
  await card('broken').getByRole('button', { name: 'Restart' }).click();
  await expect.poll(starts).toBe(before + 1);
  await expect(card('broken')).toContainText('Failed', { timeout: 20_000 });
});

test('the table sorts by its columns, and remembers which are shown', async () => {
  await page.mouse.move(5, 5);
  await view('Table').click();
  const table = page.getByRole('table', { name: 'Agents' });
  await expect(table.getByRole('row')).toHaveCount(7);
  await expect.poll(shownOrder).toEqual(['quinn', 'broken', 'ada', 'ben', 'cleo', 'wanda']);
  await table.getByRole('button', { name: 'Name' }).click();
  await expect(table.getByRole('columnheader', { name: 'Name' })).toHaveAttribute('aria-sort', 'ascending');
  await expect.poll(shownOrder).toEqual(['ada', 'ben', 'broken', 'cleo', 'quinn', 'wanda']);
  await table.getByRole('button', { name: 'Name' }).click();
  await expect.poll(shownOrder).toEqual(['wanda', 'quinn', 'cleo', 'broken', 'ben', 'ada']);
  await expect(page).toHaveURL(/sort=-name/);
  await expectSound('table');
  await table.getByRole('button', { name: 'Columns' }).click();
  await page.getByRole('menuitemcheckbox', { name: 'Starts' }).click();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('menu')).toHaveCount(0);
  await expect(table.getByRole('columnheader', { name: 'Starts' })).toBeVisible();
  await page.reload();
  await expect(table.getByRole('columnheader', { name: 'Starts' })).toBeVisible();
});

test('the wall shows live terminals side by side', async () => {
  await view('Wall').click();
  const wall = page.getByRole('list', { name: 'Terminals, needs you first' });
  await expect(wall.getByRole('listitem')).toHaveCount(6);
  await expect(card('ada').getByRole('img')).toContainText('red and bold of ada');
  // One readable size for all, whatever stands in them.
  const sizes = await wall.getByRole('img').evaluateAll((all) => all.map((one) => getComputedStyle(one).fontSize));
  expect(new Set(sizes).size).toBe(1);
  expect(Number.parseFloat(sizes[0] ?? '0')).toBeGreaterThanOrEqual(10.5);
  await expectSound('wall');
  await page.mouse.move(5, 5);
  await card('ada').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Select' }).click();
  await expect(wall.getByRole('listitem')).toHaveCount(1);
  // A menu that is on its way out still takes the key.
  await expect(page.getByRole('menu')).toHaveCount(0);
  await page.keyboard.press('Escape');
  await expect(wall.getByRole('listitem')).toHaveCount(6);
  await view('Grid').click();
  await expect(page.getByRole('list', { name: 'Agents, needs you first' })).toBeVisible();
});

test('everything is done by keyboard: move, select, act, filter, open', async () => {
  await page.goto(core.run.url);
  // Questions come after the agents: from here on the order is the one to be walked.
  await expect.poll(shownOrder).toEqual(['quinn', 'broken', 'ada', 'ben', 'cleo', 'wanda']);
  await page.keyboard.press('ArrowDown');
  await expect(nameOf('quinn')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(nameOf('broken')).toBeFocused();
  await page.keyboard.press('End');
  await expect(nameOf('wanda')).toBeFocused();
  await page.keyboard.press('Home');
  await expect(nameOf('quinn')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(nameOf('broken')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(nameOf('ada')).toBeFocused();
  await page.keyboard.press('Space');
  await page.keyboard.press('Shift+ArrowRight');
  const bar = page.getByRole('region', { name: 'Selected agents' });
  await expect(bar).toContainText('2 selected');
  await page.keyboard.press('Alt+p');
  await expect(card('ada')).toContainText('Paused');
  await expect(card('ben')).toContainText('Paused');
  await page.keyboard.press('Alt+p');
  await expect(card('ada')).toContainText('Working');
  await expect(card('ben')).toContainText('Working');
  await page.keyboard.press('Escape');
  await expect(bar).toHaveCount(0);

  // Tab goes on into the card, and Escape back to it.
  await expect(nameOf('ben')).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(card('ben').getByRole('button', { name: 'Actions for ben' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'Pause' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(card('ben').getByRole('button', { name: 'Actions for ben' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(nameOf('ben')).toBeFocused();

  await page.keyboard.press('/');
  await expect(filterField()).toBeFocused();
  await page.keyboard.type('name:ben');
  await expect.poll(shownOrder).toEqual(['ben']);
  await page.keyboard.press('Escape');
  await expect.poll(async () => (await shownOrder()).length).toBe(6);
  await page.keyboard.press('Escape');
  await expect(filterField()).not.toBeFocused();
  await page.keyboard.press('v');
  await page.keyboard.press('t');
  await expect(page.getByRole('table', { name: 'Agents' })).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await expect(nameOf('ben')).toBeFocused();
  // In a row there is no room for an answer: the key leads to where it is given.
  await page.keyboard.press('Home');
  await expect(nameOf('quinn')).toBeFocused();
  await page.keyboard.press('r');
  await expect(page).toHaveURL(/\/message\//);
  await page.goBack();
  await expect(page.getByRole('table', { name: 'Agents' })).toBeVisible();
  await page.keyboard.press('v');
  await page.keyboard.press('g');
  await expect(page.getByRole('list', { name: 'Agents, needs you first' })).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('End');
  await expect(nameOf('wanda')).toBeFocused();
  await page.keyboard.press('m');
  await expect(page).toHaveURL(/\/messages$/);
  await expect(page.getByRole('button', { name: /^To: wanda/ })).toBeVisible();
  await page.goBack();
  await expect(nameOf('quinn')).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await expect(nameOf('quinn')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/agent\//);
});
