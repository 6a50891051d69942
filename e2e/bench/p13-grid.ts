/**
 * P13: the cards of 500 agents while 50 changes a second reach the window: agents report, write to each other, and are paused and
 * resumed. All of them are the journal's own events; the page is told nothing that did not happen.
 */
import type { Page } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { launchBrowser, loginLink } from './drivers/browser.ts';
import type { FrameReport } from './drivers/frame-probe.ts';
import { fpsOf, installFrameProbe } from './drivers/frame-probe.ts';
import { runDriver } from './drivers/run-driver.ts';
import { startFleet } from './fleet.ts';
import type { Figure } from './report.ts';
import { median, percentile } from './report.ts';

const AGENTS = 500;
const CHANGES_PER_S = 50;
const RUNS = 3;
/** Of each phase: keys, filter, scrolling. Milliseconds. */
const KEYS = 40;
const SCROLL_MS = 6_000;
/** What one run may take, in seconds: the changes go on for as long. */
const RUN_S = 30;

const Seq = z.object({ seq: z.number() });
const Result = z.object({ changes: z.number(), failures: z.number(), seconds: z.number() });

async function during(page: Page, work: () => Promise<void>): Promise<FrameReport> {
  const probe = await installFrameProbe(page);
  await work();
  return probe.evaluate((here) => here.end());
}

/** Goes from card to card and selects. */
async function goAmongCards(page: Page): Promise<void> {
  await page.locator('[data-agent] [data-card-link]').first().focus();
  const keys = ['ArrowRight', 'ArrowDown', 'ArrowRight', 'ArrowUp', 'x', 'x'];
  for (let n = 0; n < KEYS; n += 1) {
    await page.keyboard.press(keys[n % keys.length] ?? 'ArrowDown');
    await page.waitForTimeout(70 + ((n * 37) % 60));
  }
  await page.keyboard.press('Escape');
}

/** Filters by typing, and takes the filter away again. */
async function typeFilter(page: Page): Promise<void> {
  await page.keyboard.press('/');
  for (const letter of 'bench-4') {
    await page.keyboard.press(letter);
    await page.waitForTimeout(110);
  }
  for (let n = 0; n < 'bench-4'.length; n += 1) {
    await page.keyboard.press('Backspace');
    await page.waitForTimeout(90);
  }
}

/** Turns the wheel down and up again, fast. */
async function scroll(page: Page): Promise<void> {
  await page.mouse.move(700, 500);
  const startedAt = performance.now();
  while (performance.now() - startedAt < SCROLL_MS) {
    const isDown = performance.now() - startedAt < SCROLL_MS / 2;
    await page.mouse.wheel(0, isDown ? 240 : -240);
    await page.waitForTimeout(40);
  }
}

/** Measures; prints what it does on stderr. */
export async function measureGrid(say: (text: string) => void): Promise<Figure[]> {
  const core = await startCore({ isBuilt: true });
  try {
    say(`starting ${AGENTS} agents`);
    const agents = await startFleet(core, AGENTS);
    return await measure(core, agents, say);
  } finally {
    await core.stop();
    removeDataDir(core.dataDir);
  }
}

async function measure(
  core: TestCore,
  agents: readonly { readonly id: string; readonly token: string }[],
  say: (text: string) => void,
): Promise<Figure[]> {
  const rest = new RestClient(core);
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark' });
    const page = await context.newPage();
    await page.goto(await loginLink(core));
    await page.locator('[data-agent]').first().waitFor();
    const fps: number[] = [];
    const scrollFps: number[] = [];
    const keys: number[] = [];
    const byBrowser: number[] = [];
    const rates: number[] = [];
    for (let run = 1; run <= RUNS; run += 1) {
      const seqBefore = Seq.parse(await rest.ok('GET', '/state')).seq;
      const changing = runDriver('changes-driver', {
        url: core.run.agentWsUrl,
        apiUrl: core.run.apiUrl,
        operatorToken: core.token,
        agents,
        changesPerS: CHANGES_PER_S,
        seconds: RUN_S,
      });
      // The driver connects first; the first change is its sign.
      for (;;) {
        if (Seq.parse(await rest.ok('GET', '/state')).seq > seqBefore + CHANGES_PER_S) break;
        await page.waitForTimeout(500);
      }
      const moved = await during(page, () => goAmongCards(page));
      const filtered = await during(page, () => typeFilter(page));
      const scrolled = await during(page, () => scroll(page));
      const result = Result.parse(await changing);
      if (result.failures > 0) throw new Error(`${result.failures} changes failed`);
      const { seq } = Seq.parse(await rest.ok('GET', '/state'));
      rates.push((seq - seqBefore) / result.seconds);
      fps.push(fpsOf(moved));
      scrollFps.push(fpsOf(scrolled));
      for (const phase of [moved, filtered]) {
        keys.push(...phase.keys);
        // What it leaves out was painted within 16 ms.
        byBrowser.push(...phase.keys.map((_, index) => phase.slowKeys[index] ?? 16));
      }
      const told = (name: string, seen: FrameReport): string =>
        `${name} ${fpsOf(seen).toFixed(0)} fps, ${seen.keys.length === 0 ? '' : `keys p95 ${percentile(seen.keys, 0.95).toFixed(0)} ms, `}${seen.longTasks.length} long tasks up to ${Math.max(0, ...seen.longTasks).toFixed(0)} ms`;
      say(
        `grid, run ${run}: ${rates.at(-1)?.toFixed(0)} events/s; ${told('among cards', moved)}; ${told('filter', filtered)}; ${told('scrolling', scrolled)}`,
      );
    }
    const where = `${AGENTS} agents, ${median(rates).toFixed(0)} changes/s`;
    const bound = { id: 'P13', isLessBetter: false, unit: 'fps', against: 50, runs: RUNS } as const;
    return [
      { ...bound, what: `grid with ${where}, going among the cards by keys`, figure: median(fps), againstWhat: 'limit' },
      { ...bound, what: `grid with ${where}, scrolling`, figure: median(scrollFps), againstWhat: 'limit' },
      {
        id: 'P13',
        what: `key to the next paint, p95, ${where}`,
        figure: percentile(keys, 0.95),
        unit: 'ms',
        against: 50,
        againstWhat: `limit; p50 ${percentile(keys, 0.5).toFixed(0)}; by the browser's Event Timing p95 ${percentile(byBrowser, 0.95).toFixed(0)}`,
        isLessBetter: true,
        runs: keys.length,
      },
    ];
  } finally {
    await browser.close();
  }
}
