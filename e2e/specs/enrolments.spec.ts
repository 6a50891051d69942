/** Agents from outside in the window: a code made and used, who asks and is let in, and how such an agent looks. */
import { expect, test } from '@playwright/test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { goTo, openWindow } from '#e2e/support/window.ts';
import { Registration } from '#shared/enrolments/model.ts';

let core: TestCore;

test.beforeAll(async () => {
  core = await startCore({ dataDir: makeDataDir() });
  await new RestClient(core).ok('POST', '/projects', { folder: core.dataDir });
});

test.afterAll(async () => {
  await core.stop();
  removeDataDir(core.dataDir);
});

/** One call of register_agent by a program without a token. */
async function register(args: Record<string, unknown>): Promise<Registration> {
  const client = new Client({ name: 'outsider', version: '1' });
  await client.connect(new StreamableHTTPClientTransport(new URL(core.run.agentMcpUrl)));
  try {
    const { structuredContent } = await client.callTool({ name: 'register_agent', arguments: args });
    return Registration.parse(structuredContent);
  } finally {
    await client.close();
  }
}

test('a code is shown once, lets one agent in, and that one is shown as neither contained nor controlled', async ({
  browser,
}) => {
  const page = await openWindow(browser, core, '/settings/connections');
  await page.getByRole('button', { name: 'Enrol an agent' }).click();
  const secret = page.getByText(/^qde_[\w-]{43}$/);
  await expect(secret).toBeVisible();
  await expect(page.getByRole('list', { name: 'Open codes' }).getByRole('listitem')).toHaveCount(1);
  const answer = await register({ code: await secret.innerText(), id: 'visitor', name: 'Visitor', capabilities: ['api'] });
  expect(answer.status).toBe('enrolled');
  // Used, it is open no more.
  await expect(page.getByText('No code is open.')).toBeVisible();
  await expect(secret).toBeHidden();

  await page.getByRole('button', { name: 'Enrol an agent' }).click();
  await page.getByRole('button', { name: /^Revoke the code/ }).click();
  await expect(page.getByText('No code is open.')).toBeVisible();

  await goTo(page, core, '/agents');
  const card = page.getByRole('listitem', { name: /^visitor,/ });
  await expect(card.getByText('not contained, not controlled')).toBeVisible();
  await expect(card.getByText('no terminal: it runs outside Quarterdeck')).toBeVisible();
  await goTo(page, core, '/agent/visitor');
  await expect(page.getByRole('heading', { name: 'There is no terminal here' })).toBeVisible();
  await expect(page.getByRole('group', { name: 'Life of visitor' }).getByRole('button')).toHaveCount(0);
  await goTo(page, core, '/agent/visitor/boundary');
  await expect(page.getByRole('heading', { name: 'Not contained, not controlled' })).toBeVisible();
  await goTo(page, core, '/agent/visitor/config');
  await expect(page.getByText('outside Quarterdeck, wherever it was started')).toBeVisible();
  for (const promise of ['Limits', 'Environment']) await expect(page.getByRole('heading', { name: promise })).toHaveCount(0);
  await goTo(page, core, '/agent/visitor/health');
  await expect(page.getByText('every 60 s, lost after 3 times as long')).toBeVisible();
  await expect(page.getByText(/its process is not measured here/)).toBeVisible();
  await goTo(page, core, '/agent/visitor/network');
  await expect(page.getByText(/what it reaches is not known here/)).toBeVisible();
  await expect(page.getByRole('link', { name: 'Change where it runs' })).toHaveCount(0);
  await page.close();
});

test('one that is lost is told of, and nothing is offered that could not bring it back', async ({ browser }) => {
  test.slow();
  const page = await openWindow(browser, core, '/messages');
  const { secret } = z
    .object({ secret: z.string() })
    .parse(await new RestClient(core).ok('POST', '/enrolments/codes', { note: 'for one that goes at once' }));
  await register({ code: secret, id: 'brief', name: 'Brief', heartbeatMs: 1_000 });
  const told = page.getByRole('listitem').filter({ hasText: 'brief is lost' });
  await expect(told).toContainText('it has not called for 3 s, though it said every 1 s', { timeout: 30_000 });
  // It stays under the pointer.
  await told.hover();
  await expect(told.getByRole('button', { name: 'Open' })).toBeVisible();
  await expect(told.getByRole('button', { name: 'Restart' })).toHaveCount(0);
  await told.getByRole('button', { name: 'Open' }).click();
  await expect(page).toHaveURL(/\/agent\/brief/);
  await goTo(page, core, '/agent/brief/health');
  await expect(page.getByText(/its last call was at/)).toBeVisible();
  await new RestClient(core).ok('DELETE', '/agents/brief');
  await page.close();
});

test('who asks without a code is brought to the operator, who approves or denies', async ({ browser }) => {
  const page = await openWindow(browser, core, '/agents');
  const asked = await register({ name: 'Guest', note: 'from the build', waitMs: 0 });
  const other = await register({ name: 'Stranger', waitMs: 0 });
  await page.getByRole('button', { name: 'Notifications, 2 need you' }).click();
  await page.getByRole('button', { name: /Guest asks to join from outside/ }).click();
  await expect(page).toHaveURL(/\/settings\/connections$/);
  const waiting = page.getByRole('list', { name: 'Asking to join' });
  await expect(waiting.getByText(asked.check ?? '-')).toBeVisible();
  await expect(waiting.getByText('from the build')).toBeVisible();
  await page.getByRole('button', { name: 'Deny Stranger' }).click();
  await expect(waiting.getByRole('listitem')).toHaveCount(1);
  await page.getByRole('button', { name: 'Approve Guest' }).click();
  await expect(waiting).toBeHidden();
  expect(await register({ requestId: other.requestId })).toMatchObject({ status: 'denied' });
  expect(await register({ requestId: asked.requestId })).toMatchObject({ status: 'enrolled', agentId: 'guest-1' });
  await page.close();
});
