/**
 * Every screen in both themes and at 200 % zoom, with 0 and 3 agents; in a deep run in all sizes and with 40 and
 * 500 as well: nothing that axe finds, nothing cut off, nothing out of reach. The same screens as `npm run screenshots` takes pictures of.
 */
import type { Page } from '@playwright/test';
import { expect, test } from '@playwright/test';
import { screensOf, sweep } from '#e2e/screenshots/sweep.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, startCore } from '#e2e/support/core.ts';
import { isDeep } from '#e2e/support/effort.ts';
import type { FleetSize } from '#e2e/support/fleets/fleets.ts';
import { endFleet, makeFleet } from '#e2e/support/fleets/fleets.ts';
import { openWindow, SIZES, SLIM, WIDE, ZOOMED } from '#e2e/support/window.ts';

/** What a screen may take, in ms: some seconds on a quiet machine; on one that does ten other things, ten times as long. */
const SCREEN_LIMIT_MS = 120_000;
/** What a fleet may take to be there, and to be gone, in ms. */
const FLEET_LIMIT_MS = 300_000;

/** Each size costs every screen as much: the least of them in `npm test`, all in a deep run, few agents in the narrowest, too. */
function sizesFor(fleet: FleetSize) {
  if (!isDeep) return [WIDE, ZOOMED];
  return fleet <= 3 ? [...SIZES, ZOOMED, SLIM] : [...SIZES, ZOOMED];
}

const FLEETS: readonly FleetSize[] = isDeep ? [0, 3, 40, 500] : [0, 3];

for (const fleet of FLEETS) {
  // A test for each screen: how long one may take does not depend on how many there are.
  test.describe(`${fleet} agents`, () => {
    let core: TestCore | undefined;
    let page: Page | undefined;

    test.beforeAll(async ({ browser }) => {
      test.setTimeout(FLEET_LIMIT_MS);
      core = await startCore({ dataDir: makeDataDir() });
      await makeFleet(core, fleet);
      page = await openWindow(browser, core);
    });

    test.afterAll(async () => {
      test.setTimeout(FLEET_LIMIT_MS);
      await page?.context().close();
      if (core !== undefined) await endFleet(core);
    });

    for (const screen of screensOf(fleet, ({ isForPicturesOnly }) => isDeep || isForPicturesOnly !== true)) {
      test(`${screen.name} with ${fleet} agents is sound in both themes, in all sizes and zoomed`, async () => {
        test.setTimeout(SCREEN_LIMIT_MS);
        if (core === undefined || page === undefined) throw new Error('There is no fleet.');
        const stage = { page, core, isForPictures: false };
        expect(await sweep({ stage, fleet, screens: [screen], sizes: sizesFor(fleet) })).toEqual([]);
      });
    }
  });
}
