/** The form of a new agent and the choice of a folder, over a real core: what is typed is not lost, and long lists stay light. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { goTo, openWindow } from '#e2e/support/window.ts';

test.describe.configure({ mode: 'serial' });

/** Folders beside each other: many more than are seen at one time. */
const FOLDERS = 400;

let core: TestCore;
let page: Page;
let folder: string;

const field = (name: string): Locator => page.getByRole('textbox', { name, exact: true });
const button = (name: string | RegExp): Locator => page.getByRole('button', { name, exact: true });

test.beforeAll(async ({ browser }) => {
  // Without a container engine, wherever this runs.
  core = await startCore({ dataDir: makeDataDir(), env: { DOCKER_HOST: 'unix:///nowhere/docker.sock' } });
  folder = join(core.dataDir, 'many');
  for (let index = 0; index < FOLDERS; index += 1)
    mkdirSync(join(folder, `f${String(index).padStart(3, '0')}`), { recursive: true });
  await new RestClient(core).ok('POST', '/projects', { folder });
  page = await openWindow(browser, core, '/new');
});

test.afterAll(async () => {
  await page.context().close();
  await core.stop();
  removeDataDir(core.dataDir);
});

test('what was typed stays under any template', async () => {
  await field('Name').fill('mine');
  await field('Description').fill('Typed by hand');
  await button('Change Shell first').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('New agent, from Shell');
  await expect(field('Command')).not.toHaveValue('');
  await expect(field('Description')).toHaveValue('Typed by hand');
  await button('Change Worker first').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('New agent, from Worker');
  await expect(field('Name')).toHaveValue('mine');
  await expect(field('Description')).toHaveValue('Typed by hand');
});

test('it is there again after leaving and after a reload, until it is discarded', async () => {
  await button('Leave').click();
  await expect(page).toHaveURL(/\/agents$/);
  await page.goBack();
  await expect(field('Description')).toHaveValue('Typed by hand');
  await page.reload();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('New agent, from Worker');
  await expect(field('Name')).toHaveValue('mine');
  await button('Discard').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('New agent');
  await expect(field('Name')).toHaveValue('');
  await expect(button('Discard')).toBeHidden();
  await page.reload();
  await expect(button('Change Shell first')).toBeVisible();
  await expect(field('Description')).toHaveValue('');
});

test('it is gone once the agent is made', async () => {
  await field('Name').fill('made');
  await page.getByRole('checkbox', { name: 'Start it at once' }).click();
  await button('Create').click();
  await expect(page).toHaveURL(/\/agent\/made$/);
  await goTo(page, core, '/new');
  await expect(button('Change Shell first')).toBeVisible();
  await expect(field('Name')).toHaveValue('');
});

test('what is not on this machine cannot be chosen, and says why and what mends it', async () => {
  const runtimes = page.getByRole('radiogroup', { name: 'Runtime' });
  const docker = runtimes.getByRole('radio', { name: 'Docker container' });
  await expect(docker).toBeDisabled();
  await expect(docker).toContainText('not available here');
  await expect(docker).toContainText('No container engine answers');
  await expect(runtimes.getByRole('button', { name: 'Copy' }).first()).toBeVisible();
  // Arrow keys go past it: from the first that can be chosen to the last.
  await runtimes.getByRole('radio', { name: 'tmux', exact: true }).click();
  await page.keyboard.press('ArrowDown');
  await expect(runtimes.getByRole('radio', { name: 'Plain terminal', exact: true })).toBeChecked();
  await page.keyboard.press('ArrowDown');
  await expect(docker).not.toBeChecked();
  await expect(runtimes.getByRole('radio', { checked: true })).not.toHaveAccessibleName('Plain terminal');
  await button('Discard').click();
});

test('of many folders only those in sight are made, and all are reached by keys', async () => {
  await button('Open a folder').click();
  const dialog = page.getByRole('dialog', { name: 'Open a folder' });
  await dialog.getByRole('textbox', { name: 'Folder' }).fill(folder);
  await dialog.getByRole('button', { name: 'Go there' }).click();
  const list = dialog.getByRole('list', { name: `Folders in ${folder}` });
  await expect(list.getByRole('button', { name: 'f000' })).toBeVisible();
  await expect(list.getByRole('listitem').first()).toHaveAttribute('aria-setsize', String(FOLDERS + 1));
  expect(await list.getByRole('listitem').count()).toBeLessThan(40);
  await list.getByRole('button', { name: 'The folder above' }).focus();
  for (let index = 0; index < 30; index += 1) {
    await page.keyboard.press('ArrowDown');
    await expect(list.getByRole('button', { name: `f${String(index).padStart(3, '0')}` })).toBeFocused();
  }
  await expect(list.getByRole('button', { name: 'f029' })).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('textbox', { name: 'Folder' })).toHaveValue(join(folder, 'f029'));
});

test('what is typed before the first listing is there stays', async ({ browser }) => {
  const own = await openWindow(browser, core);
  const held: (() => void)[] = [];
  let isHeld = false;
  await own.routeWebSocket(/\/rpc$/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      if (isHeld) held.push(() => socket.send(message));
      else socket.send(message);
    });
  });
  await own.goto(new URL('/new', core.run.url).href);
  const opener = own.getByRole('button', { name: 'Open a folder' });
  await expect(opener).toBeVisible();
  isHeld = true;
  await opener.click();
  const field = own.getByRole('dialog', { name: 'Open a folder' }).getByRole('textbox', { name: 'Folder' });
  await field.fill(folder);
  isHeld = false;
  for (const send of held.splice(0)) send();
  await expect(own.getByRole('list', { name: /^Folders in / })).toBeVisible();
  await expect(field).toHaveValue(folder);
  await own.context().close();
});
