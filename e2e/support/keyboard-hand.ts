/** For browser specs: a hand that has only a keyboard. */
import type { Locator, Page } from '@playwright/test';
import { expect } from '@playwright/test';

/** More presses of Tab than any screen takes. */
const MOST_TABS = 80;

/** Presses keys, and never touches the mouse. */
export class KeyboardHand {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** Presses keys one after the other, such as `g`, `m` or `Control+Enter`. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.#page.keyboard.press(key);
  }

  /** Goes to a screen by its shortcut of two keys, which count together only when they come soon after one another. */
  async goTo(first: string, second: string, address: RegExp): Promise<void> {
    await expect(async () => {
      await this.press(first, second);
      await expect(this.#page).toHaveURL(address, { timeout: 2_000 });
    }).toPass({ timeout: 20_000 });
  }

  async type(text: string): Promise<void> {
    await this.#page.keyboard.type(text);
  }

  /** Presses Tab until `wanted` has the focus. Fails when it never has. */
  async tabTo(wanted: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
    await expect(wanted).toBeEnabled();
    for (let presses = 0; presses < MOST_TABS; presses += 1) {
      if (await wanted.evaluate((element) => element === document.activeElement)) return;
      await this.#page.keyboard.press(key);
    }
    throw new Error(`${MOST_TABS} times ${key} does not lead to ${wanted.toString()}`);
  }

  /** Runs what the palette finds first for a text. */
  async run(text: string): Promise<void> {
    const palette = this.#page.getByRole('dialog', { name: 'Search or run a command' });
    await this.press('Control+k');
    await expect(palette).toBeVisible();
    await this.type(text);
    await expect(palette.getByRole('option', { selected: true })).toContainText(new RegExp(text, 'i'));
    await this.press('Enter');
    await expect(palette).toBeHidden();
  }
}
