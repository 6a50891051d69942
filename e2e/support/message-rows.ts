/** For specs: the rows of the Messages screen. */
import type { Locator, Page } from '@playwright/test';

/** The list of messages. */
export const feed = (page: Page): Locator => page.getByRole('feed', { name: 'Messages' });

/** Rows that hold a text. */
export const row = (page: Page, text: string | RegExp): Locator => feed(page).getByRole('article').filter({ hasText: text });

/** The topmost row in sight, and where it stands. */
export function firstSeen(page: Page): Promise<{ readonly id: string; readonly top: number }> {
  return feed(page).evaluate((box) => {
    const edge = box.getBoundingClientRect().top;
    const rows = [...box.querySelectorAll<HTMLElement>('article')];
    const seen = rows
      .map((each) => ({ id: each.dataset['message'] ?? '', box: each.getBoundingClientRect() }))
      .filter((each) => each.box.bottom > edge)
      .toSorted((a, b) => a.box.top - b.box.top);
    return { id: seen[0]?.id ?? '', top: (seen[0]?.box.top ?? 0) - edge };
  });
}
