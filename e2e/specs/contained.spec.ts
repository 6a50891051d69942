/** Contained agents in the window, over a real core and a real container: choosing the box, its proof, its network, its limits. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { ensureTestKit } from '#core/runtimes/docker/testing/agent-image.ts';
import { ENGINE_MISSING } from '#core/runtimes/docker/testing/find-engine.ts';
import { containerOf, docker, insideContainer, removeContainers } from '#e2e/support/containers.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { axeFindings, goTo, NARROW, openTab, openWindow, overflows, SLIM, unreachable, WIDE } from '#e2e/support/window.ts';

test.describe.configure({ mode: 'serial' });
test.skip(ENGINE_MISSING !== undefined, ENGINE_MISSING ?? '');

/** The image is made where it is not there yet: from Debian packages that takes minutes. */
const READY_MS = 900_000;
/** A test with a container: one starts within some seconds on a quiet machine. */
const CONTAINER_MS = 180_000;
const SOON = { timeout: 60_000 };

const run = promisify(execFile);

let core: TestCore;
let page: Page;
let folder: string;

const button = (name: string | RegExp, within: Locator | Page = page): Locator =>
  within.getByRole('button', { name, exact: typeof name === 'string' });
const badge = (): Locator => page.getByRole('link', { name: /^Boundary of boxed: / });
const panel = (name: string): Locator => page.getByRole('tabpanel', { name });
const git = (...argv: readonly string[]): Promise<{ stdout: string }> =>
  run('git', ['-C', folder, '-c', 'user.name=Test', '-c', 'user.email=test@example.org', ...argv]);

test.beforeAll(async ({ browser }) => {
  test.setTimeout(READY_MS);
  await ensureTestKit();
  core = await startCore({ dataDir: makeDataDir() });
  folder = join(core.dataDir, 'harbor');
  mkdirSync(folder);
  await git('init', '--quiet', '--initial-branch', 'main');
  writeFileSync(join(folder, 'README.md'), 'Harbor\n');
  await git('add', '.');
  await git('commit', '--quiet', '--message', 'Begin');
  const rest = new RestClient(core);
  await rest.ok('POST', '/projects', { folder });
  await rest.ok('POST', '/agents', { id: 'loose', type: 'command', command: ['sleep', '3600'] });
  page = await openWindow(browser, core);
});

test.afterAll(async () => {
  test.setTimeout(CONTAINER_MS);
  await page.context().close();
  await core.stop();
  await removeContainers(core.dataDir);
  removeDataDir(core.dataDir);
});

test('the box is chosen in the form, where a wrong address is told at its field', async () => {
  test.setTimeout(CONTAINER_MS);
  await goTo(page, core, '/new');
  await page.getByRole('radio', { name: 'Command' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('boxed');
  await page.getByRole('textbox', { name: 'Command' }).fill('sleep 3600');
  await expect(page.getByText('Everything that you reach', { exact: false })).toBeVisible();
  await page.getByRole('radio', { name: 'Docker container' }).click();
  await expect(page.getByText('It is ready.', { exact: false })).toBeVisible(SOON);

  const address = page.getByRole('textbox', { name: 'Allow an address' });
  await address.fill('*bad.example.org');
  await button('Allow').click();
  await expect(page.getByText('A star stands only at the beginning', { exact: false })).toBeVisible();
  await address.fill('https://api.github.com/left-pad');
  await expect(page.getByText('Adds api.github.com:443:tls')).toBeVisible();
  await address.press('Enter');
  await expect(page.getByRole('list', { name: 'Allowed addresses' })).toContainText('api.github.com:443:tls');

  // What is small is used up soon, when the twin is tried.
  await page.getByRole('textbox', { name: 'Memory' }).fill('256MB');
  await page.getByRole('textbox', { name: 'Processes' }).fill('128');
  await button('Create and start').click();
  await expect(page).toHaveURL(/\/agent\/boxed$/, SOON);
  await expect(badge()).toHaveAccessibleName('Boundary of boxed: container, 1 address. Proved before its program started.', SOON);
});

test('the badge opens the proof: what was tried, what happened, and what it sees', async () => {
  await badge().click();
  await expect(page).toHaveURL(/\/agent\/boxed\/boundary$/);
  const boundary = panel('Boundary');
  await expect(boundary.getByRole('heading', { name: 'Contained, and proved' })).toBeVisible(SOON);
  await expect(boundary).toContainText(/(\d+) of \1 held/);
  const checks = boundary.getByRole('list', { name: 'Checks before the start' });
  const first = checks.getByRole('listitem').first();
  await first.getByRole('button').click();
  await expect(first).toContainText('Tried');
  await expect(first).toContainText('Found');
  await button(/^Show \d+ more that held$/, boundary).click();
  await expect(checks).toContainText('Write outside the workspace');
  const mounts = boundary.getByRole('list', { name: 'Mounts' });
  await expect(mounts.getByRole('listitem').filter({ hasText: '/workspace' }).first()).toContainText('writable');
  await expect(mounts).toContainText('read-only');
  await expect(boundary).toContainText('by its container');
});

test('its limits are tried in a twin, on demand', async () => {
  test.setTimeout(CONTAINER_MS);
  const boundary = panel('Boundary');
  await button(/^Prove (now|again)$/, boundary).click();
  const checks = boundary.getByRole('list', { name: 'Checks in a twin' });
  // The button is back when the proof is there.
  await expect(button('Prove again', boundary)).toBeEnabled({ timeout: CONTAINER_MS });
  const memory = checks.getByRole('listitem').filter({ hasText: 'Use up memory' });
  await expect(memory).toContainText('held');
  await memory.getByRole('button').click();
  await expect(memory).toContainText('256.0 MiB');
});

test('its network is watched, and changed while it runs', async () => {
  test.setTimeout(CONTAINER_MS);
  await openTab(page, 'Network');
  const network = panel('Network');
  await expect(network).toContainText('Held by the gateway', SOON);
  await network.getByRole('radio', { name: 'Refuse and propose' }).click();
  await expect(network).toContainText('Nothing was refused so far', SOON);

  const container = await containerOf(core.dataDir, 'boxed');
  const asked = await insideContainer(
    container,
    'sh',
    '-c',
    'curl --silent --output /dev/null --write-out "%{http_connect}" --proxy http://127.0.0.1:3128 https://tide.example.org || true',
  );
  expect(asked.stdout).toBe('403');
  await expect(button('Allow tide.example.org:443:tls', network)).toBeVisible(SOON);
  await button('Allow tide.example.org:443:tls', network).click();
  await expect(network.getByRole('list', { name: 'Allowed addresses' })).toContainText('tide.example.org:443:tls');
  await expect(badge()).toHaveAccessibleName(/container, 2 addresses/);

  await network.getByRole('radio', { name: 'Connections' }).click();
  const log = network.getByRole('list', { name: 'Connections' });
  const row = log.getByRole('listitem').filter({ hasText: 'tide.example.org:443' });
  await expect(row).toContainText('refused', SOON);
  await expect(row).toContainText('no rule allows it');
  await network.getByRole('combobox', { name: 'Show' }).click();
  await page.getByRole('option', { name: 'open', exact: true }).click();
  await expect(network).toContainText('Nothing was left open', SOON);

  await network.getByRole('radio', { name: 'Rules' }).click();
  await button('Remove api.github.com:443:tls', network).click();
  await expect(badge()).toHaveAccessibleName(/container, 1 address\./);
});

test('its limits are changed while it runs, and hold at once', async () => {
  await openTab(page, 'Health');
  const limits = page.getByRole('form', { name: 'Limits of boxed' });
  await expect(panel('Health')).toContainText('held by its container', SOON);
  await limits.getByRole('textbox', { name: 'Memory' }).fill('lots');
  await expect(limits).toContainText('For example 512MB or 2GB.');
  await expect(button('Apply', limits)).toBeDisabled();
  await limits.getByRole('textbox', { name: 'Memory' }).fill('512MB');
  await button('Apply', limits).click();
  const container = await containerOf(core.dataDir, 'boxed');
  await expect
    .poll(async () => (await docker('inspect', '--format', '{{.HostConfig.Memory}}', container)).stdout.trim(), SOON)
    .toBe(String(512 * 2 ** 20));
  await expect(page.getByRole('link', { name: /^Boundary of boxed/ })).toContainText('512MB');
});

test('its commits are brought in with one press', async () => {
  const container = await containerOf(core.dataDir, 'boxed');
  await insideContainer(
    container,
    'sh',
    '-c',
    'cd /workspace && echo tides > tides.md && git add . && git -c user.name=boxed -c user.email=boxed@example.org commit --quiet --message "Write the tides"',
  );
  await goTo(page, core, '/agent/boxed');
  const works = page.getByRole('region', { name: 'Works on' });
  await expect(works).toContainText('1 commit ahead, 0 changed files', SOON);
  await expect(works).toContainText('quarterdeck/boxed');
  await button('Bring commits in', works).click();
  await expect(page.getByText('1 commit came in.')).toBeVisible(SOON);
  expect((await git('log', '--format=%s', 'quarterdeck/boxed')).stdout.split('\n')[0]).toBe('Write the tides');
});

test('of an agent on this machine it is said what is not held, and that nothing is watched', async () => {
  await goTo(page, core, '/agents');
  await page.getByRole('link', { name: /^Boundary of loose: host, not contained/ }).click();
  await expect(panel('Boundary').getByRole('heading', { name: 'Not contained' })).toBeVisible(SOON);
  await expect(panel('Boundary')).toContainText('It can read, change and delete all that you can');
  await openTab(page, 'Network');
  await expect(panel('Network').getByRole('heading', { name: 'Nothing is watched here' })).toBeVisible();
});

test('images and model APIs stand in the settings; a key is stored and never shown', async () => {
  await goTo(page, core, '/settings/images');
  await expect(page.getByRole('list', { name: 'Images' })).toContainText('the agent image', SOON);
  await page.getByRole('textbox', { name: 'Name of the image' }).fill('No Such Name');
  await expect(page.getByText('Must be the name of an image such as alpine:3.20.')).toBeVisible();
  // A registry that there is nowhere: fetching fails on every machine, and says why.
  await page.getByRole('textbox', { name: 'Name of the image' }).fill('registry.invalid/none:1');
  await button('Fetch it').click();
  await expect(page.getByText('registry.invalid/none:1 was not fetched.')).toBeVisible(SOON);
  await expect(button('Try again')).toBeVisible();

  await goTo(page, core, '/settings/model-apis');
  const list = page.getByRole('list', { name: 'Model APIs' });
  const api = list.getByRole('listitem').filter({ hasText: 'https://api.anthropic.com' });
  await button('Store the key of anthropic', api).click();
  await api.getByLabel('Key of anthropic').fill('a-key-for-this-test');
  await button('Store', api).click();
  await expect(api).toContainText('key stored', SOON);
  expect(await page.content()).not.toContain('a-key-for-this-test');
  await button('Add a model API').click();
  const form = page.getByRole('form', { name: 'A new model API' });
  await button('Save', form).click();
  await expect(form).toContainText('must be a name such as', { ignoreCase: true });
});

/** Each with something that is there once it is all there. */
const PLACES: readonly (readonly [path: string, shown: string | RegExp])[] = [
  ['/agent/boxed/boundary', 'What it sees of this machine'],
  ['/agent/boxed/network', 'Held by the gateway'],
  ['/agent/boxed/network?view=log', 'no rule allows it'],
  ['/agent/boxed/health', 'held by its container'],
  ['/settings/images', 'the agent image'],
  ['/settings/model-apis', 'key stored'],
];

for (const [path, shown] of PLACES) {
  test(`${path} is sound in both themes and all sizes`, async () => {
    test.setTimeout(CONTAINER_MS);
    await page.setViewportSize(WIDE);
    await goTo(page, core, path);
    await expect(page.getByText(shown).first()).toBeVisible(SOON);
    // What depends on the theme is colours alone, and what depends on the size is what is cut off or covered.
    const found = await axeFindings(page);
    for (const size of [WIDE, NARROW, SLIM]) {
      await page.setViewportSize(size);
      found.push(...(await overflows(page)), ...(await unreachable(page)));
    }
    found.push(...(await axeFindings(page)));
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    found.push(...(await axeFindings(page, { onlyColours: true })));
    await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
    expect(found).toEqual([]);
    await page.setViewportSize(WIDE);
  });
}

test('everything is reached by the palette', async () => {
  await goTo(page, core, '/agent/boxed');
  await expect(badge()).toBeVisible(SOON);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('boundary and its proof');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/agent\/boxed\/boundary$/);
});
