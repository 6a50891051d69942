/** For browser specs: a window on a core, and what every screen of it is checked for. */
import AxeBuilder from '@axe-core/playwright';
import type { Browser, BrowserContextOptions, Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from './core.ts';
import { RestClient } from './rest-client.ts';

/** The sizes the window is made for, in CSS pixels. */
export const WIDE = { width: 1440, height: 900 } as const;
/** The smaller of the sizes that the window is made for. */
export const NARROW = { width: 1024, height: 700 } as const;
/** The wide one at 200 % zoom, as far as the page can tell. */
export const ZOOMED = { width: 720, height: 450 } as const;
/** The least that it must still be usable in, as beside another window or on a telephone. */
export const SLIM = { width: 360, height: 640 } as const;
/** The sizes the window is made for. */
export const SIZES = [WIDE, NARROW] as const;
/** Both themes. */
export const THEMES = ['dark', 'light'] as const;

const Link = z.object({ url: z.string() });

/** A fresh login link of a core. */
export async function loginLink(core: TestCore): Promise<string> {
  return Link.parse(await new RestClient(core).ok('POST', '/auth/login-links', {})).url;
}

/** Opens a window in a browser profile of its own, logs it in, and goes to `path`. */
export async function openWindow(
  browser: Browser,
  core: TestCore,
  path = '/',
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({
    viewport: WIDE,
    colorScheme: 'dark',
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  const page = await context.newPage();
  await page.goto(await loginLink(core));
  await expect(page.getByRole('navigation', { name: 'Screens' })).toBeVisible();
  if (path !== '/') await goTo(page, core, path);
  return page;
}

/** Shows a tab of the row beside an agent's terminal, by the menu "More" where there is no room for it. */
export async function openTab(page: Page, name: string): Promise<void> {
  const tab = page.getByRole('tab', { name: new RegExp(`^${name}`) });
  if (await tab.isVisible()) await tab.click();
  else {
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('menuitemradio', { name }).click();
  }
}

/** Opens a path of the window as its address. */
export async function goTo(page: Page, core: TestCore, path: string): Promise<void> {
  await page.goto(new URL(path, core.run.url).href);
}

/** The text of the terminal on the page, history included. What is drawn cannot be read back; this asks the terminal's own buffer. */
export function terminalText(page: Page): Promise<string> {
  return page.evaluate(() => {
    const read: unknown = Reflect.get(window, 'quarterdeckTerminalText');
    return typeof read === 'function' ? String(Reflect.apply(read, window, [])) : '';
  });
}

/** The lines of the terminal that are in sight. */
export function shownText(page: Page): Promise<string> {
  return page.evaluate(() => {
    const read: unknown = Reflect.get(window, 'quarterdeckTerminalShown');
    return typeof read === 'function' ? String(Reflect.apply(read, window, [])) : '';
  });
}

/**
 * The page has taken in its size and theme: fonts are there, it was drawn, and what it does when it sees how large things
 * are (React's tasks come by messages between frames) was drawn as well.
 */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    const frame = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(resolve));
    const message = (): Promise<unknown> =>
      new Promise((resolve) => {
        const { port1, port2 } = new MessageChannel();
        port1.addEventListener('message', resolve, { once: true });
        port1.start();
        port2.postMessage(null);
      });
    for (let round = 0; round < 2; round += 1) {
      await frame();
      await frame();
      await message();
    }
  });
}

/** What axe finds wrong with the page as it is now, as lines; WCAG 2.2 A and AA. The inside of xterm is not ours. */
export async function axeFindings(page: Page, options: { readonly onlyColours?: boolean } = {}): Promise<string[]> {
  await settled(page);
  // The legacy mode leaves frames of other origins out, of which there are none, and opens no page of its own for each run.
  const builder = new AxeBuilder({ page }).exclude('.xterm').setLegacyMode(true);
  const { violations } = await (
    options.onlyColours === true
      ? builder.withRules(['color-contrast'])
      : builder.withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice'])
  ).analyze();
  return violations.flatMap(({ id, help, nodes }) =>
    nodes
      // A menu is opened above the page and has the focus: it stands in no landmark, and none is missed.
      .filter(({ target }) => id !== 'region' || !target.join(' ').includes('data-radix-popper-content-wrapper'))
      .map(({ target }) => `${id}: ${help} — ${target.join(' ')}`),
  );
}

/** What sticks out of the page, or is cut off by its box without an ellipsis that says so. */
export async function overflows(page: Page): Promise<string[]> {
  await settled(page);
  return page.evaluate(() => {
    const found = new Set<string>();
    const name = (element: HTMLElement): string =>
      `${element.tagName.toLowerCase()} "${(element.getAttribute('aria-label') ?? element.innerText).slice(0, 40)}"`;
    if (document.documentElement.scrollWidth > window.innerWidth) found.add('the page is wider than the window');
    if (document.documentElement.scrollHeight > window.innerHeight) found.add('the page is higher than the window');
    for (const element of document.querySelectorAll<HTMLElement>('body *')) {
      // Terminals cut their lines as terminals do, and what only a screen reader gets has no size.
      if (element.closest('.xterm, [role="img"], .sr-only, svg') !== null) continue;
      const box = element.getBoundingClientRect();
      // One pixel is the size of what is there for screen readers.
      if (box.width <= 1 || box.height <= 1) continue;
      if (['HEADER', 'SECTION', 'LI', 'BUTTON', 'LABEL'].includes(element.tagName)) {
        const scroller = element.closest('[data-scrolls-x]');
        if (scroller === null && (box.right > window.innerWidth + 1 || box.left < -1)) found.add(`sticks out: ${name(element)}`);
      }
      if (element.tagName === 'BUTTON' && element.scrollWidth > element.clientWidth + 1) found.add(`cut: ${name(element)}`);
      const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== '');
      if (!hasText || element.tagName === 'TEXTAREA') continue;
      const style = getComputedStyle(element);
      const isClamped = style.getPropertyValue('-webkit-line-clamp') !== 'none';
      const hides = (overflow: string): boolean => overflow === 'hidden' || overflow === 'clip';
      if (hides(style.overflowX) && style.textOverflow !== 'ellipsis' && element.scrollWidth > element.clientWidth + 1)
        found.add(`text is cut: ${name(element)}`);
      // What cannot shrink is cut by the box around it. A box that scrolls shows all of it in time.
      for (let around = element.parentElement; around !== null; around = around.parentElement) {
        const { overflowX, textOverflow } = getComputedStyle(around);
        if (overflowX === 'auto' || overflowX === 'scroll') break;
        if (!hides(overflowX) || textOverflow === 'ellipsis') continue;
        const edge = around.getBoundingClientRect();
        if (edge.width > 1 && (box.right > edge.right + 1 || box.left < edge.left - 1))
          found.add(`cut by its box: ${name(element)}`);
      }
      // A line of text may be a little higher than its box; half a line is lost text.
      if (hides(style.overflowY) && !isClamped && element.scrollHeight > element.clientHeight + 6)
        found.add(`lines are cut: ${name(element)}`);
    }
    return [...found];
  });
}

/**
 * Controls that cannot be got at: scrolled to where they are, they lie outside of the window or under something else.
 * Of long lists only the controls that are made are looked at. Where something covers the page on purpose (a dialog, a
 * menu, what `over` selects), only what is in it counts.
 */
export async function unreachable(page: Page, over = '[role="dialog"][data-state="open"]'): Promise<string[]> {
  await settled(page);
  return page.evaluate((extra) => {
    const found: string[] = [];
    const covers = [
      ...document.querySelectorAll(`[role="dialog"][data-state="open"], [role="menu"][data-state="open"], ${extra}`),
    ];
    const inside: ParentNode = covers.at(-1) ?? document;
    const scrolled = new Map<Element, readonly [number, number]>();
    for (const box of document.querySelectorAll('body *'))
      if (box.scrollTop !== 0 || box.scrollLeft !== 0) scrolled.set(box, [box.scrollTop, box.scrollLeft]);
    const wanted = 'button, a[href], input, select, textarea, [role="tab"], [role="radio"], [role="switch"], [role="checkbox"]';
    for (const control of inside.querySelectorAll<HTMLElement>(wanted)) {
      if (control.closest('.xterm, [aria-hidden="true"], [inert]') !== null || control.classList.contains('sr-only')) continue;
      const style = getComputedStyle(control);
      if (style.visibility === 'hidden' || style.display === 'none') continue;
      const first = control.getBoundingClientRect();
      // A native control behind a drawn one, or what is shown on focus only.
      if (first.width <= 1 || first.height <= 1 || style.opacity === '0' || style.clipPath !== 'none') continue;
      control.scrollIntoView({ block: 'nearest', inline: 'nearest' });
      const box = control.getBoundingClientRect();
      const name = control.getAttribute('aria-label') ?? control.innerText.slice(0, 40);
      const x = (Math.max(box.left, 0) + Math.min(box.right, window.innerWidth)) / 2;
      const y = (Math.max(box.top, 0) + Math.min(box.bottom, window.innerHeight)) / 2;
      if (box.left < -1 || box.right > window.innerWidth + 1 || box.bottom <= 0 || box.top >= window.innerHeight) {
        found.push(`outside of the window: ${control.tagName.toLowerCase()} "${name}"`);
        continue;
      }
      const hit = document.elementFromPoint(x, y);
      const isHit = hit !== null && (control.contains(hit) || hit.contains(control) || hit.closest('label')?.contains(control));
      // Toasts float for a while, and are no part of the page.
      if (isHit !== true && hit?.closest('[data-sonner-toaster]') === null)
        found.push(
          `covered: ${control.tagName.toLowerCase()} "${name}" by ${hit.tagName.toLowerCase()} "${hit.textContent?.slice(0, 30)}"`,
        );
    }
    for (const [box, [top, left]] of scrolled) {
      box.scrollTop = top;
      box.scrollLeft = left;
    }
    return found;
  }, over);
}

/** Both themes at every size: nothing that axe finds, nothing that sticks out. Leaves the page dark and wide. */
export async function expectSound(
  page: Page,
  what: string,
  sizes: readonly { readonly width: number; readonly height: number }[] = SIZES,
): Promise<void> {
  // axe looks at some pages, seconds each where other things run beside it.
  test.slow();
  for (const colorScheme of THEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    for (const size of sizes) {
      await page.setViewportSize(size);
      expect.soft(await axeFindings(page), `${what}: axe, ${colorScheme}, ${size.width}`).toEqual([]);
      expect.soft(await overflows(page), `${what}: overflow, ${colorScheme}, ${size.width}`).toEqual([]);
    }
  }
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await page.setViewportSize(WIDE);
}
