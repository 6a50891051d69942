/** A Chromium for measurements: the same switches for the product and for what it is held against. */
import type { Browser } from '@playwright/test';
import { chromium } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { findChromium } from '#e2e/support/report/machine.ts';
import { RestClient } from '#e2e/support/rest-client.ts';

const SWITCHES = ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb', '--font-render-hinting=none'];
/** A machine without a graphics card draws WebGL by program, which says nothing about any other: both sides go without. */
const WITHOUT_WEBGL = '--disable-3d-apis';

/** Starts a browser with a profile of its own, or says what is missing. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error('There is no Chromium: install it, or name its executable in CHROMIUM, and run this again.');
  return chromium.launch({ executablePath, args: [...SWITCHES, WITHOUT_WEBGL] });
}

/** A link that logs a browser in, once. */
export async function loginLink(core: TestCore): Promise<string> {
  const answer = await new RestClient(core).ok('POST', '/auth/login-links', {});
  return z.object({ url: z.string() }).parse(answer).url;
}
