/** The Messages screen, in a browser over a real core with agents that the spec speaks for: read, followed, filtered, answered. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { axeFindings, expectSound, openWindow, overflows } from '#e2e/support/window.ts';
import { feed, firstSeen, row } from '#e2e/support/message-rows.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { SpokenAgent } from '#e2e/support/spoken-agent.ts';
import { openDatabase } from '#core/store/database.ts';
import { Message } from '#shared/messages/model.ts';

const SIZES = [
  { width: 1440, height: 900 },
  { width: 1024, height: 700 },
];
const writing = (page: Page): Locator => page.getByRole('textbox', { name: 'Message' });
const panel = (page: Page): Locator => page.getByRole('complementary', { name: 'About the selected message' });

test.describe('with agents that speak', () => {
  test.describe.configure({ mode: 'serial' });
  let core: TestCore;
  let page: Page;
  let folder: string;
  let ada: SpokenAgent;
  let ben: SpokenAgent;
  let cleo: SpokenAgent;
  let requestId = '';

  test.beforeAll(async ({ browser }) => {
    folder = mkdtempSync(join(tmpdir(), 'qd-e2e-folder-'));
    core = await startCore({ dataDir: makeDataDir() });
    ada = await SpokenAgent.spawn(core, folder, 'ada');
    ben = await SpokenAgent.spawn(core, folder, 'ben');
    cleo = await SpokenAgent.spawn(core, folder, 'cleo');
    page = await openWindow(browser, core, '/messages');
  });

  test.afterAll(async () => {
    for (const agent of [ada, ben, cleo]) agent.close();
    await page.context().close();
    await core.stop();
    removeDataDir(core.dataDir);
    rmSync(folder, { recursive: true, force: true });
  });

  test('before anything is said it says what will be here', async () => {
    await expect(page.getByRole('heading', { name: 'Nothing was said yet' })).toBeVisible();
    await expectSound(page, 'empty');
  });

  test('a message is sent, and its steps are seen as they are made', async () => {
    await writing(page).fill('@ben look at `retry.ts`, please.');
    await expect(page.getByRole('button', { name: 'To: ben' })).toBeVisible();
    await expect(page.getByText('ben gets it when it next asks for messages')).toBeVisible();
    await page.keyboard.press('Control+Enter');
    const sent = row(page, 'look at retry.ts, please.');
    await expect(sent).toContainText('queued');
    await expect(writing(page)).toHaveValue('');
    const [mail] = await ben.take(5_000);
    await expect(sent).toContainText(/delivered \+\d/);
    await ben.acknowledge([mail?.id ?? '']);
    await expect(sent).toContainText(/acknowledged.*delivered \+[\d.]+s · ack \+[\d.]+s/s);
    await sent.click();
    await panel(page).getByRole('tab', { name: 'Delivery' }).click();
    await expect(panel(page).getByRole('listitem').filter({ hasText: 'acknowledged' }).last()).toContainText(
      /\d\d:\d\d:\d\d\.\d{3}/,
    );
  });

  test('requests and their answers stand together, and are drawn', async () => {
    requestId = await ada.send('ben', 'Take the outbox table.\nTell me the name of the migration.', {
      kind: 'request',
      priority: 'high',
      data: { task: 61 },
    });
    const [request] = await ben.take(5_000);
    await ben.send('ada', 'It is 20261121_refund_outbox.', { kind: 'reply', inReplyTo: request?.id });
    await ben.acknowledge([requestId]);
    await expect(row(page, 'Take the outbox table.')).toContainText(/HIGH/i);
    await expect(row(page, 'Take the outbox table.')).toContainText(/replied in [\d.]+s/);
    await row(page, 'Take the outbox table.').click();
    await panel(page).getByRole('tab', { name: 'Sequence' }).click();
    await expect(panel(page).getByText('thread of 2')).toBeVisible();
    await expect(panel(page).locator('svg').first()).toBeVisible();
    await panel(page).getByRole('tab', { name: 'Raw' }).click();
    await expect(panel(page)).toContainText('"task": 61');
    await row(page, 'Take the outbox table.').getByRole('button', { name: 'Data' }).click();
    await expect(row(page, 'Take the outbox table.')).toContainText('"task": 61');
  });

  test('at each message stands whether its signature holds, also after somebody changed the file', async () => {
    const firm = row(page, 'look at retry.ts, please.');
    const changed = row(page, 'It is 20261121_refund_outbox.');
    await panel(page).getByRole('tab', { name: 'Sequence' }).click();
    for (const each of [firm, changed]) {
      await each.click();
      await expect(panel(page).getByText(/^verified, key [0-9a-f]{8}$/)).toBeVisible();
    }
    const database = openDatabase(join(core.dataDir, 'quarterdeck.db'));
    try {
      database.exec(`UPDATE messages SET body = 'It is another one.' WHERE body = 'It is 20261121_refund_outbox.'`);
      await firm.click();
      await changed.click();
      await expect(panel(page).getByText(/^not genuine: /)).toBeVisible();
      await expectSound(page, 'a changed message');
      await firm.click();
      await expect(panel(page).getByText(/^verified, key /)).toBeVisible();
      database.exec(`UPDATE messages SET body = 'It is 20261121_refund_outbox.' WHERE body = 'It is another one.'`);
      await changed.click();
      await expect(panel(page).getByText(/^verified, key /)).toBeVisible();
    } finally {
      database.close();
    }
  });

  test('a thread is shown alone, and the address says so', async () => {
    await cleo.send('ada', 'Something else.');
    await expect(row(page, 'Something else.')).toBeVisible();
    await row(page, 'Take the outbox table.').click();
    await page.keyboard.press('t');
    await expect(row(page, 'Something else.')).toBeHidden();
    await expect(row(page, '20261121_refund_outbox')).toBeVisible();
    expect(new URL(page.url()).searchParams.get('thread')).toBe(requestId);
    await page.getByRole('button', { name: 'One thread' }).click();
    await expect(row(page, 'Something else.')).toBeVisible();
  });

  test('filters narrow it down, live too, and are kept in the address', async () => {
    await page.getByRole('button', { name: /^Requests/ }).click();
    await expect(row(page, 'Something else.')).toBeHidden();
    await expect(row(page, 'Take the outbox table.')).toBeVisible();
    await cleo.send('ada', 'A note that does not pass.');
    await cleo.send('ada', 'A second request.', { kind: 'request' });
    await expect(row(page, 'A second request.')).toBeVisible();
    await expect(row(page, 'A note that does not pass.')).toHaveCount(0);
    await page.reload();
    await expect(row(page, 'A second request.')).toBeVisible();
    await expect(page.getByRole('button', { name: /^Requests/ })).toHaveAttribute('aria-pressed', 'true');
    await page.getByRole('combobox', { name: 'Priority' }).first().click();
    await page.getByRole('option', { name: 'low' }).click();
    await expect(page.getByRole('heading', { name: 'No message matches' })).toBeVisible();
    await page.getByRole('button', { name: 'Show all messages' }).click();
    await expect(row(page, 'A note that does not pass.')).toBeVisible();
    await expect(page.getByRole('button', { name: /^All/ })).toContainText(/\d/);
  });

  test('a question is answered in place', async () => {
    const asked = await ada.send('operator', 'Keep `couponCode`, or drop it?', {
      kind: 'request',
      data: { options: ['Keep', 'Drop'] },
    });
    const question = row(page, 'Keep couponCode, or drop it?');
    await expect(question).toContainText('waiting for you');
    await expect(page.getByRole('button', { name: /^For you/ })).toContainText('1');
    await expectSound(page, 'a question');
    await question.getByRole('button', { name: 'Keep', exact: true }).click();
    await expect(question).not.toContainText('waiting for you');
    const answers = (await ada.take(5_000)).filter(({ inReplyTo }) => inReplyTo === asked);
    expect(answers).toMatchObject([{ body: 'Keep', kind: 'reply', from: { kind: 'operator' } }]);
    await expect(page.getByRole('button', { name: /^For you/ })).toContainText('0');
  });

  test('a question is answered in words, with the keyboard alone', async () => {
    await ben.send('operator', 'Which branch?', { kind: 'request' });
    await expect(row(page, 'Which branch?')).toContainText('waiting for you');
    await feed(page).focus();
    await page.keyboard.press('End');
    await page.keyboard.press('j');
    await expect(row(page, 'Which branch?').first()).toBeFocused();
    await page.keyboard.press('k');
    await page.keyboard.press('ArrowDown');
    await expect(row(page, 'Which branch?').first()).toBeFocused();
    await page.keyboard.press('r');
    await expect(writing(page)).toBeFocused();
    await page.keyboard.type('release/2.15');
    await page.keyboard.press('Control+Enter');
    await expect(row(page, 'release/2.15')).toBeVisible();
    await expect(row(page, /^.*Which branch\?(?!.*release)/).first()).not.toContainText('waiting for you');
    const answers = (await ben.take(5_000)).map(({ body }) => body);
    expect(answers).toContain('release/2.15');
  });

  test('a message that expires is dead, and says why', async () => {
    const rest = new RestClient(core);
    await rest.ok('POST', '/messages', { to: 'cleo', body: 'Only good for a second.', ttlMs: 1_000 });
    const dying = row(page, 'Only good for a second.');
    await expect(dying).toContainText('dead: expired', { timeout: 15_000 });
    await page.getByRole('button', { name: /^Dead/ }).click();
    const letters = page.getByRole('feed', { name: 'Dead letters' }).getByRole('article');
    await expect(letters.filter({ hasText: 'Only good for a second.' })).toContainText('its time was up');
    await expect(letters.filter({ hasText: 'Which branch?' })).toHaveCount(0);
    await expect(page.getByRole('button', { name: /^Dead/ })).toContainText('1');
    await page.getByRole('button', { name: /^All/ }).click();
    await expect(row(page, 'Which branch?').first()).toBeVisible();
  });

  test('at the end it follows; elsewhere nothing moves, and a pill counts', async () => {
    for (let n = 1; n <= 30; n += 1) await ada.send('cleo', `Filler ${n}.`);
    await page.keyboard.press('Escape');
    await expect(row(page, 'Filler 30.')).toBeInViewport();
    await feed(page).hover();
    await page.mouse.wheel(0, -900);
    await expect(row(page, 'Filler 30.')).not.toBeInViewport();
    const before = await firstSeen(page);
    for (let n = 1; n <= 3; n += 1) await ada.send('cleo', `Late ${n}.`);
    await expect(page.getByRole('button', { name: '3 new' })).toBeVisible();
    expect(await firstSeen(page)).toEqual(before);
    await page.getByRole('button', { name: '3 new' }).click();
    await expect(row(page, 'Late 3.')).toBeInViewport();
    await expect(page.getByRole('button', { name: '3 new' })).toBeHidden();
    await ada.send('cleo', 'Followed again.');
    await expect(row(page, 'Followed again.')).toBeInViewport();
  });

  test('a link opens the history around its message', async () => {
    await page.goto(new URL(`/message/${requestId}`, core.run.url).href);
    const request = row(page, 'Take the outbox table.').first();
    await expect(request).toBeInViewport();
    await expect(request).toHaveAttribute('aria-current', 'true');
    await page.goto(new URL('/message/msg_019a0000-0000-7000-8000-000000000000', core.run.url).href);
    await expect(page.getByRole('alert')).toContainText('There is no message');
    await page.goto(new URL('/messages?to=ada,ben', core.run.url).href);
    await expect(page.getByRole('button', { name: 'To: ada, ben' })).toBeVisible();
    await expect(writing(page)).toBeFocused();
    expect(new URL(page.url()).search).toBe('');
  });

  test('thousands of names in a draft are marked in its first part only', async () => {
    const marks = page.getByRole('form', { name: 'Write a message' }).locator('span.rounded-1');
    await writing(page).fill('@ada '.repeat(20));
    await expect(marks).toHaveCount(20);
    await writing(page).fill('@ada '.repeat(13_000));
    await expect(marks).toHaveCount(200);
    await writing(page).press('End');
    await page.keyboard.type('done');
    await expect(writing(page)).toHaveValue(/done/);
    await writing(page).fill('');
  });

  test('the panel is reached on a small screen', async () => {
    await page.setViewportSize({ width: 1024, height: 700 });
    await expect(panel(page)).toBeHidden();
    await row(page, 'Followed again.').click();
    await page.keyboard.press('i');
    await expect(panel(page)).toBeVisible();
    // It lies over what is read, never over what is written.
    await writing(page).fill('Sent beside the panel. @ben');
    await page.getByRole('button', { name: 'Send' }).click();
    await expect(writing(page)).toHaveValue('');
    expect(await overflows(page)).toEqual([]);
    expect(await axeFindings(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await expect(panel(page)).toBeHidden();
    // Half the width is what twice the zoom leaves.
    await page.setViewportSize({ width: 720, height: 450 });
    expect(await overflows(page)).toEqual([]);
    await page.setViewportSize(SIZES[0] ?? { width: 1440, height: 900 });
  });

  test('drafts outlive a reload, each in its place', async () => {
    await writing(page).fill('A draft that must survive.');
    await row(page, 'Followed again.').click();
    await page.keyboard.press('r');
    await expect(writing(page)).toHaveValue('');
    await writing(page).fill('Half an answer.');
    await expect(page.getByText('Draft kept')).toBeVisible();
    await page.reload();
    await expect(writing(page)).toHaveValue('Half an answer.');
    await page.getByRole('button', { name: 'Do not reply' }).click();
    await expect(writing(page)).toHaveValue('A draft that must survive.');
    // Who writes to somebody from elsewhere writes a new message, whatever was being answered.
    await row(page, 'Followed again.').click();
    await page.keyboard.press('r');
    await expect(writing(page)).toHaveValue('Half an answer.');
    await page.goto(new URL('/messages?to=cleo', page.url()).href);
    await expect(writing(page)).toHaveValue('A draft that must survive.');
    await expect(page.getByRole('form', { name: 'Write a message' })).toContainText('cleo');
  });

  test('nobody waits for the answer to a question of an agent that has stopped', async () => {
    await cleo.send('operator', 'Shall I go on?', { kind: 'request', data: { options: ['Yes', 'No'] } });
    const question = row(page, 'Shall I go on?');
    await expect(question).toContainText('waiting for you');
    await expect(page.getByRole('button', { name: /^For you/ })).toContainText('1');
    await new RestClient(core).ok('POST', '/agents/cleo/stop', { graceMs: 0 });
    await expect(question).toContainText('question, nobody waits: the agent is');
    await expect(question).not.toContainText('waiting for you');
    await expect(question.getByRole('button', { name: 'Yes', exact: true })).toBeHidden();
    await expect(page.getByRole('button', { name: /^For you/ })).toContainText('1 unread');
    await expect(page.getByRole('navigation', { name: 'Screens' })).not.toContainText('1 waiting for you');
  });

  test('an answer that is refused comes back as an answer, and what is discarded in one window is gone in all', async () => {
    const rest = new RestClient(core);
    await rest.ok('DELETE', '/agents/cleo', {});
    const question = row(page, 'Shall I go on?').first();
    await expect(question).toContainText('the agent was removed');
    await question.click();
    await page.keyboard.press('r');
    await writing(page).fill('Go on.');
    await page.keyboard.press('Control+Enter');
    const sent = (on: Page): Locator => on.getByRole('list', { name: 'On their way' }).getByRole('listitem');
    await expect(sent(page)).toContainText('not sent');
    await sent(page).getByRole('button', { name: 'Edit' }).click();
    await expect(writing(page)).toHaveValue('Go on.');
    const form = page.getByRole('form', { name: 'Write a message' });
    await expect(form).toContainText('Reply to cleo');
    await expect(form).toContainText('Shall I go on?');
    await page.keyboard.press('Control+Enter');
    await expect(sent(page)).toContainText('not sent');
    const other = await page.context().newPage();
    await other.goto(new URL('/messages', core.run.url).href);
    await expect(sent(other)).toContainText('Go on.');
    await sent(other).getByRole('button', { name: 'Discard' }).click();
    await expect(sent(page)).toHaveCount(0);
    await other.close();
  });

  test('a core that is killed with a message in flight gets it once, and the answer to a question too', async () => {
    const { url, agentMcpUrl } = core.run;
    const asked = await ada.send('operator', 'Before the crash: which way?', {
      kind: 'request',
      data: { options: ['Left', 'Right'] },
    });
    const question = row(page, 'Before the crash: which way?');
    await expect(question).toContainText('waiting for you');
    await writing(page).fill('Said in the moment of the crash. @ada');
    await page.keyboard.press('Control+Enter');
    await core.kill();
    await writing(page).fill('Said while it was down. @ada');
    await page.keyboard.press('Control+Enter');
    await writing(page).fill('Still being written.');
    await expect(page.getByRole('list', { name: 'On their way' })).toContainText('Said while it was down.');
    await question.getByRole('button', { name: 'Left', exact: true }).dblclick();
    await expect(page.getByRole('list', { name: 'On their way' })).toContainText('Left');
    await expect(question.getByRole('button', { name: 'Right', exact: true })).toBeHidden();
    expect(await axeFindings(page)).toEqual([]);
    expect(await overflows(page)).toEqual([]);
    await page.reload().catch(() => undefined);
    core = await startCore({
      dataDir: core.dataDir,
      args: ['--port', new URL(url).port, '--agent-mcp-port', new URL(agentMcpUrl).port],
    });
    await page.goto(new URL('/messages', core.run.url).href);
    for (const text of ['Said in the moment of the crash.', 'Said while it was down.']) {
      await expect(row(page, text)).toHaveCount(1);
    }
    await expect(page.getByRole('list', { name: 'On their way' }).getByRole('listitem')).toHaveCount(0);
    await expect(writing(page)).toHaveValue('Still being written.');
    const { messages } = z
      .object({ messages: z.array(Message) })
      .parse(await new RestClient(core).ok('GET', '/messages?limit=20&to=ada'));
    const bodies = messages.map(({ body }) => body).filter((body) => body.startsWith('Said'));
    expect(bodies.toSorted()).toEqual(['Said in the moment of the crash. @ada', 'Said while it was down. @ada']);
    expect(messages.filter(({ inReplyTo }) => inReplyTo === asked).map(({ body }) => body)).toEqual(['Left']);
    await expect(page.getByRole('button', { name: /^For you/ })).not.toContainText('waiting');
    await expect(row(page, 'Before the crash: which way?').first()).not.toContainText('waiting for you');
  });
});
