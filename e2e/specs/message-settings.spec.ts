/** What is kept of messages, in the settings over a real core: a preview before anything is switched on, runs, sessions, files. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { SpokenAgent } from '#e2e/support/spoken-agent.ts';
import { openWindow } from '#e2e/support/window.ts';

test.describe('what is kept of messages', () => {
  test.describe.configure({ mode: 'serial' });
  let core: TestCore;
  let folder = '';
  let page: Page;
  let rest: RestClient;
  let ada: SpokenAgent;

  test.beforeAll(async ({ browser }) => {
    folder = mkdtempSync(join(tmpdir(), 'qd-e2e-kept-'));
    core = await startCore({ dataDir: makeDataDir() });
    rest = new RestClient(core);
    ada = await SpokenAgent.spawn(core, folder, 'ada');
    for (let n = 1; n <= 12; n += 1) await ada.send('operator', `Step ${n} is done.`);
    const { messages } = z
      .object({ messages: z.array(z.object({ id: z.string() })) })
      .parse(await rest.ok('GET', '/inbox?unreadOnly=true&limit=50'));
    // Two of them are not acknowledged: they stay.
    await rest.ok('POST', '/inbox:read', { messageIds: messages.slice(2).map(({ id }) => id) });
    page = await openWindow(browser, core, '/settings/messages');
  });

  test.afterAll(async () => {
    ada.close();
    await page.context().close();
    await core.stop();
    removeDataDir(core.dataDir);
    rmSync(folder, { recursive: true, force: true });
  });

  test('is everything, until a limit is switched on whose consequence was shown', async () => {
    await expect(page.getByText('Everything is kept')).toBeVisible();
    await page.getByRole('checkbox', { name: 'All but the newest … messages' }).click();
    const count = page.getByRole('textbox', { name: 'All but the newest, in messages' });
    await count.fill('many');
    await expect(page.getByText('Write how many messages.')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Keep messages like this' })).toBeDisabled();
    await count.fill('2');
    const preview = page.getByRole('region', { name: 'What would go' });
    await expect(preview).toContainText('stay all the same: 2 not acknowledged by everybody');
    await page.getByRole('checkbox', { name: /^Once a day by itself/ }).click();
    await expect(preview).toContainText(/Would go\s*\d+ messages/);
    await page.getByRole('button', { name: 'Keep messages like this' }).click();
    await expect(page.getByText('Never applied yet')).toBeVisible();
    expect(await rest.ok('GET', `/retention?projectId=${await projectId(rest)}`)).toMatchObject({
      policy: { maxMessages: 2, maxAgeMs: null, isAutomatic: false },
    });
  });

  test('is exported before it is removed, and the run is told', async () => {
    await page.getByRole('button', { name: 'Remove now…' }).click();
    const dialog = page.getByRole('dialog', { name: /^Remove \d+ messages of / });
    const downloading = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Export all first' }).click();
    const lines = readFileSync(await (await downloading).path(), 'utf8')
      .trim()
      .split('\n');
    expect(lines.filter((line) => line.includes('is done.'))).toHaveLength(12);
    await dialog.getByRole('button', { name: 'Remove them' }).click();
    await expect(dialog).toBeHidden();
    await expect(page.getByText(/^Last applied .*, \d+ messages removed/)).toBeVisible();
    await expect(page.getByRole('region', { name: 'What would go' })).toContainText('Nothing would go.');
    await page.getByRole('button', { name: 'Keep everything' }).click();
    await expect(page.getByRole('checkbox', { name: 'All but the newest … messages' })).not.toBeChecked();
  });

  test('comes back from files as an earlier session that is read and not written to', async () => {
    const from = join(folder, '1730000000000');
    mkdirSync(from);
    writeFileSync(join(from, 'session.json'), JSON.stringify({ sessionId: '1730000000000', startTime: 1_730_000_000_000 }));
    const line = { id: '0b6f3c60-7a52-4f0f-9d8e-2f1d8a4f0001', from: 'developer', to: 'agent-1', content: 'From another crew.' };
    writeFileSync(join(from, 'messages.jsonl'), `${JSON.stringify({ ...line, timestamp: 1_730_000_000_500, read: true })}\n`);
    await page.getByRole('textbox', { name: 'Import from' }).fill(join(folder, 'nothing-here'));
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await expect(page.getByText('Nothing was imported.')).toBeVisible();
    await page.getByRole('textbox', { name: 'Import from' }).fill(from);
    await page.getByRole('button', { name: 'Import', exact: true }).click();
    await expect(page.getByText('1 message added.')).toBeVisible();
    const row = page.getByRole('list', { name: 'Sessions' }).getByRole('listitem').filter({ hasText: 'imported from' });
    await row.getByRole('button', { name: /^Export the session of/ }).click();
    const downloading = page.waitForEvent('download');
    await page.getByRole('menuitem', { name: /^CSV/ }).click();
    expect(readFileSync(await (await downloading).path(), 'utf8')).toContain('From another crew.');
    await row.getByRole('button', { name: /^Read the session of/ }).click();
    await expect(page.getByRole('feed', { name: 'Messages' })).toContainText('From another crew.');
    await expect(page.getByText('An earlier session, read-only:')).toBeVisible();
    await page.goBack();
    await expect(page.getByRole('heading', { level: 1, name: 'Messages' })).toBeVisible();
    await expect(page.getByRole('list', { name: 'Sessions' })).toBeVisible();
  });
});

async function projectId(rest: RestClient): Promise<string> {
  const { projects } = z.object({ projects: z.array(z.object({ id: z.string() })) }).parse(await rest.ok('GET', '/projects'));
  return projects[0]?.id ?? '';
}
