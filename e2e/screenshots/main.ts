/**
 * `npm run screenshots [-- --fleet 0,3,40,500] [--only NAME,NAME] [--readme]`: starts real cores with fleets of 0, 3, 40 and 500
 * agents, opens every screen in both themes and sizes and at 200 % zoom, and writes what it sees into `screenshots/` with a
 * sheet of all of it, `screenshots/index.html`. Ends with 1 when axe, the overflow check or the zoom check found something.
 * --readme also takes the pictures of the README anew (docs/images).
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from '@playwright/test';
import type { Browser } from '@playwright/test';
import { makeDataDir, startCore } from '#e2e/support/core.ts';
import type { FleetSize } from '#e2e/support/fleets/fleets.ts';
import { endFleet, FLEETS, makeFleet } from '#e2e/support/fleets/fleets.ts';
import { findChromium } from '#e2e/support/report/machine.ts';
import { openWindow, SIZES, ZOOMED } from '#e2e/support/window.ts';
import { writeSheet } from './contact-sheet.ts';
import { nameOf, screensOf, sweep } from './sweep.ts';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'screenshots');

/** As in playwright.config.ts: the same pixels on every machine. */
const BROWSER = {
  executablePath: findChromium() ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb', '--font-render-hinting=none'],
};
const PLACE = { locale: 'en-GB', timezoneId: 'UTC' };

/** Which pictures the README shows, and under which names. */
const README: Readonly<Record<string, string>> = {
  '040-fleet-grid-dark-1440': 'fleet.png',
  '003-agent-overview-dark-1440': 'agent.png',
  '040-messages-selected-dark-1440': 'messages.png',
  '040-fleet-grid-light-1440': 'fleet-light.png',
};
/** A page with four of them must not be slow to load. Bytes. */
const README_LIMIT = 250 * 1024;

const { values } = parseArgs({
  options: { fleet: { type: 'string' }, only: { type: 'string' }, readme: { type: 'boolean', default: false } },
});
const only = values.only?.split(',');
const wanted = values.fleet?.split(',').map(Number);
const fleets = FLEETS.filter((fleet) => wanted?.includes(fleet) ?? true);

/** One fleet, gone through as `npm run screenshots` does; returns what was found. */
async function shoot(browser: Browser, fleet: FleetSize, isZoomed: boolean): Promise<string[]> {
  const screens = screensOf(fleet, ({ name }) => only?.includes(name) ?? true);
  if (screens.length === 0) return [];
  const core = await startCore({ dataDir: makeDataDir(), isBuilt: true });
  try {
    await makeFleet(core, fleet);
    const page = await openWindow(browser, core, '/', { ...PLACE, deviceScaleFactor: isZoomed ? 2 : 1 });
    return await sweep({
      stage: { page, core, isForPictures: true },
      fleet,
      screens,
      sizes: isZoomed ? [ZOOMED] : SIZES,
      onLook: async (look) => void (await page.screenshot({ path: join(folder, `${nameOf(look)}.png`), caret: 'initial' })),
      onDone: ({ name }, ms) => console.log(`${fleet} ${isZoomed ? 'zoomed ' : ''}${name}: ${(ms / 1000).toFixed(1)} s`),
    });
  } finally {
    await endFleet(core);
  }
}

function writeReadmePictures(): void {
  mkdirSync(join(root, 'docs/images'), { recursive: true });
  for (const [shot, name] of Object.entries(README)) {
    const from = join(folder, `${shot}.png`);
    const { size } = statSync(from);
    if (size > README_LIMIT) throw new Error(`${shot}.png has ${size} bytes; the README takes at most ${README_LIMIT}`);
    copyFileSync(from, join(root, 'docs/images', name));
  }
}

// A whole run leaves nothing of an earlier one behind.
if (only === undefined && wanted === undefined) rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const browser = await chromium.launch(BROWSER);
const found: string[] = [];
for (const fleet of fleets) {
  found.push(...(await shoot(browser, fleet, false)));
  found.push(...(await shoot(browser, fleet, true)));
}
await browser.close();
const pictures = readdirSync(folder).filter((file) => file.endsWith('.png'));
writeSheet(folder, pictures);
if (values.readme) writeReadmePictures();
for (const finding of found) console.log(finding);
console.log(`${pictures.length} pictures in ${folder}, ${found.length} findings`);
process.exitCode = found.length === 0 ? 0 : 1;
