/** The window's primitives, one page each: sound in both themes, and everything by keyboard. */
import type { Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { axeFindings, overflows } from '#e2e/support/window.ts';
import { buildGallery, pressOn, serveGallery, showPage } from '#e2e/support/gallery.ts';

const PAGES = [
  'button',
  'menu',
  'choice',
  'field',
  'tabs',
  'dialog',
  'table',
  'list',
  'mark',
  'feedback',
  'toast',
  'token',
  'font',
] as const;
const THEMES = ['dark', 'light'] as const;

/** The longest that anything of the window may move, in milliseconds. */
const LONGEST_MOTION_MS = 150;

test.beforeAll(buildGallery);
test.beforeEach(async ({ page }) => serveGallery(page));

const status = (page: Page) => page.getByRole('main').getByRole('status').last();

for (const theme of THEMES) {
  test(`every page is sound in the ${theme} theme, at full size and at 200 % zoom`, async ({ page }) => {
    test.slow();
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    for (const name of PAGES) {
      await page.setViewportSize({ width: 1440, height: 900 });
      await showPage(page, name);
      expect.soft(await axeFindings(page), `axe, ${name}`).toEqual([]);
      expect.soft(await overflows(page), `overflow, ${name}`).toEqual([]);
      await page.setViewportSize({ width: 720, height: 450 });
      expect.soft(await overflows(page), `overflow at 200 %, ${name}`).toEqual([]);
    }
  });

  test(`what opens is sound in the ${theme} theme`, async ({ page }) => {
    test.slow();
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    const openers = [
      ['menu', 'Actions'],
      ['menu', 'Columns and order'],
      ['menu', 'container · net none'],
      ['choice', 'To: reviewer, webhooks'],
      ['dialog', 'Delete…'],
      ['dialog', 'Read on…'],
      ['toast', 'Failed'],
      ['toast', 'Needs you'],
    ] as const;
    for (const [name, button] of openers) {
      await showPage(page, name);
      await page.getByRole('button', { name: button, exact: true }).click();
      await page.locator('[data-state="open"], [data-sonner-toast]').first().waitFor();
      expect.soft(await axeFindings(page), `axe, ${button}`).toEqual([]);
      await page.setViewportSize({ width: 720, height: 450 });
      expect.soft(await overflows(page), `overflow at 200 %, ${button}`).toEqual([]);
      await page.setViewportSize({ width: 1440, height: 900 });
    }
  });

  test(`looks as it did in the ${theme} theme`, async ({ page }) => {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await page.setViewportSize({ width: 1100, height: 800 });
    for (const name of ['button', 'field', 'mark'] as const) {
      await showPage(page, name);
      await expect(page).toHaveScreenshot(`${name}-${theme}.png`);
    }
  });
}

test('what terminals print is drawn by bundled faces, each character in its cell', async ({ page }) => {
  await showPage(page, 'font');
  const client = await page.context().newCDPSession(page);
  await client.send('DOM.enable');
  await client.send('CSS.enable');
  const { root } = await client.send('DOM.getDocument');
  const { nodeIds } = await client.send('DOM.querySelectorAll', { nodeId: root.nodeId, selector: '[data-glyph] > span' });
  const drawn = await page.locator('[data-glyph]').evaluateAll((glyphs) =>
    glyphs.map((glyph) => ({
      character: glyph.getAttribute('data-glyph') ?? '',
      width: glyph.firstElementChild?.getBoundingClientRect().width ?? 0,
    })),
  );
  const cell = drawn.find(({ character }) => character === 'A')?.width ?? 0;
  expect(cell).toBeGreaterThan(5);
  expect(nodeIds.length).toBe(drawn.length);
  expect(drawn.filter(({ width }) => Math.abs(width - cell) > 0.05)).toEqual([]);
  const foreign: string[] = [];
  for (const [index, nodeId] of nodeIds.entries()) {
    const { fonts } = await client.send('CSS.getPlatformFontsForNode', { nodeId });
    if (fonts.length === 0 || fonts.some(({ isCustomFont }) => !isCustomFont))
      foreign.push(`${drawn[index]?.character}: ${fonts.map(({ familyName }) => familyName).join(', ')}`);
  }
  expect(foreign).toEqual([]);
});

test('nothing moves for long, and nothing at all where motion is not wanted', async ({ page }) => {
  const motions = (): Promise<{ name: string; ms: number }[]> =>
    page.evaluate(() =>
      document.getAnimations().map((animation) => ({
        name: animation instanceof CSSAnimation ? animation.animationName : 'transition',
        ms: Number(animation.effect?.getComputedTiming().duration ?? 0),
      })),
    );
  for (const reducedMotion of ['no-preference', 'reduce'] as const) {
    await page.emulateMedia({ reducedMotion });
    await showPage(page, 'feedback');
    const waiting = (await motions()).map(({ name }) => name);
    // The one thing that goes on by itself says that something else does.
    expect(waiting).toEqual(reducedMotion === 'reduce' ? [] : ['waiting']);
    await showPage(page, 'toast');
    await page.evaluate(() => {
      const seen: number[] = [];
      Reflect.set(window, 'seenMotions', seen);
      const look = (event: Event): void => {
        if (!(event.target instanceof Element)) return;
        for (const animation of event.target.getAnimations())
          seen.push(Number(animation.effect?.getComputedTiming().duration ?? 0));
      };
      document.addEventListener('animationstart', look);
      document.addEventListener('transitionrun', look);
    });
    await page.getByRole('button', { name: 'Needs you' }).click();
    await page.getByRole('button', { name: 'Keep' }).click();
    await expect(page.getByText('Answer: keep')).toBeVisible();
    const seen = await page.evaluate(() => Reflect.get(window, 'seenMotions') as number[]);
    expect(seen.filter((ms) => ms > LONGEST_MOTION_MS)).toEqual([]);
    if (reducedMotion === 'reduce') expect(seen).toEqual([]);
  }
});

test('a menu is opened, gone through, used and left by keys', async ({ page }) => {
  await showPage(page, 'menu');
  const trigger = page.getByRole('button', { name: 'Actions', exact: true });
  await trigger.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menu', { name: 'Actions of ada' })).toBeVisible();
  await expect(page.getByRole('menuitem', { name: 'Start' })).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('menuitem', { name: 'Pause' })).toBeFocused();
  // What is disabled is passed over.
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('menuitem', { name: 'Copy the attach command' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(trigger).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'Start' })).toBeFocused();
  await page.keyboard.press('End');
  await expect(page.getByRole('menuitem', { name: 'Delete' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(status(page)).toHaveText('Last: deleted');
  await expect(trigger).toBeFocused();

  const columns = page.getByRole('button', { name: 'Columns and order' });
  const shown = page.getByRole('menuitemcheckbox', { name: 'CPU' });
  await pressOn(columns, 'Enter');
  await expect(shown).toBeFocused();
  await page.keyboard.press('Space');
  await expect(shown).not.toBeChecked();
  await pressOn(page.getByRole('menuitemradio', { name: 'Name' }), 'Enter');
  await expect(columns).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(shown).toBeFocused();
  await expect(page.getByRole('menuitemradio', { name: 'Name' })).toBeChecked();
  await page.keyboard.press('Escape');
  await expect(columns).toBeFocused();

  const area = page.getByRole('button', { name: 'Right button' });
  await pressOn(area, 'Shift+F10');
  await expect(page.getByRole('menuitem', { name: 'Start' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(status(page)).toHaveText('Last: started');
  await expect(area).toBeFocused();
});

test('a tooltip comes with keyboard focus, and not with the focus a menu gives back to the pointer', async ({ page }) => {
  await showPage(page, 'menu');
  await page.getByRole('button', { name: 'container · net none' }).focus();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('tooltip')).toContainText('Stops all agents, after asking');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('tooltip')).toBeHidden();
  await page.getByRole('button', { name: 'More' }).click();
  await page.getByRole('menuitem', { name: 'Start' }).click();
  await expect(status(page)).toHaveText('Last: started');
  await expect(page.getByRole('tooltip')).toBeHidden();
});

test('choices are made by keys', async ({ page }) => {
  await showPage(page, 'choice');
  const priority = page.getByRole('combobox', { name: 'Priority' });
  await priority.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('option', { name: 'any' })).toBeFocused();
  await page.keyboard.press('h');
  await expect(page.getByRole('option', { name: 'high' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(priority).toHaveText(/high/);
  await expect(priority).toBeFocused();

  await pressOn(page.getByRole('button', { name: 'Agent: any', exact: true }), 'ArrowDown');
  const filter = page.getByRole('combobox', { name: 'Agent' });
  await expect(filter).toBeFocused();
  await page.keyboard.type('worker-3');
  await expect(page.getByRole('option')).toHaveCount(11);
  await page.keyboard.type('7');
  await expect(page.getByRole('option')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Agent: worker-37' })).toBeFocused();

  await pressOn(page.getByRole('button', { name: 'To: reviewer, webhooks' }), 'Enter');
  await expect(page.getByRole('combobox', { name: 'To' })).toBeFocused();
  await page.keyboard.type('ledger');
  await expect(page.getByRole('option')).toHaveCount(1);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'To: ledger-migrate, reviewer, webhooks', includeHidden: true })).toBeAttached();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'To: ledger-migrate, reviewer, webhooks' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('combobox', { name: 'To' })).toBeFocused();
  await page.keyboard.type('nobody is called so');
  await expect(page.getByText('Nothing matches.')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'To: ledger-migrate, reviewer, webhooks' })).toBeFocused();

  await pressOn(page.getByRole('radiogroup', { name: 'View', exact: true }).getByRole('radio', { name: 'Grid' }), 'ArrowRight');
  await expect(page.getByRole('radiogroup', { name: 'View, icons' }).getByRole('radio', { name: 'Table' })).toBeChecked();
  const files = page.getByRole('checkbox', { name: 'Files' });
  await expect(files).toHaveAttribute('aria-checked', 'mixed');
  await pressOn(files, 'Space');
  await expect(files).toBeChecked();
  await pressOn(page.getByRole('switch', { name: 'Notifications' }), 'Space');
  await expect(page.getByRole('switch', { name: 'Notifications' })).not.toBeChecked();
});

test('a dialog keeps the focus and gives it back', async ({ page }) => {
  await showPage(page, 'dialog');
  const opener = page.getByRole('button', { name: 'Delete…' });
  await pressOn(opener, 'Enter');
  const dialog = page.getByRole('dialog', { name: 'Delete ledger-migrate' });
  await expect(dialog).toHaveAccessibleDescription(/cannot be undone/);
  await expect(dialog.getByRole('textbox')).toBeFocused();
  await page.keyboard.type('ledger-migrate');
  await expect(dialog.getByRole('button', { name: 'Delete the agent' })).toBeEnabled();
  for (let step = 0; step < 5; step += 1) {
    await page.keyboard.press('Tab');
    expect(await dialog.evaluate((element) => element.contains(document.activeElement))).toBe(true);
  }
  // The cross had one when the focus came by; Escape is its own for as long as it stands.
  await expect(page.getByRole('tooltip')).toBeHidden();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(opener).toBeFocused();

  // From a menu, whose item is gone by then; and a toast above it can be answered without leaving it.
  await pressOn(page.getByRole('button', { name: 'From a menu' }), 'Enter');
  await expect(page.getByRole('menuitem', { name: 'New agent…' })).toBeFocused();
  await page.keyboard.press('Enter');
  const second = page.getByRole('dialog', { name: 'New agent' });
  await second.getByRole('button', { name: 'Check' }).click();
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect(page.getByText('Answer: undone')).toBeAttached();
  await expect(second).toBeVisible();
  await pressOn(second.getByRole('textbox', { name: 'Name' }), 'Escape');
  await expect(second).toBeHidden();
  await expect(page.getByRole('button', { name: 'From a menu' })).toBeFocused();

  // What is longer than its box is reached and scrolled by keys.
  await pressOn(page.getByRole('button', { name: 'Read on…' }), 'Enter');
  await expect(page.getByRole('dialog').getByRole('button', { name: 'Close' })).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('dialog').locator('[tabindex="0"]', { hasText: 'Paragraph 30:' })).toBeFocused();
  await page.keyboard.press('End');
  await expect(page.getByText('Paragraph 30:')).toBeInViewport();
});

test('tabs are gone through by arrows; what does not fit stands under More', async ({ page }) => {
  await showPage(page, 'tabs');
  const row = page.getByRole('tablist', { name: 'Of ada' });
  await row.getByRole('tab', { name: 'Overview' }).focus();
  await page.keyboard.press('ArrowRight');
  await expect(row.getByRole('tab', { name: /Messages/ })).toBeFocused();
  await expect(page.getByRole('tabpanel', { name: /Messages/ }).first()).toContainText('What Messages shows.');
  await page.keyboard.press('End');
  await expect(row.getByRole('tab', { name: 'Config' })).toHaveAttribute('aria-selected', 'true');

  const folded = page.getByRole('tablist', { name: 'Of ben' });
  await expect(folded.getByRole('tab')).toHaveCount(3);
  await pressOn(page.getByRole('button', { name: 'More' }).first(), 'Enter');
  await expect(page.getByRole('menuitemradio').first()).toBeFocused();
  await pressOn(page.getByRole('menuitemradio', { name: 'Activity' }), 'Enter');
  await expect(folded.getByRole('tab')).toHaveCount(4);
  await expect(folded.getByRole('tab', { name: 'Activity' })).toHaveAttribute('aria-selected', 'true');
  expect(await overflows(page)).toEqual([]);
});

test('a long list keeps its place, its end, its focus and its numbers', async ({ page }) => {
  await showPage(page, 'list');
  const log = page.getByRole('log', { name: 'Log' });
  const line = (index: number) => log.getByRole('listitem').filter({ hasText: new RegExp(`^Line ${index}(?!\\d)`) });
  await expect(line(1_199)).toBeInViewport();
  await expect(line(1_199)).toHaveAttribute('aria-posinset', '200');
  await expect(line(1_199)).toHaveAttribute('aria-setsize', '200');

  // At the end it follows the end.
  await page.getByRole('button', { name: 'One after' }).click();
  await expect(line(1_200)).toBeInViewport();

  // So it does when its box gets lower.
  await page.getByRole('button', { name: 'Lower' }).click();
  await expect(line(1_200)).toBeInViewport({ ratio: 0.9 });
  await page.getByRole('button', { name: 'Lower' }).click();
  await expect(line(1_200)).toBeInViewport({ ratio: 0.9 });

  // In the middle, what is read stays where it is: with fifty more before it, and one more after.
  await log.hover();
  await page.mouse.wheel(0, -1_500);
  await expect(status(page)).toContainText('not at the end');
  await log.evaluate((box) =>
    new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))).then(() => box.scrollTop),
  );
  const firstShown = await log.evaluate((box) => {
    const top = box.getBoundingClientRect().top;
    const shown = [...box.querySelectorAll('[role=listitem]')].find((item) => item.getBoundingClientRect().top >= top);
    return Number(/\d+/.exec(shown?.textContent ?? '')?.[0]);
  });
  const before = await line(firstShown).boundingBox();
  await page.getByRole('button', { name: 'Fifty before' }).click();
  await expect(status(page)).toContainText('251 lines');
  await page.getByRole('button', { name: 'One after' }).click();
  await expect(status(page)).toContainText('252 lines, not at the end');
  await expect.poll(async () => Math.round((await line(firstShown).boundingBox())?.y ?? 0)).toBe(Math.round(before?.y ?? -1));

  // The focused item stays, wherever the list is scrolled to.
  const reply = line(firstShown).getByRole('button');
  await reply.focus();
  await log.evaluate((box) => box.scrollTo(0, 0));
  await expect(line(950)).toBeInViewport();
  await expect(reply).toBeFocused();

  // Twenty thousand: only what is seen is made; keys go through them.
  const items = page.getByRole('listbox', { name: 'Items' });
  expect(await items.getByRole('option').count()).toBeLessThan(40);
  await items.focus();
  await page.keyboard.press('ArrowDown');
  await expect(items.getByRole('option', { name: 'Item 4', exact: true })).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('End');
  const last = items.getByRole('option', { name: 'Item 19999' });
  await expect(last).toBeInViewport();
  await expect(last).toHaveAttribute('aria-selected', 'true');
  await expect(items).toHaveAttribute('aria-activedescendant', (await last.getAttribute('id')) ?? 'none');
  expect(await items.getByRole('option').count()).toBeLessThan(40);
});

test('a table is sorted by keys and says how', async ({ page }) => {
  await showPage(page, 'table');
  const cpu = page.getByRole('columnheader', { name: 'CPU' });
  await cpu.getByRole('button').press('Enter');
  await expect(cpu).toHaveAttribute('aria-sort', 'ascending');
  await cpu.getByRole('button').press('Enter');
  await expect(cpu).toHaveAttribute('aria-sort', 'descending');
  await expect(page.getByRole('columnheader', { name: 'Name' })).toHaveAttribute('aria-sort', 'none');
  const box = page.getByRole('region', { name: 'Agents, scrolling' });
  await box.focus();
  await page.keyboard.press('End');
  await expect(page.getByRole('rowheader').last()).toBeInViewport();
  await expect(cpu).toBeInViewport();
});

test('a toast is announced politely, waits under the pointer, and is answered by keys', async ({ page }) => {
  await page.clock.install();
  await showPage(page, 'toast');
  await page.getByRole('button', { name: 'Undoable' }).click();
  const region = page.getByRole('region', { name: /^Notifications/ });
  await expect(region).toHaveAttribute('aria-live', 'polite');
  await expect(region.getByText('ada was paused.')).toBeVisible();
  await region.getByText('ada was paused.').hover();
  await page.clock.runFor(60_000);
  await expect(region.getByText('ada was paused.')).toBeVisible();
  await region.getByRole('button', { name: 'Undo' }).press('Enter');
  await expect(status(page)).toHaveText('Answer: undone');
  await page.clock.runFor(1_000);
  await expect(region.getByText('ada was paused.')).toBeHidden();

  await page.getByRole('button', { name: 'Short' }).click();
  await expect(region.getByText('Copied.')).toBeVisible();
  await page.clock.runFor(10_000);
  await expect(region.getByText('Copied.')).toBeHidden();
});

test('a field says what is wrong with it, and a search is emptied by Escape', async ({ page }) => {
  await showPage(page, 'field');
  const folder = page.getByRole('textbox', { name: 'Folder' });
  await expect(folder).toHaveAttribute('aria-invalid', 'true');
  await expect(folder).toHaveAccessibleDescription(/There is no such folder/);
  await expect(page.getByRole('textbox', { name: 'Name' })).toHaveAccessibleDescription('Letters, digits and dashes.');
  const search = page.getByRole('searchbox', { name: 'Filter agents' });
  await search.fill('ada');
  await search.press('Escape');
  await expect(search).toHaveValue('');
});

test('a copied text is in the clipboard, and the button says so', async ({ page, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: 'http://localhost' });
  await showPage(page, 'button');
  await page.getByRole('button', { name: 'Copy diagnostics' }).press('Enter');
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('claude /login');
});
