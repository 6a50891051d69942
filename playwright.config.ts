import { defineConfig } from '@playwright/test';
import { findChromium } from './e2e/support/report/machine.ts';

/**
 * The browser specs: the built window, served by a real core, in the system's Chromium.
 * Two workers: each spec starts processes of its own and mostly waits for them; machines have two cores or more.
 */
export default defineConfig({
  testDir: 'e2e/specs',
  outputDir: 'test-results/playwright',
  reporter: [['list'], ['json', { outputFile: process.env['QD_PLAYWRIGHT_REPORT'] ?? 'test-results/playwright.json' }]],
  workers: 2,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  expect: {
    timeout: 10_000,
    toHaveScreenshot: { maxDiffPixelRatio: 0.01, animations: 'disabled', caret: 'hide' },
  },
  use: {
    viewport: { width: 1440, height: 900 },
    locale: 'en-GB',
    timezoneId: 'UTC',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: findChromium() ?? '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-dev-shm-usage', '--force-color-profile=srgb', '--font-render-hinting=none'],
    },
  },
});
