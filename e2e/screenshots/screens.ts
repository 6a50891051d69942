/** Every screen of the window and its important states: how each is come to, and with which fleets it is looked at. */
import type { Locator, Page } from '@playwright/test';
import { expect } from '@playwright/test';
import type { TestCore } from '#e2e/support/core.ts';
import type { FleetSize } from '#e2e/support/fleets/fleets.ts';
import { goTo } from '#e2e/support/window.ts';

/** Where a screen is opened. */
export interface Stage {
  readonly page: Page;
  readonly core: TestCore;
  /** For pictures also what nobody checks is waited for: figures that are measured every few seconds. */
  readonly isForPictures: boolean;
}

/** A screen or a state of one. */
export interface Screen {
  /** Its part of a file's name. */
  readonly name: string;
  readonly fleets: readonly FleetSize[];
  /** Opens it from wherever the page is, and waits until it is all there. */
  readonly open: (stage: Stage) => Promise<void>;
  /** It cannot be come to twice: sizes are changed under it. Stands at the end; what it needs of the crew it waits for itself, before it ends that. */
  readonly isLast?: boolean;
  /** A selector of what lies over the page and is closed by itself: only what is in it must be got at. */
  readonly over?: string;
  /** Left out of the sweep in `npm test`: what is checked there is checked by a neighbour. */
  readonly isForPicturesOnly?: boolean;
}

/** What is waited for takes at most this long, in milliseconds. */
const SOON = { timeout: 30_000 };
const BOTH: readonly FleetSize[] = [3, 40];

const button = (page: Page, name: string | RegExp): Locator => page.getByRole('button', { name });
const rows = (page: Page): Locator => page.getByRole('feed', { name: 'Messages' }).getByRole('article');
const listed = (page: Page): Locator => page.locator('[data-agent]');

async function view(stage: Stage, name: 'Grid' | 'Table' | 'Wall', query = ''): Promise<void> {
  const { page, core } = stage;
  await goTo(page, core, `/agents${query}`);
  await page.getByRole('radio', { name, exact: true }).click();
  await expect(listed(page).first()).toBeVisible(SOON);
  if (name !== 'Table') await terminals(page);
  if (name === 'Grid' && stage.isForPictures) await expect(page.getByText(/\d [MG]B/).first()).toBeVisible(SOON);
}

/** Miniature terminals of agents that have printed something are filled. */
async function terminals(page: Page): Promise<void> {
  await expect
    .poll(
      () =>
        page.getByRole('img', { name: /^Terminal of/ }).evaluateAll((all) => all.filter((one) => one.textContent !== '').length),
      SOON,
    )
    .toBeGreaterThan(0);
}

/** The inbox is there after at most this long, in milliseconds. */
const ASKED_TIMEOUT_MS = 30_000;

/**
 * Waits until the crew has asked the operator something: that comes after the crew itself, and changes how screens look.
 * By its label and not by its role: behind an open dialog nothing has one.
 */
export async function asked(page: Page): Promise<void> {
  await expect(page.locator('nav[aria-label="Screens"]').getByText('waiting for you')).toBeAttached({
    timeout: ASKED_TIMEOUT_MS,
  });
}

async function agent(stage: Stage, id: string, tab = ''): Promise<void> {
  const { page, core } = stage;
  await goTo(page, core, `/agent/${id}${tab}`);
  await expect(page.getByText(/Watching\.|Ended\.|was never started/).first()).toBeVisible(SOON);
  // The first samples of a chart, the first lines of a terminal.
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
}

async function messages(stage: Stage, query = ''): Promise<void> {
  await goTo(stage.page, stage.core, `/messages${query}`);
  await expect(rows(stage.page).first()).toBeVisible(SOON);
}

async function settings(stage: Stage, section: string, title: string): Promise<void> {
  await goTo(stage.page, stage.core, `/settings${section}`);
  await expect(stage.page.getByRole('heading', { level: 1, name: title })).toBeVisible(SOON);
}

/** Who asks the operator something. */
const asking = (fleet: FleetSize): string => (fleet === 3 ? 'scout' : 'kit');

function agentScreens(fleet: FleetSize): Screen[] {
  const id = asking(fleet);
  const isForPicturesOnly = fleet === 40;
  const tabs = (['messages', 'activity', 'boundary', 'network', 'config', 'health'] as const).map((tab): Screen => ({
    name: `agent-${tab}`,
    fleets: [fleet],
    isForPicturesOnly,
    open: (stage) => agent(stage, id, `/${tab}`),
  }));
  return [{ name: 'agent-overview', fleets: [fleet], isForPicturesOnly, open: (stage) => agent(stage, id) }, ...tabs];
}

/** All of them, in the order in which they are gone through. */
export const SCREENS: readonly Screen[] = [
  {
    name: 'setup',
    fleets: [0, 3],
    open: async ({ page, core }) => {
      await goTo(page, core, '/setup');
      await expect(page.getByText(/^Checked/)).toBeVisible(SOON);
    },
  },
  {
    name: 'folder-dialog',
    fleets: [0],
    open: async ({ page, core }) => {
      await goTo(page, core, '/setup');
      await button(page, /^Choose folder/).click();
      await expect(page.getByRole('dialog').getByRole('listitem').first()).toBeVisible(SOON);
    },
  },
  {
    name: 'messages-empty',
    fleets: [0],
    open: async ({ page, core }) => {
      await goTo(page, core, '/messages');
      await expect(page.getByRole('heading', { name: 'Nothing was said yet' })).toBeVisible(SOON);
    },
  },
  {
    name: 'new-agent-no-project',
    fleets: [0],
    isForPicturesOnly: true,
    open: async ({ page, core }) => {
      await goTo(page, core, '/new');
      await expect(button(page, 'Start Shell')).toBeVisible(SOON);
    },
  },
  { name: 'settings-appearance', fleets: [0], open: (stage) => settings(stage, '', 'Appearance') },
  {
    name: 'settings-messages',
    fleets: [0, 3, 40],
    open: async (stage) => {
      const { page } = stage;
      await settings(stage, '/messages', 'Messages');
      // Without a project it says so.
      await expect(page.getByRole('list', { name: 'Sessions' }).or(button(page, 'Open a folder'))).toBeVisible(SOON);
      const age = page.getByRole('checkbox', { name: /^Older than/ });
      if (await button(page, 'Open a folder').isVisible()) return;
      await expect(age).toBeVisible(SOON);
      if (!(await age.isChecked())) await age.click();
      await expect(page.getByText('If it were applied now')).toBeVisible(SOON);
    },
  },
  {
    name: 'settings-middleware',
    fleets: [0, 3, 40],
    open: async (stage) => {
      const { page } = stage;
      await settings(stage, '/middleware', 'Middleware');
      const tryIt = page.getByRole('form', { name: 'Try the steps' });
      await expect(tryIt.or(button(page, 'Open a folder'))).toBeVisible(SOON);
      if (await button(page, 'Open a folder').isVisible()) return;
      // Not saved: what another look added is gone.
      for (const kind of ['Authorise', 'Redact', 'Limit']) {
        await button(page, 'Add a step').click();
        await page.getByRole('menuitem', { name: new RegExp(`^${kind}`) }).click();
        await expect(
          page
            .getByRole('listitem')
            .filter({ hasText: new RegExp(`^${kind}`, 'i') })
            .first(),
        ).toBeVisible();
      }
      await tryIt.getByRole('textbox').fill('The key is ghp_16C7e42F292c6912E7710c838347Ae178B4a of the release bot.');
      await button(page, 'Try it').click();
      await expect(page.getByRole('region', { name: 'What the steps would do' })).toBeVisible(SOON);
      await page.getByRole('heading', { level: 1, name: 'Middleware' }).evaluate((title) => title.scrollIntoView());
    },
  },
  {
    name: 'settings-images',
    fleets: [0],
    open: async (stage) => {
      await settings(stage, '/images', 'Images');
      await expect(stage.page.getByRole('heading', { name: /On this machine|No container engine/ })).toBeVisible(SOON);
    },
  },
  {
    name: 'settings-model-apis',
    fleets: [0],
    open: async (stage) => {
      await settings(stage, '/model-apis', 'Model APIs');
      await expect(stage.page.getByRole('list', { name: 'Model APIs' })).toBeVisible(SOON);
    },
  },
  { name: 'settings-connections', fleets: [0], open: (stage) => settings(stage, '/connections', 'Connections') },
  { name: 'settings-notifications', fleets: [0], open: (stage) => settings(stage, '/notifications', 'Notifications') },
  { name: 'settings-shortcuts', fleets: [0], open: (stage) => settings(stage, '/shortcuts', 'Shortcuts') },
  { name: 'settings-about', fleets: [0], open: (stage) => settings(stage, '/about', 'About') },
  {
    name: 'unknown-screen',
    fleets: [0],
    open: async ({ page, core }) => {
      await goTo(page, core, '/nowhere');
      await expect(page.getByRole('heading', { name: 'There is no such screen' })).toBeVisible();
    },
  },
  {
    name: 'signed-out',
    fleets: [0],
    isLast: true,
    open: async ({ page, core }) => {
      await page.context().clearCookies();
      await goTo(page, core, '/');
      await expect(page.getByRole('heading', { name: 'This browser is not logged in' })).toBeVisible(SOON);
    },
  },

  { name: 'fleet-grid', fleets: [3, 40, 500], open: (stage) => view(stage, 'Grid') },
  { name: 'fleet-table', fleets: [3, 40, 500], open: (stage) => view(stage, 'Table') },
  { name: 'fleet-wall', fleets: [3, 40, 500], open: (stage) => view(stage, 'Wall') },
  { name: 'fleet-filter', fleets: [40, 500], open: (stage) => view(stage, 'Grid', '?q=type:worker') },
  {
    name: 'fleet-no-match',
    fleets: [40],
    open: async ({ page, core }) => {
      await goTo(page, core, '/agents?q=no-such-agent');
      await expect(page.getByRole('heading', { name: 'No agent matches the filter' })).toBeVisible(SOON);
    },
  },
  {
    name: 'fleet-selection',
    fleets: [40],
    open: async (stage) => {
      await view(stage, 'Grid');
      await stage.page.keyboard.press('Control+a');
      await expect(stage.page.getByRole('region', { name: 'Selected agents' })).toBeVisible();
    },
  },
  {
    name: 'fleet-menu',
    fleets: [40],
    isForPicturesOnly: true,
    open: async (stage) => {
      await view(stage, 'Grid');
      await listed(stage.page).nth(1).click({ button: 'right' });
      await expect(stage.page.getByRole('menu')).toBeVisible();
    },
  },
  ...agentScreens(3),
  ...agentScreens(40),
  {
    name: 'agent-control',
    fleets: [3],
    open: async (stage) => {
      await agent(stage, 'scout');
      await button(stage.page, 'Take control').click();
      await expect(stage.page.getByText('You have the keyboard.')).toBeVisible(SOON);
    },
  },
  {
    name: 'agent-search',
    fleets: [3],
    open: async (stage) => {
      await agent(stage, 'scout');
      await button(stage.page, 'Search the terminal').click();
      await stage.page.getByRole('searchbox', { name: 'Search the terminal' }).fill('files');
      await expect(stage.page.getByText(/^\d+ of \d+$/)).toBeVisible(SOON);
    },
  },
  { name: 'agent-working', fleets: [40], open: (stage) => agent(stage, 'ada') },
  { name: 'agent-worker', fleets: [40], isForPicturesOnly: true, open: (stage) => agent(stage, 'batch-1') },
  { name: 'agent-failed', fleets: [40], open: (stage) => agent(stage, 'ivo') },
  { name: 'agent-paused', fleets: [40], isForPicturesOnly: true, open: (stage) => agent(stage, 'pia') },
  { name: 'agent-stopped', fleets: [40], isForPicturesOnly: true, open: (stage) => agent(stage, 'max') },
  { name: 'agent-never-started', fleets: [40], open: (stage) => agent(stage, 'uma') },
  {
    name: 'agent-unknown',
    fleets: [3],
    open: async ({ page, core }) => {
      await goTo(page, core, '/agent/nobody');
      await expect(page.getByRole('heading', { name: 'There is no agent “nobody”' })).toBeVisible(SOON);
    },
  },
  { name: 'messages', fleets: [3, 40, 500], open: (stage) => messages(stage) },
  {
    name: 'messages-selected',
    fleets: BOTH,
    open: async (stage) => {
      await messages(stage);
      await rows(stage.page)
        .filter({ hasText: /Which tide tables|Analyse the first share/ })
        .first()
        .click();
    },
  },
  {
    name: 'messages-thread',
    fleets: [40],
    open: async (stage) => {
      await messages(stage);
      await rows(stage.page).filter({ hasText: 'Which tide tables' }).first().click();
      await stage.page.keyboard.press('t');
      await expect(rows(stage.page)).toHaveCount(2);
    },
  },
  {
    name: 'messages-composer',
    fleets: [40],
    over: '[role="listbox"]',
    open: async (stage) => {
      await messages(stage);
      const writing = stage.page.getByRole('textbox', { name: 'Message' });
      // What another look left is a draft, and kept.
      await writing.fill('');
      await writing.pressSequentially('@ada please look at `src/fee.mjs` again, and @b');
      await expect(stage.page.getByRole('listbox', { name: 'Agents' })).toBeVisible();
    },
  },
  {
    name: 'messages-search',
    fleets: BOTH,
    open: async ({ page, core }) => {
      await goTo(page, core, '/messages?q=the&priority=normal');
      await expect(page.getByRole('list', { name: 'Messages found' }).getByRole('listitem').first()).toBeVisible(SOON);
    },
  },
  {
    name: 'messages-files',
    fleets: [3],
    open: async (stage) => {
      const { page } = stage;
      await messages(stage);
      await page.getByRole('textbox', { name: 'Message' }).fill('The figures of the run, and what I saw.');
      const files = page.getByRole('list', { name: 'Files to send' });
      // What another look left is a draft, and kept.
      if (await files.isVisible()) return;
      await page.getByLabel('Files to attach').setInputFiles([
        { name: 'run figures.csv', mimeType: 'text/csv', buffer: Buffer.from('step,ms\n1,20\n') },
        { name: 'what the second shard said before it ended.log', mimeType: 'text/plain', buffer: Buffer.alloc(34_000, 97) },
        // No name that can be sent: it is refused on the spot.
        { name: `${'x'.repeat(280)}.bin`, mimeType: 'application/octet-stream', buffer: Buffer.from('x') },
      ]);
      await expect(files.getByRole('listitem')).toHaveCount(3);
      await expect(page.getByRole('progressbar', { name: /^Sending/ })).toHaveCount(0, SOON);
    },
  },
  {
    name: 'messages-panel',
    fleets: [40],
    over: 'aside[aria-label="About the selected message"]',
    open: async (stage) => {
      await messages(stage);
      await rows(stage.page).filter({ hasText: 'Which tide tables' }).first().click();
      const show = button(stage.page, 'Show sequence and delivery');
      if (await show.isVisible()) await show.click();
      await stage.page.getByRole('tab', { name: 'Delivery' }).click();
    },
  },
  {
    name: 'messages-queue',
    fleets: BOTH,
    over: 'aside[aria-label="About the selected message"]',
    open: async ({ page, core }) => {
      await goTo(page, core, '/messages?queue=operator');
      await expect(page.getByText(/ of 10,000 messages/)).toBeVisible(SOON);
    },
  },
  {
    name: 'messages-dead',
    fleets: BOTH,
    open: async ({ page, core }) => {
      await goTo(page, core, '/messages?state=dead');
      await expect(page.getByRole('checkbox', { name: 'Choose all' })).toBeVisible(SOON);
    },
  },
  {
    name: 'messages-topics',
    fleets: BOTH,
    open: async ({ page, core }) => {
      await goTo(page, core, '/messages?view=topics');
      await expect(page.getByRole('region', { name: 'Your subscriptions' })).toBeVisible(SOON);
    },
  },
  {
    name: 'new-agent',
    fleets: [40],
    open: async ({ page, core }) => {
      await goTo(page, core, '/new/batch-worker');
      await expect(page.getByRole('heading', { name: /from Batch worker/ })).toBeVisible(SOON);
    },
  },
  {
    name: 'new-agent-contained',
    fleets: [3],
    open: async ({ page, core }) => {
      await goTo(page, core, '/new');
      const runtimes = page.getByRole('radiogroup', { name: 'Runtime' });
      await expect(runtimes).toBeVisible(SOON);
      // The strongest that this machine has: without an engine it says what is missing.
      await runtimes.getByRole('radio', { disabled: false }).first().click();
      await runtimes.evaluate((group) => group.scrollIntoView());
    },
  },
  {
    name: 'new-agent-errors',
    fleets: [40],
    open: async ({ page, core }) => {
      await goTo(page, core, '/new');
      await expect(button(page, 'Start Shell')).toBeVisible(SOON);
      await page.getByRole('radio', { name: 'Command' }).click();
      await page.getByRole('textbox', { name: 'Name' }).fill('No Spaces Here');
      await page.getByRole('textbox', { name: 'Memory' }).fill('lots');
      await button(page, 'Create and start').click();
      await expect(page.getByText(/Must|must|Name the program/).first()).toBeVisible(SOON);
    },
  },
  {
    name: 'palette',
    fleets: [40, 500],
    open: async (stage) => {
      await view(stage, 'Grid');
      await stage.page.keyboard.press('Control+k');
      await stage.page.keyboard.type('a');
      await expect(stage.page.getByRole('dialog').getByRole('option').first()).toBeVisible();
    },
  },
  {
    name: 'shortcuts',
    fleets: [40],
    open: async (stage) => {
      await view(stage, 'Grid');
      await stage.page.keyboard.press('?');
      await expect(stage.page.getByRole('dialog', { name: 'Shortcuts' })).toBeVisible();
    },
  },
  {
    name: 'notifications',
    fleets: [0, 40],
    open: async ({ page, core }) => {
      await goTo(page, core, '/messages');
      await button(page, /^Notifications/).click();
      await expect(page.getByRole('heading', { name: 'Notifications' })).toBeVisible();
    },
  },
  {
    name: 'rail-expanded',
    fleets: [40],
    open: async (stage) => {
      await view(stage, 'Grid');
      if (!(await button(stage.page, 'Hide the labels').isVisible())) await button(stage.page, 'Show the labels').click();
      await expect(button(stage.page, 'Hide the labels')).toBeVisible();
    },
  },
  {
    name: 'toast',
    fleets: [3],
    isLast: true,
    isForPicturesOnly: true,
    open: async (stage) => {
      await view(stage, 'Grid');
      await asked(stage.page);
      await button(stage.page, 'Stop all').click();
      await expect(stage.page.getByText('3 agents were stopped.')).toBeVisible(SOON);
      // The pointer on it: it stands as long as it is looked at.
      await stage.page.getByText('3 agents were stopped.').hover();
    },
  },
  {
    name: 'offline',
    fleets: [40],
    isLast: true,
    open: async (stage) => {
      await view(stage, 'Grid');
      await asked(stage.page);
      await stage.core.kill();
      await expect(stage.page.getByText('The core does not answer.')).toBeVisible(SOON);
    },
  },
];
