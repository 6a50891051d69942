/** Middleware in the settings, over a real core: steps added, edited, moved, tried, saved; what they refused; modules accepted. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { SpokenAgent } from '#e2e/support/spoken-agent.ts';
import { openWindow } from '#e2e/support/window.ts';

const steps = (page: Page): Locator => page.getByRole('list', { name: 'Steps' }).locator('[data-step]');
const step = (page: Page, id: string): Locator =>
  steps(page).filter({ has: page.getByRole('checkbox', { name: `${id} is on` }) });

async function addStep(page: Page, kind: string): Promise<void> {
  await page.getByRole('button', { name: 'Add a step' }).click();
  await page.getByRole('menuitem', { name: new RegExp(`^${kind} `) }).click();
}

/** The names of the steps, from the first on. */
async function expectOrder(page: Page, ids: readonly string[]): Promise<void> {
  await expect(steps(page).getByRole('checkbox')).toHaveCount(ids.length);
  for (const [at, id] of ids.entries())
    await expect(steps(page).nth(at).getByRole('checkbox')).toHaveAccessibleName(`${id} is on`);
}

test.describe('middleware in the settings', () => {
  test.describe.configure({ mode: 'serial' });
  let core: TestCore;
  let folder = '';
  let page: Page;
  let rest: RestClient;
  let ada: SpokenAgent;
  let projectId = '';

  test.beforeAll(async ({ browser }) => {
    folder = mkdtempSync(join(tmpdir(), 'qd-e2e-steps-'));
    core = await startCore({ dataDir: makeDataDir() });
    rest = new RestClient(core);
    ada = await SpokenAgent.spawn(core, folder, 'ada');
    const answer = z.object({ projects: z.array(z.object({ id: z.string() })) });
    projectId = answer.parse(await rest.ok('GET', '/projects')).projects[0]?.id ?? '';
    page = await openWindow(browser, core, '/settings/middleware');
  });

  test.afterAll(async () => {
    ada.close();
    await page.context().close();
    await core.stop();
    removeDataDir(core.dataDir);
    rmSync(folder, { recursive: true, force: true });
  });

  const stored = async (): Promise<unknown> => rest.ok('GET', `/projects/${projectId}/middleware`);

  test('steps are added, put right with the help of their schema, moved by keys and by mouse, and hold once they are saved', async () => {
    await expect(page.getByText('There are no steps.')).toBeVisible();
    await addStep(page, 'Authorise');
    await addStep(page, 'Limit');
    await addStep(page, 'Redact');
    await expectOrder(page, ['authorise', 'limit', 'redact']);
    await step(page, 'limit').getByRole('button', { expanded: false }).click();
    const data = step(page, 'limit').getByRole('textbox', { name: 'Data' });
    await expect(step(page, 'limit')).toContainText('perMinute neededn');
    await data.fill('{"perMinute": 0, "burst": 20}');
    await expect(step(page, 'limit').getByRole('alert')).toContainText('perMinute');
    await expect(page.getByRole('button', { name: 'Save the steps' })).toBeDisabled();
    await data.fill('{"perMinute": 90, "burst": 20}');
    await expect(step(page, 'limit')).toContainText('90 a minute and 20 at once for each sender');
    await step(page, 'limit').getByRole('button', { expanded: true }).click();

    await step(page, 'redact').getByRole('button', { name: 'Move redact up' }).press('Enter');
    await expectOrder(page, ['authorise', 'redact', 'limit']);
    await expect(page.getByRole('button', { name: 'Move redact up' })).toBeFocused();
    await page.keyboard.press('Alt+ArrowUp');
    await expectOrder(page, ['redact', 'authorise', 'limit']);
    await step(page, 'limit').locator('[draggable=true]').dragTo(step(page, 'redact'));
    await expectOrder(page, ['limit', 'redact', 'authorise']);
    await step(page, 'limit').getByRole('checkbox').click();

    await page.getByRole('button', { name: 'Save the steps' }).click();
    await expect(page.getByRole('button', { name: 'Save the steps' })).toHaveCount(0);
    expect(await stored()).toMatchObject({
      revision: 1,
      chain: { steps: [{ id: 'limit', enabled: false, perMinute: 90 }, { id: 'redact' }, { id: 'authorise', default: 'allow' }] },
    });
  });

  test('a message is tried on what stands there, saved or not', async () => {
    await step(page, 'authorise').getByRole('button', { expanded: false }).click();
    await step(page, 'authorise')
      .getByRole('textbox', { name: 'Data' })
      .fill('{"default": "allow", "rules": [{"from": ["ada"], "to": ["operator"], "effect": "deny"}]}');
    const form = page.getByRole('form', { name: 'Try the steps' });
    await form.getByRole('textbox', { name: 'A message to try' }).fill('It is ghp_16C7e42F292c6912E7710c838347Ae178B4a');
    await form.getByRole('button', { name: 'Try it' }).click();
    const result = form.getByRole('region', { name: 'What the steps would do' });
    await expect(result).toContainText('It is [redacted:token]');
    await expect(result.getByRole('listitem').first()).toContainText(/limit\s*is off/);
    await form.getByRole('button', { name: 'From: you' }).click();
    await page.getByRole('option', { name: 'ada' }).click();
    await form.getByRole('button', { name: 'Try it' }).click();
    await expect(result).toContainText('Refused. The sender is told:');
    expect(await stored()).toMatchObject({ revision: 1 });
  });

  test('what was refused is shown with its step and reason, and the steps say how often', async () => {
    await page.getByRole('button', { name: 'Save the steps' }).click();
    await expect(page.getByRole('button', { name: 'Save the steps' })).toHaveCount(0);
    await expect(ada.send('operator', 'Not to you.')).rejects.toThrow('authorise');
    await expect(page.getByRole('list', { name: 'Refused lately' })).toContainText(/ada\s*refused by authorise/);
    await expect(step(page, 'authorise')).toContainText('1 refused', { timeout: 30_000 });
  });

  test('what somebody else set meanwhile is not written over', async () => {
    await step(page, 'limit').getByRole('checkbox').click();
    await rest.ok('PUT', `/projects/${projectId}/middleware`, { chain: { steps: [{ id: 'theirs', kind: 'audit' }] } });
    await expect(page.getByText('Somebody has set other steps meanwhile.')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Save the steps' })).toBeDisabled();
    await page.getByRole('button', { name: 'Show theirs' }).click();
    await expectOrder(page, ['theirs']);
  });

  test('a module is read before it is accepted, and runs then', async () => {
    mkdirSync(join(core.dataDir, 'middleware'), { recursive: true });
    const text = "export default (message) => ({ ...message, body: message.body + ' (seen)' });\n";
    writeFileSync(join(core.dataDir, 'middleware', 'house-style.mjs'), text);
    await page.reload();
    const modules = page.getByRole('list', { name: 'Modules' });
    await expect(modules).toContainText('new: it runs when you have read and accepted it');
    await modules.getByRole('button', { name: 'Read house-style' }).click();
    await expect(page.getByLabel('Text of the module')).toContainText("body: message.body + ' (seen)'");
    await page.getByRole('button', { name: 'Accept this text' }).click();
    await expect(modules.getByText('accepted', { exact: true })).toBeVisible();
    await addStep(page, 'Module');
    const form = page.getByRole('form', { name: 'Try the steps' });
    await form.getByRole('textbox', { name: 'A message to try' }).fill('Done');
    await form.getByRole('button', { name: 'Try it' }).click();
    await expect(form.getByRole('region', { name: 'What the steps would do' })).toContainText('Done (seen)');
  });
});
