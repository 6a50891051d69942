/** Files in the composer, in a browser over a real core: chosen, dropped, pasted, refused, left out, kept, sent and downloaded. */
import { ftruncateSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { SpokenAgent } from '#e2e/support/spoken-agent.ts';
import { expectSound, openWindow } from '#e2e/support/window.ts';
import { MAX_ATTACHMENT_BYTES } from '#shared/messages/attachment.ts';

const chosen = (page: Page): Locator => page.getByRole('list', { name: 'Files to send' }).getByRole('listitem');
const text = (page: Page): Locator => page.getByRole('textbox', { name: 'Message' });
const send = (page: Page): Locator => page.getByRole('button', { name: /^Send/ });
const said = (page: Page, what: string): Locator =>
  page.getByRole('feed', { name: 'Messages' }).getByRole('article').filter({ hasText: what });

test.describe('files in the composer', () => {
  test.describe.configure({ mode: 'serial' });
  let core: TestCore;
  let folder = '';
  let page: Page;
  let ada: SpokenAgent;

  test.beforeAll(async ({ browser }) => {
    folder = mkdtempSync(join(tmpdir(), 'qd-e2e-files-'));
    core = await startCore({ dataDir: makeDataDir() });
    ada = await SpokenAgent.spawn(core, folder, 'ada');
    page = await openWindow(browser, core, '/messages?to=ada');
    await expect(text(page)).toBeVisible();
  });

  test.afterAll(async () => {
    ada.close();
    await page.context().close();
    await core.stop();
    removeDataDir(core.dataDir);
    rmSync(folder, { recursive: true, force: true });
  });

  test('are stored as they are chosen, shown with how far they are, and sent with the message', async () => {
    test.slow();
    const report = join(folder, 'report.csv');
    writeFileSync(report, 'a,b\n1,2\n');
    const gate = Promise.withResolvers<undefined>();
    await page.route('**/api/v1/attachments?*', async (route) => {
      await gate.promise;
      await route.continue();
    });
    await text(page).fill('Look at these.');
    await page.getByLabel('Files to attach').setInputFiles([report]);
    await expect(page.getByRole('progressbar', { name: 'Sending report.csv' })).toBeVisible();
    await expect(send(page)).toBeDisabled();
    gate.resolve(undefined);
    await expect(page.getByRole('progressbar', { name: 'Sending report.csv' })).toHaveCount(0);
    await expect(chosen(page)).toHaveText(/report\.csv/);
    await page.unroute('**/api/v1/attachments?*');

    // Dropped on the composer, and pasted into the field.
    const transfer = await page.evaluateHandle(() => {
      const data = new DataTransfer();
      data.items.add(new File(['dropped'], 'dropped notes.txt', { type: 'text/plain' }));
      return data;
    });
    const composer = page.getByRole('form', { name: 'Write a message' });
    await composer.dispatchEvent('dragover', { dataTransfer: transfer });
    await expect(page.getByText('Drop the files to attach them')).toBeVisible();
    await composer.dispatchEvent('drop', { dataTransfer: transfer });
    await expect(page.getByText('Drop the files to attach them')).toBeHidden();
    await expect(chosen(page)).toHaveCount(2);
    await text(page).evaluate((field) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array([137, 80, 78, 71])], 'picture.png', { type: 'image/png' }));
      field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    });
    await expect(chosen(page)).toHaveCount(3);
    await expect(chosen(page).filter({ hasText: 'picture.png' }).getByRole('button')).toBeVisible();
    await expectSound(page, 'chosen files');

    // What is attached is kept with the draft.
    await page.reload();
    await expect(chosen(page)).toHaveCount(3);
    await expect(text(page)).toHaveValue('Look at these.');
    await page.getByRole('button', { name: 'Do not send dropped notes.txt' }).click();
    await expect(chosen(page)).toHaveCount(2);
    await send(page).click();
    await expect(chosen(page)).toHaveCount(0);
    const downloading = page.waitForEvent('download');
    await said(page, 'Look at these.').getByRole('button', { name: 'Download report.csv, 8 B' }).click();
    expect(readFileSync(await (await downloading).path(), 'utf8')).toBe('a,b\n1,2\n');
    await expect(said(page, 'Look at these.').getByRole('button', { name: /^Download picture\.png/ })).toBeVisible();
  });

  test('that are too large are refused before anything is sent, and do not keep the message back', async () => {
    const large = join(folder, 'disk.img');
    const handle = openSync(large, 'w');
    ftruncateSync(handle, MAX_ATTACHMENT_BYTES + 1);
    closeSync(handle);
    await text(page).fill('Without it.');
    await page.getByLabel('Files to attach').setInputFiles([large]);
    await expect(chosen(page).getByRole('alert')).toContainText('disk.img is not sent. It is larger than 67 MB');
    await page.getByRole('button', { name: 'Leave out disk.img' }).click();
    await expect(chosen(page)).toHaveCount(0);
    await send(page).click();
    await expect(said(page, 'Without it.')).toBeVisible();
  });

  test('that the core does not store are named with its reason', async () => {
    await page.route('**/api/v1/attachments?*', (route) =>
      route.fulfill({
        status: 503,
        contentType: 'application/json',
        body: '{"message":"The disk is full. Nothing was stored."}',
      }),
    );
    await page.getByLabel('Files to attach').setInputFiles([join(folder, 'report.csv')]);
    await expect(chosen(page).getByRole('alert')).toContainText('The disk is full.');
    await page.unroute('**/api/v1/attachments?*');
    await page.getByRole('button', { name: 'Leave out report.csv' }).click();
  });
});
