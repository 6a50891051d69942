/** P13: a history of a million messages is scrolled through fast: how long rows in sight are missing. */
import type { JSHandle, Page } from '@playwright/test';
import type { TestCore } from '#e2e/support/core.ts';
import { launchBrowser, loginLink } from './drivers/browser.ts';
import type { Figure } from './report.ts';
import { median } from './report.ts';

const RUNS = 3;
const SCROLL_MS = 10_000;
/** How fast the wheel is turned: seven windows full a second. */
const PX_PER_S = 6_000;
/** Between two turns, in milliseconds. */
const WHEEL_EVERY_MS = 30;
/** Less than half a row is no missing row. */
const BLANK_PX = 30;

interface BlankReport {
  /** The longest time for which part of the list was blank, in milliseconds. */
  readonly longestMs: number;
  readonly blankFrames: number;
  readonly frames: number;
  /** Different messages that were on the page. */
  readonly messages: number;
}

interface BlankProbe {
  end(): BlankReport;
}

/** Looks at each frame which part of the list in sight has no message, skeletons included. */
function watchRows(page: Page): Promise<JSHandle<BlankProbe>> {
  return page.evaluateHandle((blankPx): BlankProbe => {
    const feed = document.querySelector('[role="feed"]');
    if (feed === null) throw new Error('There is no timeline on the page.');
    const seen = new Set<string>();
    let frames = 0;
    let blankFrames = 0;
    let longestMs = 0;
    let blankSince: number | undefined;
    let isOver = false;
    const onFrame = (): void => {
      const box = feed.getBoundingClientRect();
      let covered = 0;
      for (const row of feed.querySelectorAll('article')) {
        const { top, bottom } = row.getBoundingClientRect();
        covered += Math.max(0, Math.min(bottom, box.bottom) - Math.max(top, box.top));
        seen.add(row.dataset['message'] ?? '');
      }
      frames += 1;
      const now = performance.now();
      if (blankSince !== undefined) longestMs = Math.max(longestMs, now - blankSince);
      if (box.height - covered > blankPx) {
        blankFrames += 1;
        blankSince ??= now;
      } else blankSince = undefined;
      if (!isOver) requestAnimationFrame(onFrame);
    };
    requestAnimationFrame(onFrame);
    return {
      end: () => {
        isOver = true;
        return { longestMs, blankFrames, frames, messages: seen.size };
      },
    };
  }, BLANK_PX);
}

/** Measures on a core with that many stored messages; prints what it does on stderr. */
export async function measureTimeline(core: TestCore, stored: number, say: (text: string) => void): Promise<Figure[]> {
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark' });
    const page = await context.newPage();
    await page.goto(await loginLink(core));
    await page.goto(`${core.run.url}messages`);
    await page.getByRole('feed').locator('article').first().waitFor();
    const reports: BlankReport[] = [];
    for (let run = 1; run <= RUNS; run += 1) {
      const box = await page.getByRole('feed').boundingBox();
      if (box === null) throw new Error('the timeline is not on the page');
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      const probe = await watchRows(page);
      const startedAt = performance.now();
      let turnedAt = startedAt;
      // Two turns back for one forth: into the history and around in it.
      while (turnedAt - startedAt < SCROLL_MS) {
        await page.waitForTimeout(WHEEL_EVERY_MS);
        const now = performance.now();
        const px = ((now - turnedAt) * PX_PER_S) / 1_000;
        turnedAt = now;
        await page.mouse.wheel(0, now - startedAt < (SCROLL_MS * 2) / 3 ? -px : px);
      }
      const report = await probe.evaluate((here) => here.end());
      reports.push(report);
      say(
        `timeline, run ${run}: ${report.messages} messages passed, ${((report.frames * 1_000) / SCROLL_MS).toFixed(0)} fps, ${report.blankFrames} frames with a blank place, longest ${report.longestMs.toFixed(0)} ms`,
      );
    }
    return [
      {
        id: 'P13',
        what: `timeline of ${stored.toLocaleString('en')} messages scrolled fast: longest time with a row missing`,
        figure: median(reports.map(({ longestMs }) => longestMs)),
        unit: 'ms',
        against: 100,
        againstWhat: `limit; ${median(reports.map(({ messages }) => messages))} messages passed in ${SCROLL_MS / 1_000} s`,
        isLessBetter: true,
        runs: RUNS,
      },
    ];
  } finally {
    await browser.close();
  }
}
