/** The first page, in a browser over a real core: what an operator sees and does there, and what happens when the core dies. */
import type { Browser, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { axeFindings, overflows, terminalText } from '#e2e/support/first-page.ts';

test.describe.configure({ mode: 'serial' });

/** The sizes the window is made for. */
const SIZES = [
  { width: 1440, height: 900 },
  { width: 1024, height: 700 },
];

let core: TestCore;
let page: Page;

async function post(path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${core.run.apiUrl}/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${core.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

async function loginLink(): Promise<string> {
  return z.object({ url: z.string() }).parse(await post('/auth/login-links', {})).url;
}

async function openPage(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ viewport: SIZES[0] ?? null, colorScheme: 'dark' });
  return context.newPage();
}

/** Both themes at both sizes: nothing that axe finds, nothing that sticks out. */
async function expectSound(): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      expect.soft(await axeFindings(page), `axe, ${colorScheme}, ${size.width}`).toEqual([]);
      expect.soft(await overflows(page), `overflow, ${colorScheme}, ${size.width}`).toEqual([]);
    }
  }
  await page.setViewportSize(SIZES[0] ?? { width: 1440, height: 900 });
}

const agentRow = (id: string) =>
  page.getByRole('region', { name: 'Agents' }).getByRole('button', { name: new RegExp(`^${id} `) });
const log = () => page.getByRole('log', { name: 'Messages' });

test.beforeAll(async ({ browser }) => {
  core = await startCore({ dataDir: makeDataDir() });
  page = await openPage(browser);
});

test.afterAll(async () => {
  await page.context().close();
  await core.stop();
  removeDataDir(core.dataDir);
});

test('a browser without a login is told how to get one', async () => {
  await page.goto(core.run.url);
  await expect(page.getByRole('heading', { name: 'This browser is not logged in' })).toBeVisible();
  await expect(page.getByText('quarterdeck open', { exact: true })).toBeVisible();
  await expectSound();
});

test('a login link logs in once, and leaves the address', async ({ browser }) => {
  const link = await loginLink();
  await page.goto(link);
  // The same document with another fragment: a link pasted into an open tab must work too.
  await expect(page.getByRole('heading', { name: 'No agents yet' })).toBeVisible();
  expect(page.url()).toBe(core.run.url);
  const other = await openPage(browser);
  await other.goto(link);
  await expect(other.getByRole('alert')).toContainText('used up or too old');
  await other.context().close();
});

test('an empty crew says what to do', async () => {
  await expect(page.getByText('Connected')).toBeVisible();
  await expectSound();
});

test('the sample crew starts, is seen at work, and reports', async () => {
  await page.getByRole('main').getByRole('button', { name: 'Start the sample crew' }).click();
  for (const id of ['scout', 'analyst-1', 'analyst-2']) await expect(agentRow(id)).toBeVisible({ timeout: 20_000 });
  await expect(agentRow('scout')).toHaveAttribute('aria-current', 'true');
  await expect(agentRow('scout')).toContainText('host, not contained');
  await expect.poll(() => terminalText(page), { timeout: 30_000 }).toContain('wrote report.md');
  await expect(log()).toContainText('Survey this folder');
  const report = log()
    .getByRole('listitem')
    .filter({ hasText: /scout.*you.*reply/s });
  await expect(report).toContainText('Done in');
  await expect(page.getByText('1 unread for you')).toBeVisible();
  await expectSound();
  await report.getByRole('button', { name: 'Mark as read' }).click();
  await expect(page.getByText('1 unread for you')).toBeHidden();
});

test('another agent is chosen with the keyboard, and its terminal follows', async () => {
  await agentRow('analyst-1').focus();
  await page.keyboard.press('ArrowDown');
  await expect(agentRow('analyst-2')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'analyst-2' })).toBeVisible();
  await expect.poll(() => terminalText(page)).toContain('worker analyst-2');
});

test('a message is written, sent with Ctrl Enter, and followed to its acknowledgement', async () => {
  await page.getByRole('combobox', { name: 'To' }).selectOption('analyst-2');
  await page.getByLabel('Message', { exact: true }).fill('Thank you for the second share.');
  await page.keyboard.press('Control+Enter');
  const row = log().getByRole('listitem').filter({ hasText: 'Thank you for the second share.' });
  await expect(row).toContainText('you');
  await expect(row).toContainText('acknowledged', { timeout: 20_000 });
  await expect(page.getByLabel('Message', { exact: true })).toHaveValue('');
});

test('a question to the operator asks for attention until it is answered', async () => {
  await post('/agents', { id: 'shell', type: 'command', command: ['sh'] });
  // A command agent speaks for itself only through its token; the operator's own request to the operator stands in for it.
  await post('/messages', { to: 'operator', kind: 'request', body: 'Keep the old field, or drop it?' });
  await expect(page.getByText('1 needs you')).toBeVisible();
  const row = log().getByRole('listitem').filter({ hasText: 'Keep the old field' });
  await expectSound();
  await page.getByLabel('Message', { exact: true }).fill('Half a thought');
  await row.getByRole('button', { name: 'Reply' }).click();
  await expect(page.getByLabel('Message', { exact: true })).toBeFocused();
  await expect(page.getByLabel('Message', { exact: true })).toHaveValue('');
  await page.keyboard.type('Keep it.');
  await page.getByRole('button', { name: /^Send/ }).click();
  await expect(page.getByText('1 needs you')).toBeHidden();
  await expect(log()).toContainText('Keep it.');
  // What was being written before waits where it was, and is a message of its own.
  await expect(page.getByLabel('Message', { exact: true })).toHaveValue('Half a thought');
  await page.getByRole('button', { name: /^Send/ }).click();
  await expect(log()).toContainText('Half a thought');
});

test('keys go to an agent only while typing is on', async () => {
  await agentRow('shell').click();
  const terminal = page.getByRole('textbox', { name: 'Terminal of shell' });
  await expect(page.getByRole('button', { name: /^Type/ })).toBeEnabled();
  await terminal.focus();
  await page.keyboard.type('echo watched-$((6*7))');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: /^Type/ }).click();
  await expect(page.getByText('You are typing.')).toBeVisible();
  await page.keyboard.type('echo typed-$((6*7))');
  await page.keyboard.press('Enter');
  await expect.poll(() => terminalText(page)).toContain('typed-42');
  expect(await terminalText(page)).not.toContain('watched');
  await page.keyboard.press('Control+Enter');
  await expect(page.getByText('Watching.')).toBeVisible();
});

test('an agent is stopped and started from its header', async () => {
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(agentRow('shell')).toContainText('Stopped', { timeout: 20_000 });
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await expect(agentRow('shell')).toContainText(/Idle|Working/, { timeout: 20_000 });
});

test('the core is killed under the open page and started again: it says so, reconnects and resumes', async () => {
  await agentRow('scout').click();
  await expect.poll(() => terminalText(page)).toContain('wrote report.md');
  await page.getByLabel('Message', { exact: true }).fill('A draft that must survive.');
  const { url, agentMcpUrl } = core.run;
  await core.kill();
  await expect(page.getByRole('alert')).toContainText('The core does not answer.');
  await expect(page.getByText('Reconnecting')).toBeVisible();
  await expectSound();
  core = await startCore({
    dataDir: core.dataDir,
    args: ['--port', new URL(url).port, '--agent-mcp-port', new URL(agentMcpUrl).port],
  });
  await expect(page.getByText('Connected')).toBeVisible();
  await expect(page.getByRole('alert')).toBeHidden();
  await expect(page.getByLabel('Message', { exact: true })).toHaveValue('A draft that must survive.');
  await post('/messages', { to: 'scout', body: 'Said after the crash.' });
  await expect(log()).toContainText('Said after the crash.');
  // No message is shown twice, and none is missing.
  const bodies = await log().getByRole('listitem').filter({ hasText: 'Thank you for the second share.' }).count();
  expect(bodies).toBe(1);
  await expect.poll(() => terminalText(page), { timeout: 20_000 }).toContain('wrote report.md');
  await expect(page.getByText('This terminal is cut off.')).toBeHidden();
});
