/** What specs do on the first page. */
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';

/** The text of the terminal on the page, history included. What is drawn cannot be read back; this asks the terminal's own buffer. */
export function terminalText(page: Page): Promise<string> {
  return page.evaluate(() => {
    const read: unknown = Reflect.get(window, 'quarterdeckTerminalText');
    return typeof read === 'function' ? String(Reflect.apply(read, window, [])) : '';
  });
}

/** What axe finds wrong with the page as it is now, as lines; WCAG 2.2 A and AA. The inside of xterm is not ours. */
export async function axeFindings(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .exclude('.xterm')
    .analyze();
  return violations.flatMap(({ id, help, nodes }) =>
    nodes
      // A menu is opened above the page and has the focus: it stands in no landmark, and none is missed.
      .filter(({ target }) => id !== 'region' || !target.join(' ').includes('data-radix-popper-content-wrapper'))
      .map(({ target }) => `${id}: ${help} — ${target.join(' ')}`),
  );
}

/** What sticks out of the page, or is wider than its box lets it be without saying so by an ellipsis. */
export function overflows(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    if (document.documentElement.scrollWidth > window.innerWidth) found.push('the page is wider than the window');
    if (document.documentElement.scrollHeight > window.innerHeight) found.push('the page is higher than the window');
    for (const element of document.querySelectorAll<HTMLElement>('header, section, li, button, label')) {
      if (element.closest('.xterm') || element.classList.contains('sr-only')) continue;
      const box = element.getBoundingClientRect();
      if (box.width > 0 && (box.right > window.innerWidth + 1 || box.left < -1))
        found.push(`${element.tagName} "${element.innerText.slice(0, 40)}"`);
      if (element.tagName === 'BUTTON' && element.scrollWidth > element.clientWidth + 1)
        found.push(`cut: "${element.innerText.slice(0, 40)}"`);
    }
    return found;
  });
}
