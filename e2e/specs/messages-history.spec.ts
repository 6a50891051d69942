/** The Messages screen over a long history: opened at its end, scrolled, jumped in. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import * as z from 'zod';
import { fillHistory } from '#e2e/bench/history.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { feed, firstSeen, row } from '#e2e/support/message-rows.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { openWindow } from '#e2e/support/window.ts';
import { Message } from '#shared/messages/model.ts';

/** Stored messages that are scrolled through. */
const STORED = 20_000;
/** So many screens of them one after the other. */
const SCREENS = 60;

test.describe.configure({ mode: 'serial' });
let core: TestCore;
let page: Page;
let folder: string;

test.beforeAll(async ({ browser }) => {
  test.setTimeout(120_000);
  folder = mkdtempSync(join(tmpdir(), 'qd-e2e-folder-'));
  const first = await startCore({ dataDir: makeDataDir() });
  for (const id of ['ada', 'ben', 'cleo']) {
    await new RestClient(first).ok('POST', '/agents', { id, type: 'worker', start: false, projectFolder: folder });
  }
  await first.stop();
  fillHistory(first.dataDir, STORED);
  core = await startCore({ dataDir: first.dataDir });
  page = await openWindow(browser, core, '/messages');
});

test.afterAll(async () => {
  await page.context().close();
  await core.stop();
  removeDataDir(core.dataDir);
  rmSync(folder, { recursive: true, force: true });
});

test('what comes before does not move what is read', async () => {
  await expect(page.getByRole('button', { name: /^All/ })).toContainText('20,000');
  await expect(feed(page).getByRole('article').last()).toBeVisible();
  const box = feed(page);
  const heightBefore = await box.evaluate((each) => each.scrollHeight);
  await box.evaluate((each) => {
    each.scrollTop -= each.scrollHeight / 2;
  });
  const read = await firstSeen(page);
  await expect.poll(() => box.evaluate((each) => each.scrollHeight)).toBeGreaterThan(heightBefore + 1_000);
  const after = await firstSeen(page);
  expect(after.id).toBe(read.id);
  expect(Math.abs(after.top - read.top)).toBeLessThanOrEqual(2);
});

// How soon a row is there is measured by `npm run bench` (P13).
test('scrolled a screen at a time it has rows everywhere, and holds a part only', async () => {
  test.slow();
  const seen = await feed(page).evaluate(async (box, screens) => {
    const middle = (): string | undefined => {
      const own = box.getBoundingClientRect();
      const at = document.elementFromPoint(own.left + 100, own.top + own.height / 2);
      return at?.closest<HTMLElement>('article')?.dataset['message'];
    };
    const frame = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(resolve));
    const found = new Set<string>();
    for (let n = 0; n < screens; n += 1) {
      box.scrollTop -= box.clientHeight;
      await frame();
      await frame();
      let id = middle();
      // Until there is one: a row that never comes ends the test by its time.
      for (; id === undefined; id = middle()) await frame();
      found.add(id);
    }
    return found.size;
  }, SCREENS);
  // A row may be in the middle twice, when what came before it was loaded meanwhile.
  expect(seen).toBeGreaterThan(SCREENS / 2);
  expect(await feed(page).getByRole('article').count()).toBeLessThan(80);
});

test('Home goes to the very first, End to the newest', async () => {
  const rest = new RestClient(core);
  const Page1 = z.object({ messages: z.array(Message) });
  const [oldest] = Page1.parse(await rest.ok('GET', '/messages?around=0&limit=2')).messages.slice(-1);
  const [newest] = Page1.parse(await rest.ok('GET', '/messages?limit=1')).messages;
  await page.keyboard.press('Home');
  await expect(page.locator(`[data-message="${oldest?.id ?? ''}"]`)).toBeInViewport();
  await expect(page.getByRole('button', { name: 'Newest' })).toBeVisible();
  await rest.ok('POST', '/messages', { to: 'ada', body: 'Said while the first ones are read.' });
  await expect(page.getByRole('button', { name: '1 new' })).toBeVisible();
  await expect(page.locator(`[data-message="${oldest?.id ?? ''}"]`)).toBeInViewport();
  await page.keyboard.press('End');
  await expect(row(page, 'Said while the first ones are read.')).toBeInViewport();
  await expect(page.locator(`[data-message="${newest?.id ?? ''}"]`)).toBeInViewport();
});

test('a day is gone to', async () => {
  await page.keyboard.press('d');
  await page.getByRole('dialog').getByRole('button', { name: 'Go to this day' }).click();
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(feed(page)).toContainText('Today');
  await expect(page.getByRole('button', { name: 'Newest' })).toBeVisible();
});
