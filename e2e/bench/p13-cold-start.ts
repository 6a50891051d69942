/** P13: a browser that was never here opens the window of a fleet: how soon it can be used, and how much program that takes. */
import { gzipSync } from 'node:zlib';
import type { Page } from '@playwright/test';
import type { TestCore } from '#e2e/support/core.ts';
import { launchBrowser, loginLink } from './drivers/browser.ts';
import type { Figure } from './report.ts';
import { median, percentile } from './report.ts';

const RUNS = 7;
const LIMIT_MS = 1_500;
const JS_LIMIT_KB = 350;
/** Cards that a window of 1440x900 has in sight at the least. */
const CARDS = 8;

/** Notes the paint with which the cards are there and the filter takes keys, and the one with which their terminals are. */
async function watchFleet(page: Page): Promise<void> {
  await page.addInitScript((cards) => {
    const noted = new Set<string>();
    const note = (name: string): void => {
      noted.add(name);
      const after = new MessageChannel();
      after.port1.addEventListener('message', () => Reflect.set(window, name, performance.now()));
      after.port1.start();
      after.port2.postMessage(null);
    };
    const look = (): void => {
      const shown = document.querySelectorAll('[data-agent]').length;
      const isUsable = shown >= cards && document.querySelector('input') !== null;
      if (isUsable && !noted.has('qdFleetAt')) note('qdFleetAt');
      const drawn = [...document.querySelectorAll('[data-terminal="mini"]')].filter((one) => one.textContent !== '').length;
      if (isUsable && drawn >= cards && !noted.has('qdTerminalsAt')) note('qdTerminalsAt');
      if (noted.size < 2) requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  }, CARDS);
}

function noted(page: Page, name: string): Promise<number> {
  return page.waitForFunction((key) => Number(Reflect.get(window, key) ?? 0), name).then((handle) => handle.jsonValue());
}

interface ColdStart {
  /** From the beginning of the navigation. Milliseconds. */
  readonly fleetMs: number;
  readonly terminalsMs: number;
  /** From the start of the browser's process. */
  readonly withBrowserMs: number;
  /** Scripts that had come before the fleet was there. Bytes, each gzipped. */
  readonly jsBytes: number;
  readonly scripts: number;
}

async function startCold(core: TestCore): Promise<ColdStart> {
  const link = await loginLink(core);
  const launchedAt = performance.now();
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark' });
    const page = await context.newPage();
    const bodies = new Map<string, Promise<Buffer>>();
    page.on('response', (response) => {
      if (new URL(response.url()).pathname.endsWith('.js')) bodies.set(response.url(), response.body());
    });
    await watchFleet(page);
    await page.goto(link);
    const fleetMs = await noted(page, 'qdFleetAt');
    const withBrowserMs = performance.now() - launchedAt;
    const terminalsMs = await noted(page, 'qdTerminalsAt');
    // It is usable when it takes keys, not when it looks so.
    await page.keyboard.press('/');
    await page.keyboard.type('zzz');
    await page.getByText('No agent matches the filter').waitFor();
    const before = await page.evaluate(
      (until) =>
        performance
          .getEntriesByType('resource')
          .filter((entry) => entry instanceof PerformanceResourceTiming && entry.responseEnd <= until)
          .map(({ name }) => name),
      fleetMs,
    );
    const scripts = before.filter((url) => bodies.has(url));
    let jsBytes = 0;
    for (const url of scripts) jsBytes += gzipSync((await bodies.get(url)) ?? '').length;
    return { fleetMs, terminalsMs, withBrowserMs, jsBytes, scripts: scripts.length };
  } finally {
    await browser.close();
  }
}

/** Measures on a core that runs and has a fleet; prints what it does on stderr. */
export async function measureColdStart(core: TestCore, agents: number, say: (text: string) => void): Promise<Figure[]> {
  const starts: ColdStart[] = [];
  for (let run = 1; run <= RUNS; run += 1) {
    const start = await startCold(core);
    starts.push(start);
    say(
      `cold start, run ${run}: fleet ${start.fleetMs.toFixed(0)} ms, terminals ${start.terminalsMs.toFixed(0)} ms, browser and all ${start.withBrowserMs.toFixed(0)} ms, ${start.scripts} scripts of ${(start.jsBytes / 1024).toFixed(0)} KB gzip`,
    );
  }
  const of = (pick: (start: ColdStart) => number): number[] => starts.map(pick);
  const fleet = of(({ fleetMs }) => fleetMs);
  return [
    {
      id: 'P13',
      what: `cold start to a usable fleet of ${agents}, login included, median`,
      figure: median(fleet),
      unit: 'ms',
      against: LIMIT_MS,
      againstWhat: `limit; slowest ${percentile(fleet, 1).toFixed(0)}; their terminals shown ${median(of(({ terminalsMs }) => terminalsMs)).toFixed(0)}; start of the browser's process included ${median(of(({ withBrowserMs }) => withBrowserMs)).toFixed(0)}`,
      isLessBetter: true,
      runs: RUNS,
    },
    {
      id: 'P13',
      what: 'JavaScript loaded before the fleet shows, gzip',
      figure: Math.max(...of(({ jsBytes }) => jsBytes)) / 1024,
      unit: 'KB',
      against: JS_LIMIT_KB,
      againstWhat: `limit; ${starts[0]?.scripts ?? 0} files`,
      isLessBetter: true,
      runs: RUNS,
    },
  ];
}
