/** Opens the gallery of the window's primitives. No server: the browser is given the built files as it asks for them. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Locator, Page } from '@playwright/test';
import { expect } from '@playwright/test';

const ROOT = join(import.meta.dirname, '../..');
const BUILT = join(ROOT, 'out/gallery');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.woff2': 'font/woff2',
  '.svg': 'image/svg+xml',
};

/** Builds the gallery where it is stale. */
export async function buildGallery(): Promise<void> {
  await promisify(execFile)(process.execPath, [join(ROOT, 'bin/build.mjs'), '--gallery'], { timeout: 120_000 });
}

/** Answers the page's requests from the built files; localhost, because only there may a page write to the clipboard. */
export async function serveGallery(page: Page): Promise<void> {
  await page.route('http://localhost/**', async (route) => {
    const file = join(BUILT, new URL(route.request().url()).pathname);
    if (!file.startsWith(BUILT) || !existsSync(file)) return route.fulfill({ status: 404 });
    return route.fulfill({ body: readFileSync(file), contentType: TYPES[extname(file)] ?? 'application/octet-stream' });
  });
}

/** Shows one page of the gallery afresh, with its fonts loaded. */
export async function showPage(page: Page, name: string): Promise<void> {
  await page.goto('about:blank');
  await page.goto(`http://localhost/gallery.html#${name}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
}

/**
 * Presses a key on what has the focus for good: it is given the focus, and has it still when the page has drawn. Overlays
 * take the focus, and give it back, a frame after they come and go; a key pressed in between goes elsewhere.
 */
export async function pressOn(locator: Locator, key: string): Promise<void> {
  await locator.focus();
  await locator.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await expect(locator).toBeFocused();
  await locator.page().keyboard.press(key);
}
