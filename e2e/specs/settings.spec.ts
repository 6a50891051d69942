/** The settings over a real core: that they list every shortcut there is, and the tokens of programs. */
import type { Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { axeFindings, goTo, openWindow, overflows } from '#e2e/support/window.ts';
import { AccessToken } from '#shared/auth/model.ts';

const Tokens = z.object({ tokens: z.array(AccessToken) });

let core: TestCore;

test.beforeAll(async () => {
  core = await startCore({ dataDir: makeDataDir() });
  const rest = new RestClient(core);
  await rest.ok('POST', '/projects', { folder: core.dataDir });
  await rest.ok('POST', '/agents', { id: 'shell', type: 'command', command: ['sh'] });
});

test.afterAll(async () => {
  await core.stop();
  removeDataDir(core.dataDir);
});

/** What is listed on the page: the place, and its keys as people read them. */
function listed(page: Page): Promise<(readonly [string, string])[]> {
  return page
    .locator('[data-shortcuts]')
    .evaluateAll((groups) =>
      groups.flatMap((group) =>
        [...group.querySelectorAll('kbd')].map((keys) => [group.getAttribute('data-shortcuts') ?? '', keys.innerText] as const),
      ),
    );
}

test('every shortcut of every screen is listed in the settings, whatever screen one came from', async ({ browser }) => {
  const page = await openWindow(browser, core, '/settings/shortcuts');
  await expect(page.getByRole('heading', { name: 'Shortcuts' })).toBeVisible();
  const all = await listed(page);
  expect(all.length).toBeGreaterThan(40);
  // The windows of a terminal have their numbers, of which the first stands for all.
  const isListed = ([place, keys]: readonly [string, string]): boolean =>
    all.some(
      ([title, known]) => known === keys.replace(/^Alt [2-9]$/, 'Alt 1') && (place === title || place.startsWith(`${title} `)),
    );
  const screens: readonly (readonly [string, string])[] = [
    ['/agents', 'Agents'],
    ['/agent/shell', 'Terminal of shell'],
    ['/agent/shell/messages', 'Messages of the agent'],
    ['/messages', 'Messages'],
    ['/new', 'New agent'],
    ['/setup', 'Set up'],
  ];
  for (const [path, place] of screens) {
    await goTo(page, core, path);
    await expect(page.getByRole('banner')).toBeVisible();
    const sheet = page.getByRole('dialog', { name: 'Shortcuts' });
    await expect(async () => {
      if (await sheet.isHidden()) await page.keyboard.press('?');
      await expect(sheet.getByRole('heading', { name: place, exact: true })).toBeVisible({ timeout: 1_000 });
    }).toPass();
    const here = (await listed(page)).filter((one) => !isListed(one));
    expect(here, `not in the settings, of ${path}`).toEqual([]);
  }
  await page.context().close();
});

test('a token is made, given another role, and taken back', async ({ browser }) => {
  const page = await openWindow(browser, core, '/settings/connections');
  const named = page.getByRole('listitem').filter({ hasText: 'wall screen' });
  await page.getByLabel('What it is for').fill('wall screen');
  await page.getByRole('button', { name: 'Make a token' }).click();
  await expect(named).toContainText('automation');
  await named.getByRole('combobox', { name: 'What wall screen may' }).click();
  await page.getByRole('option', { name: 'observer' }).click();
  await expect(named).toContainText('observer');
  const { tokens } = Tokens.parse(await new RestClient(core).ok('GET', '/auth/tokens'));
  expect(tokens.find(({ name }) => name === 'wall screen')?.role).toBe('observer');
  // The operator's own browser stays what it is.
  const own = page.getByRole('listitem').filter({ hasText: 'browser' }).first();
  await expect(own).toContainText('operator');
  await expect(own.getByRole('combobox')).toHaveCount(0);
  expect(await overflows(page)).toEqual([]);
  expect(await axeFindings(page)).toEqual([]);
  await page.getByRole('button', { name: 'Revoke wall screen' }).click();
  await expect(named).toHaveCount(0);
  await page.context().close();
});
