/**
 * Every screen in both themes and sizes, at 200 % zoom and as narrow as it may get, with 0 and 3 agents (40 and 500 as well in a deep run): nothing that axe finds,
 * nothing cut off, nothing out of reach. The same screens as `npm run screenshots` takes pictures of.
 */
import { expect, test } from '@playwright/test';
import { screensOf, sweep } from '#e2e/screenshots/sweep.ts';
import { makeDataDir, startCore } from '#e2e/support/core.ts';
import { isDeep } from '#e2e/support/effort.ts';
import type { FleetSize } from '#e2e/support/fleets/fleets.ts';
import { endFleet, makeFleet } from '#e2e/support/fleets/fleets.ts';
import { openWindow, SIZES, SLIM, ZOOMED } from '#e2e/support/window.ts';

/** On a quiet machine a fleet takes half a minute; on one that does ten other things, ten times as long. */
const LIMIT_MS = 600_000;

const FLEETS: readonly FleetSize[] = isDeep ? [0, 3, 40, 500] : [0, 3];

for (const fleet of FLEETS) {
  test(`every screen with ${fleet} agents is sound in both themes, in both sizes and zoomed`, async ({ browser }) => {
    test.setTimeout(LIMIT_MS);
    const core = await startCore({ dataDir: makeDataDir() });
    try {
      await makeFleet(core, fleet);
      const page = await openWindow(browser, core);
      const stage = { page, core, isForPictures: false };
      const screens = screensOf(fleet, ({ isForPicturesOnly }) => isDeep || isForPicturesOnly !== true);
      expect(await sweep({ stage, fleet, screens, sizes: [...SIZES, ZOOMED, SLIM] })).toEqual([]);
      await page.context().close();
    } finally {
      await endFleet(core);
    }
  });
}
