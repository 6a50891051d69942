/** Queues, dead letters, topics and sessions on the Messages screen, in a browser over a real core with agents that the spec speaks for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { SpokenAgent } from '#e2e/support/spoken-agent.ts';
import { expectSound, goTo, NARROW, openWindow, WIDE, ZOOMED } from '#e2e/support/window.ts';

const Sent = z.object({ messageId: z.string() });

/** What comes by events is there after at most this long, in milliseconds. */
const SOON = { timeout: 30_000 };
/** An agent waits so long for its mail, in milliseconds. */
const MAIL_MS = 20_000;

test.describe.configure({ mode: 'serial' });
let core: TestCore;
let page: Page;
let folder: string;
let rest: RestClient;
let ada: SpokenAgent;
let ben: SpokenAgent;

const row = (text: string): Locator =>
  page.getByRole('feed', { name: 'Messages' }).getByRole('article').filter({ hasText: text });
const letter = (text: string): Locator =>
  page.getByRole('feed', { name: 'Dead letters' }).getByRole('article').filter({ hasText: text });
const topic = (name: string): Locator =>
  page.getByRole('list', { name: 'Topics' }).getByRole('listitem').filter({ hasText: name });
const panel = (): Locator => page.getByRole('complementary', { name: 'About the selected message' });
const writing = (): Locator => page.getByRole('textbox', { name: 'Message' });

test.beforeAll(async ({ browser }) => {
  test.slow();
  folder = mkdtempSync(join(tmpdir(), 'qd-e2e-folder-'));
  core = await startCore({ dataDir: makeDataDir() });
  rest = new RestClient(core);
  ada = await SpokenAgent.spawn(core, folder, 'ada', { capabilities: ['plan'] });
  ben = await SpokenAgent.spawn(core, folder, 'ben', { capabilities: ['tests'] });
  page = await openWindow(browser, core, '/messages');
});

test.afterAll(async () => {
  for (const agent of [ada, ben]) agent.close();
  await page.context().close();
  await core.stop();
  removeDataDir(core.dataDir);
  rmSync(folder, { recursive: true, force: true });
});

test('the panel says who has a message until when, and that it came back', async () => {
  await ada.send('ben', 'Look at the fee table.', { kind: 'task' });
  const [mail] = await ben.take(MAIL_MS);
  await expect(row('Look at the fee table.')).toContainText('delivered', SOON);
  await row('Look at the fee table.').click();
  await panel().getByRole('tab', { name: 'Delivery' }).click();
  await expect(
    panel()
      .getByRole('listitem')
      .filter({ hasText: /^leaseduntil \d\d:\d\d:\d\d/ }),
  ).toBeVisible(SOON);
  await ben.call('release_messages', { messageIds: [mail?.id], delayMs: 3_600_000 });
  await expect(
    panel()
      .getByRole('listitem')
      .filter({ hasText: /^queued againhanded out from \d\d:\d\d:\d\d on/ }),
  ).toBeVisible(SOON);
  await expect(row('Look at the fee table.')).toContainText('queued again', SOON);
});

test('a message of one’s own is taken back while nobody has dealt with it', async () => {
  await writing().fill('@ben never mind.');
  await page.keyboard.press('Control+Enter');
  await row('never mind.').click();
  await panel().getByRole('tab', { name: 'Delivery' }).click();
  await panel().getByRole('button', { name: 'Take it back' }).click();
  await expect(page.getByText('Taken back from ben.')).toBeVisible(SOON);
  await expect(row('never mind.')).toContainText('taken back', SOON);
  await expect(panel().getByRole('button', { name: 'Take it back' })).toBeHidden();
  // Somebody else's is not the operator's to take back here.
  await row('Look at the fee table.').click();
  await expect(panel().getByRole('button', { name: 'Take it back' })).toBeHidden();
});

test('a queue stands in its order, with what is held back, and gives messages up', async () => {
  await rest.ok('POST', '/messages', { to: 'ben', body: 'Sometime.', priority: 'low' });
  await rest.ok('POST', '/messages', { to: 'ben', body: 'At once.', priority: 'critical' });
  await rest.ok('POST', '/messages', { to: 'ben', body: 'Tomorrow.', delayMs: 3_600_000 });
  const inbox = panel().getByRole('button', { name: /ben/ }).last();
  await inbox.click();
  await expect(panel().getByRole('heading', { name: 'Queue of ben' })).toBeVisible(SOON);
  const entries = panel().getByRole('list', { name: 'In the order in which it is handed out' }).getByRole('listitem');
  await expect(entries).toHaveCount(4, SOON);
  await expect(entries.filter({ hasText: 'At once.' })).toContainText('next');
  await expect(entries.filter({ hasText: 'Sometime.' })).toContainText('queued');
  await expect(entries.filter({ hasText: 'Tomorrow.' })).toContainText(/held back until \d/);
  await expect(entries.filter({ hasText: 'Look at the fee table.' })).toContainText('try 1 of 10');
  await expect(panel()).toContainText('4 of 10,000 messages');
  const texts = await entries.allInnerTexts();
  const placeOf = (text: string): number => texts.findIndex((entry) => entry.includes(text));
  expect(placeOf('At once.')).toBeLessThan(placeOf('Sometime.'));
  await expectSound(page, 'a queue', [WIDE, NARROW, ZOOMED]);
  await entries
    .filter({ hasText: 'Sometime.' })
    .getByRole('button', { name: /^Take back/ })
    .click();
  await expect(entries).toHaveCount(3, SOON);
  await page.keyboard.press('Escape');
  await expect(panel().getByRole('heading', { name: 'Queue of ben' })).toBeHidden();
  await goTo(page, core, '/agent/ben/messages');
  await page.getByRole('button', { name: 'Open the queue' }).click();
  await expect(panel().getByRole('heading', { name: 'Queue of ben' })).toBeVisible(SOON);
});

test('dead letters say what they died of, and several are delivered again', async () => {
  await rest.ok('POST', '/messages', { to: 'ben', body: 'Too late.', ttlMs: 1_000 });
  for (const body of ['Wrong.', 'Wrong as well.']) {
    const { messageId } = Sent.parse(await rest.ok('POST', '/messages', { to: 'ben', body }));
    await rest.ok('POST', `/messages/${messageId}/cancel`, {});
  }
  await goTo(page, core, '/messages?state=dead');
  await expect(letter('Too late.')).toContainText('its time was up', SOON);
  // What was taken back is no dead letter, and shown to whoever asks for it.
  await expect(letter('Wrong.')).toHaveCount(0, SOON);
  await expectSound(page, 'dead letters', [WIDE, NARROW, ZOOMED]);
  const dead = page.getByRole('button', { name: /^Dead \d/ });
  await expect(dead).toContainText('1', SOON);
  await page.getByRole('combobox', { name: 'Reason' }).click();
  await page.getByRole('option', { name: 'taken back' }).click();
  await expect(letter('Too late.')).toHaveCount(0, SOON);
  // Both, what was taken back before, and what was taken out of the queue.
  for (const text of ['Wrong.', 'Wrong as well.', 'never mind.', 'Sometime.'])
    await expect(letter(text)).toContainText('taken back before it was acknowledged', SOON);
  await page.getByRole('checkbox', { name: 'Choose all' }).click();
  await page.getByRole('button', { name: 'Retry 4' }).click();
  await expect(page.getByText('4 dead letters are delivered again.')).toBeVisible(SOON);
  await expect(page.getByRole('heading', { name: 'No dead letter matches' })).toBeVisible(SOON);
  await expect(dead).toContainText('1', SOON);
  await page.getByRole('button', { name: 'Show all dead letters' }).click();
  // It has its second again, and dies of it again: that it was retried is what the window says.
  await letter('Too late.')
    .getByRole('button', { name: /^Retry/ })
    .click();
  await expect(page.getByText('Queued again for ben.')).toBeVisible(SOON);
});

test('the operator subscribes to topics, publishes, and reads one of them', async () => {
  await ben.call('subscribe_topics', { patterns: ['health.*'] });
  await ada.send('topic:health.api', 'The API answers again.');
  await goTo(page, core, '/messages?view=topics');
  await expect(topic('health.api')).toContainText('ben by health.*', SOON);
  await expect(topic('health.api')).toContainText('1 message');
  const pattern = page.getByRole('textbox', { name: 'Pattern to subscribe to' });
  await pattern.fill('Not a pattern');
  await page.keyboard.press('Enter');
  await expect(page.getByText(/^Words of a-z/)).toBeVisible();
  await expectSound(page, 'topics', [WIDE, NARROW, ZOOMED]);
  await pattern.fill('health.#');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('list', { name: 'Your patterns' })).toContainText('health.#', SOON);
  await expect(topic('health.api')).toContainText('you by health.#');
  await topic('health.api').getByRole('button', { name: 'Write to health.api' }).click();
  await expect(page.getByText('Goes to ben.')).toBeVisible();
  await writing().fill('Thank you.');
  await page.keyboard.press('Control+Enter');
  await expect(topic('health.api')).toContainText('2 messages', SOON);
  await topic('health.api').getByRole('button', { name: 'health.api', exact: true }).click();
  await expect(row('Thank you.')).toContainText('published to 1', SOON);
  await expect(row('The API answers again.')).toBeVisible();
  await expect(row('Tomorrow.')).toHaveCount(0);
  await page.getByRole('button', { name: 'Topics' }).click();
  await page.getByRole('button', { name: 'Unsubscribe from health.#' }).click();
  await expect(page.getByRole('region', { name: 'Your subscriptions' })).toContainText('nothing', SOON);
});

test('what is written goes to a group later, with a deadline for the answer', async () => {
  await page.getByRole('button', { name: /^All/ }).click();
  await page.getByRole('button', { name: /^To:/ }).click();
  await page.keyboard.type('capability tests');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await page.getByRole('combobox', { name: 'Kind' }).last().click();
  await page.getByRole('option', { name: 'request' }).click();
  await page.getByRole('combobox', { name: 'Deliver' }).click();
  await page.getByRole('option', { name: 'in 30 min' }).click();
  await page.getByRole('combobox', { name: 'Answer within' }).click();
  await page.getByRole('option', { name: '2 h' }).click();
  await writing().fill('Which suite is slowest?');
  await expect(
    page.getByText(/Nobody is handed it in the next 30 min\. You are told when no answer came within 2 h\./),
  ).toBeVisible();
  await page.keyboard.press('Control+Enter');
  await expect(row('Which suite is slowest?')).toContainText('held back', SOON);
  await expect(row('Which suite is slowest?')).toContainText('capability tests');
  await expect(row('Which suite is slowest?')).toContainText(/answer by \d\d:\d\d/);
  await row('Which suite is slowest?').click();
  await panel().getByRole('tab', { name: 'Delivery' }).click();
  await expect(panel().getByText('Answer by')).toBeVisible();
});

test('an earlier session is read, and not written to', async () => {
  test.slow();
  for (const agent of [ada, ben]) agent.close();
  await core.stop();
  core = await startCore({ dataDir: core.dataDir });
  rest = new RestClient(core);
  const browser = page.context().browser();
  if (browser === null) throw new Error('no browser');
  await page.context().close();
  page = await openWindow(browser, core, '/messages');
  await rest.ok('POST', '/messages', { to: 'ben', body: 'A new day.' });
  await expect(row('A new day.')).toBeVisible(SOON);
  await page.getByRole('button', { name: /^Session:/ }).click();
  await page.getByRole('option').last().click();
  await expect(page.getByText('An earlier session, read-only:')).toBeVisible(SOON);
  await expect(row('Tomorrow.')).toBeVisible(SOON);
  await expect(row('A new day.')).toHaveCount(0);
  await expect(writing()).toBeHidden();
  await expectSound(page, 'an earlier session', [WIDE, NARROW, ZOOMED]);
  await page.getByRole('button', { name: 'Show all sessions' }).click();
  await expect(row('A new day.')).toBeVisible(SOON);
  await expect(writing()).toBeVisible();
});
