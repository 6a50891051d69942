/** Searching messages and their files, in a browser over a real core: found, marked, opened in the timeline; sent, refused, downloaded. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Locator, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { SpokenAgent } from '#e2e/support/spoken-agent.ts';
import { expectSound } from '#e2e/support/window.ts';
import { SearchPage } from '#shared/search/model.ts';

const SIZES = [
  { width: 1440, height: 900 },
  { width: 1024, height: 700 },
];

const feed = (page: Page): Locator => page.getByRole('feed', { name: 'Messages' });
const field = (page: Page): Locator => page.getByRole('searchbox', { name: 'Search messages' });
const found = (page: Page): Locator => page.getByRole('list', { name: 'Messages found' }).getByRole('listitem');

async function openWindow(browser: Browser, core: TestCore): Promise<Page> {
  const context = await browser.newContext({ viewport: SIZES[0] ?? null, colorScheme: 'dark', reducedMotion: 'reduce' });
  const page = await context.newPage();
  const { url } = z.object({ url: z.string() }).parse(await new RestClient(core).ok('POST', '/auth/login-links', {}));
  await page.goto(url);
  await expect(page.getByRole('navigation').first()).toBeVisible();
  await page.goto(new URL('/messages', core.run.url).href);
  return page;
}

test.describe('searching messages', () => {
  test.describe.configure({ mode: 'serial' });
  let core: TestCore;
  let folder = '';
  let page: Page;
  let ada: SpokenAgent;
  let ben: SpokenAgent;

  test.beforeAll(async ({ browser }) => {
    folder = mkdtempSync(join(tmpdir(), 'qd-e2e-folder-'));
    core = await startCore({ dataDir: makeDataDir() });
    ada = await SpokenAgent.spawn(core, folder, 'ada');
    ben = await SpokenAgent.spawn(core, folder, 'ben');
    for (let n = 0; n < 60; n += 1) await ada.send('ben', `Step ${n} of the migration: moved refund_outbox rows of shard ${n}.`);
    await ben.send('ada', 'The deploy failed: exit code 3 in src/payments/RefundWriter.ts', { subject: 'Deploy of shard 7' });
    await ada.send('operator', 'Retried the deploy, it went through.');
    page = await openWindow(browser, core);
  });

  test.afterAll(async () => {
    for (const agent of [ada, ben]) agent.close();
    await page.context().close();
    await core.stop();
    removeDataDir(core.dataDir);
    rmSync(folder, { recursive: true, force: true });
  });

  test('a slash leads to the field, and what is found is marked and newest first', async () => {
    await expect(feed(page).getByRole('article').last()).toBeVisible();
    await page.keyboard.press('/');
    await expect(field(page)).toBeFocused();
    await page.keyboard.type('deploy');
    await expect(found(page)).toHaveCount(2);
    await expect(found(page).first()).toContainText('Retried the deploy');
    await expect(found(page).first().locator('mark')).toHaveText('deploy');
    await expect(page.getByText('2 messages, newest first.')).toBeVisible();
    await expectSound(page, 'results');
    await field(page).fill('writer "exit code" from:ben');
    await expect(found(page)).toHaveCount(1);
    await expect(found(page).locator('mark')).toHaveText(['exit code', 'RefundWriter']);
  });

  test('what was found is opened in its place in the timeline, and back leads to the results', async () => {
    await field(page).fill('"shard 11"');
    await expect(found(page)).toHaveCount(1);
    await page.keyboard.press('Enter');
    await expect(found(page).getByRole('link')).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(feed(page).locator('article[aria-current="true"]')).toContainText('rows of shard 11.');
    await expect(field(page)).toHaveValue('');
    await page.goBack();
    await expect(found(page)).toHaveCount(1);
    await expect(field(page)).toHaveValue('"shard 11"');
  });

  test('more is shown page by page, and arrow keys go from row to row', async () => {
    await field(page).fill('migration');
    await expect(found(page)).toHaveCount(50);
    await page.getByRole('button', { name: 'Show older ones' }).click();
    await expect(found(page)).toHaveCount(60);
    await expect(page.getByRole('button', { name: 'Show older ones' })).toHaveCount(0);
    await field(page).press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect(found(page).nth(1).getByRole('link')).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(field(page)).toBeFocused();
  });

  test('what is chosen beside the field narrows the search down, and goes with the address', async () => {
    await field(page).fill('deploy');
    await expect(found(page)).toHaveCount(2);
    const choose = async (label: string, choice: string): Promise<void> => {
      await page
        .locator('main header')
        .getByLabel(new RegExp(`^${label}`))
        .click();
      await page.getByRole('option', { name: choice, exact: true }).click();
    };
    await choose('Agent', 'ben');
    await expect(found(page)).toHaveCount(1);
    await expect(found(page)).toContainText('Deploy of shard 7');
    await expect(page.getByText('Only what the filters above let pass is searched.')).toBeVisible();
    await choose('Priority', 'critical');
    await expect(page.getByRole('heading', { name: 'Nothing was found' })).toBeVisible();
    await expectSound(page, 'a narrow search');
    expect(new URL(page.url()).searchParams.get('priority')).toBe('critical');
    await page.getByRole('button', { name: 'Search everything' }).click();
    await expect(found(page)).toHaveCount(2);
    await page
      .getByRole('group', { name: 'Which messages' })
      .getByRole('button', { name: /^For you/ })
      .click();
    await expect(found(page)).toHaveCount(1);
    await expect(found(page)).toContainText('Retried the deploy');
    await page.getByRole('button', { name: 'Search everything' }).click();
    await expect(found(page)).toHaveCount(2);
  });

  test('what is wrong with a query is said, and so is that there is nothing', async () => {
    await field(page).fill('"open');
    await expect(page.getByRole('heading', { name: 'The query is not understood' })).toBeVisible();
    await expect(page.getByText('A quotation mark is not closed')).toBeVisible();
    await expectSound(page, 'a wrong query');
    await field(page).fill('nowhere');
    await expect(page.getByRole('heading', { name: 'Nothing was found' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(field(page)).toHaveValue('');
    await expect(feed(page)).toBeVisible();
  });

  test('agents search their own mail only', async () => {
    const as = async (agent: SpokenAgent, query: string): Promise<number> =>
      SearchPage.parse(await agent.call('search_messages', { query })).results.length;
    expect(await as(ada, 'retried')).toBe(1);
    expect(await as(ben, 'retried')).toBe(0);
    expect(await as(ben, 'exit')).toBe(1);
  });

  test('files go with a message, are downloaded, and are told to have changed', async () => {
    writeFileSync(join(folder, 'report.html'), '<script>alert(1)</script>');
    const upload = await fetch(`${core.run.apiUrl}/v1/attachments?name=${encodeURIComponent('Größe "x".bin')}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${core.token}`, 'content-type': 'application/octet-stream' },
      body: Buffer.alloc(3_000_000, 7),
    });
    const stored = z.object({ attachmentId: z.string(), bytes: z.number() }).parse(await upload.json());
    expect(stored.bytes).toBe(3_000_000);
    const messageId = await ada.send('operator', 'The files of the run.', { attachments: [{ path: 'report.html' }] });
    await new RestClient(core).ok('POST', '/messages', {
      to: 'ben',
      body: 'A large file.',
      attachments: [{ attachmentId: stored.attachmentId }],
    });
    const answer = await fetch(`${core.run.apiUrl}/v1/messages/${messageId}/attachments/0/file`, {
      headers: { authorization: `Bearer ${core.token}` },
    });
    expect(await answer.text()).toBe('<script>alert(1)</script>');
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(answer.headers.get('content-disposition')).toContain('attachment; filename="report.html"');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');

    await page.goto(new URL('/messages', core.run.url).href);
    const large = feed(page).getByRole('article').filter({ hasText: 'A large file.' });
    const downloading = page.waitForEvent('download');
    await large.getByRole('button', { name: 'Download Größe "x".bin, 3.0 MB' }).click();
    const download = await downloading;
    expect(readFileSync(await download.path())).toHaveLength(3_000_000);

    writeFileSync(join(folder, 'report.html'), 'rewritten');
    const changed = page.waitForEvent('download');
    await feed(page).getByRole('button', { name: 'Download report.html, 25 B' }).click();
    expect(readFileSync(await (await changed).path(), 'utf8')).toBe('rewritten');
    await expect(page.getByText('report.html is not what was sent.').first()).toBeVisible();
    await expectSound(page, 'files');
    rmSync(join(folder, 'report.html'));
    await feed(page).getByRole('button', { name: 'Download report.html, 25 B' }).click();
    await expect(feed(page).getByRole('alert')).toContainText('there is no such file in the workspace');
    // Nobody else gets at it.
    await expect(ben.call('get_attachment', { messageId, index: 0 })).rejects.toThrow('for you');
  });
});
