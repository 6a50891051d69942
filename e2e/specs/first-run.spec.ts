/** The first five minutes with Quarterdeck, as far as there is what they need: on a machine that a core sees for the first time. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { OperatorsMachine } from '#e2e/support/operators-machine.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { goTo, openWindow, terminalText } from '#e2e/support/window.ts';
import { Agent } from '#shared/agents/model.ts';

test.describe.configure({ mode: 'serial' });

/** Processes take some seconds to be there, on a machine that does other things. */
const STARTED = { timeout: 30_000 };

let machine: OperatorsMachine;
let core: TestCore;
let page: Page;

const button = (name: string | RegExp): Locator => page.getByRole('button', { name });
const check = (name: string): Locator =>
  page.getByRole('region', { name: 'Set up this machine' }).getByRole('listitem').filter({ hasText: name });
const start = (): Locator => page.getByRole('complementary', { name: 'Start' });
const copied = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText());
const filter = (): Locator => page.getByRole('searchbox', { name: 'Filter agents' });
const place = (name: string): Locator => page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name });

test.beforeAll(async ({ browser }) => {
  machine = new OperatorsMachine();
  core = await startCore({ dataDir: makeDataDir(), env: machine.env, keepsAgents: true });
  page = await openWindow(browser, core);
});

test.afterAll(async () => {
  await page.context().close();
  await core.stop();
  removeDataDir(core.dataDir);
  machine.dispose();
});

test('the machine is looked at without account or network: what is there, which version, and whether its login works', async () => {
  await expect(page.getByRole('heading', { name: 'Set up this machine' })).toBeVisible();
  // Only the start files of a login shell name the folder that holds it.
  await expect(check('Claude Code')).toContainText('2.1.34', STARTED);
  await expect(check('Claude Code')).toContainText('Needs you');
  await expect(check('tmux')).toContainText('Ready');
  await expect(check('Git').first()).toContainText('Ready');
  await expect(page.getByText('One thing needs you', { exact: false })).toBeVisible();
});

test('each gap has the one command that closes it, with a button that copies it', async () => {
  await check('Claude Code').getByRole('button', { name: 'Copy' }).click();
  await expect(check('Claude Code').getByRole('button', { name: 'Copied' })).toBeVisible();
  const command = await copied();
  expect(command).not.toBe('');
  await expect(check('Claude Code')).toContainText(command);
  await button('Copy diagnostics').click();
  await expect.poll(copied).toContain('Claude Code');
});

test('a folder is chosen in the window, and becomes a git repository', async () => {
  const folder = machine.makeFolder('harbour');
  await button(/^Choose folder/).click();
  const dialog = page.getByRole('dialog', { name: 'Open a folder' });
  await expect(dialog.getByRole('textbox', { name: 'Folder' })).toHaveValue(machine.home);
  await dialog.getByRole('button', { name: 'harbour' }).click();
  await expect(dialog.getByRole('textbox', { name: 'Folder' })).toHaveValue(folder);
  await dialog.getByRole('checkbox', { name: /git init/ }).check();
  await dialog.getByRole('button', { name: 'Open this folder' }).click();
  await expect(page).toHaveURL(/\/new$/, STARTED);
  expect(existsSync(join(folder, '.git'))).toBe(true);
  await expect(page.getByRole('button', { name: 'Project: harbour' })).toBeVisible();
});

test('the first agent is two clicks away, and its terminal takes keys', async () => {
  // The first click was "New agent" or, on a first run, opening the folder; the second starts the template.
  await button('Start Shell').click();
  await expect(page).toHaveURL(/\/agent\/[^/]+$/, STARTED);
  await expect(page.getByText('Watching.')).toBeVisible(STARTED);
  await button('Take control').click();
  await expect(page.getByText('You have the keyboard.')).toBeVisible();
  await page.keyboard.type('echo in-$(basename "$PWD")-$((6*7))');
  await page.keyboard.press('Enter');
  await expect.poll(() => terminalText(page), STARTED).toContain('in-harbour-42');
  await page.keyboard.press('Control+Enter');
  await expect(page.getByRole('link', { name: /^Boundary of .*: host, not contained/ })).toBeVisible();
  await expect(button('Stop all')).toBeEnabled();
});

test('the command of a gap is run here, in a terminal that shows what it does; the checklist follows', async () => {
  await place('Set up').click();
  await check('Claude Code').getByRole('button', { name: 'Run it here' }).click();
  await expect(page).toHaveURL(/\/agent\/setup-/, STARTED);
  await expect.poll(() => terminalText(page), STARTED).toContain('Ended with code');
  await place('Set up').click();
  await button('Check again').click();
  await expect(check('Claude Code')).toContainText('Ready', STARTED);
  await expect(page.getByText('Nothing here needs you.', { exact: false })).toBeVisible();
});

test('an agent that runs in a tmux session of one’s own is adopted, and stays where it is', async () => {
  machine.startClaudeInTmux('night-shift', machine.home);
  await place('Settings').click();
  await place('Set up').click();
  await expect(start()).toContainText('night-shift', STARTED);
  await start().getByRole('button', { name: /^Show/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Adopt what is running' });
  await dialog.getByRole('listitem').filter({ hasText: 'night-shift' }).getByRole('button', { name: 'Adopt' }).click();
  await expect(page).toHaveURL(/\/agent\/night-shift/, STARTED);
  await expect.poll(() => terminalText(page), STARTED).toContain('waiting for work');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect(button('Start again')).toBeVisible(STARTED);
  expect(machine.tmuxSessions()).toContain('night-shift');
});

test('everything is there again after the core was ended and started: agents never stopped, and nothing that was set or written is gone', async () => {
  // What the operator has arranged by now.
  await page.keyboard.press('Control+b');
  await expect(place('Agents')).toContainText('Agents');
  await place('Agents').click();
  await page.getByRole('radio', { name: 'Table' }).click();
  await expect(page.getByRole('table', { name: 'Agents' })).toBeVisible();
  await filter().fill('type:command');
  await expect(page).toHaveURL(/q=type/);
  const address = page.url();
  await place('Messages').click();
  await page.getByRole('textbox', { name: 'Message' }).fill('A thought that is not finished');
  const { run } = await findShell();

  const ports = ['--port', new URL(core.run.url).port, '--agent-mcp-port', new URL(core.run.agentMcpUrl).port];
  const context = page.context();
  await page.close();
  expect(await core.stop()).toBe(0);
  core = await startCore({ dataDir: core.dataDir, env: machine.env, args: ports, keepsAgents: true });
  const shell = await findShell();
  expect(shell.run).toEqual(run);

  page = await context.newPage();
  // As a browser opens its tabs again: at the same address.
  await page.goto(address);
  await expect(page.getByRole('table', { name: 'Agents' })).toBeVisible(STARTED);
  await expect(filter()).toHaveValue('type:command');
  await expect(button('Hide the labels')).toBeVisible();
  await place('Messages').click();
  await expect(page.getByRole('textbox', { name: 'Message' })).toHaveValue('A thought that is not finished');
  await goTo(page, core, `/agent/${shell.id}`);
  await expect.poll(() => terminalText(page), STARTED).toContain('in-harbour-42');
});

/** The agent that was made from the template of shells. */
async function findShell(): Promise<Agent> {
  const { agents } = z.object({ agents: z.array(Agent) }).parse(await new RestClient(core).ok('GET', '/agents'));
  const shell = agents.find(({ template }) => template === 'shell');
  if (shell === undefined) throw new Error('there is no shell');
  return shell;
}
