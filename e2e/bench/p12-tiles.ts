/**
 * P12: echo while the machine is busy. Two windows of one browser as an operator has them: the wall with twelve terminals that
 * each print 200 KB/s, and, opened from it, the terminal that is typed into. The second is the first one's popup, so both share
 * one thread.
 */
import type { ChildProcess } from 'node:child_process';
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from '@playwright/test';
import type { TestCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { loginLink } from './drivers/browser.ts';
import { installProbe } from './drivers/terminal-probe.ts';
import type { Seat } from './p12-seats.ts';
import { sinceKey, startAgent, until } from './p12-seats.ts';
import type { Figure } from './report.ts';
import { percentile } from './report.ts';

const TILES = 12;
const BYTES_PER_S = 200_000;
const KEYS = 100;
const KEYS_A_LINE = 40;
const RUNS = 3;
/** Room for twelve readable panes. */
const VIEWPORT = { width: 1920, height: 1080 };

interface Load {
  readonly ids: readonly string[];
  stop(): void;
}

async function startLoad(core: TestCore, log: string): Promise<Load> {
  const folder = join(core.dataDir, 'bench-project', 'pipes');
  mkdirSync(folder, { recursive: true });
  const ids = Array.from({ length: TILES }, (_, index) => `busy-${index}`);
  const pipes = ids.map((id) => join(folder, id));
  execFileSync('mkfifo', pipes);
  const driver: ChildProcess = spawn(process.execPath, [new URL('./drivers/steady-output-driver.ts', import.meta.url).pathname], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  driver.stdin?.write(`${JSON.stringify({ pipes, log, bytesPerS: BYTES_PER_S })}\n`);
  for (const [index, id] of ids.entries()) await startAgent(core, id, 'tmux', ['cat', pipes[index] ?? '']);
  return { ids, stop: () => driver.stdin?.end() };
}

/** How many pictures of terminals the wall drew in a second. */
function tilesPerS(page: Page): Promise<{ panes: number; perS: number }> {
  return page.evaluate(async () => {
    let drawn = 0;
    const panes = document.querySelectorAll('[data-terminal="mini"]');
    const observer = new MutationObserver((records) => {
      drawn += new Set(records.map(({ target }) => (target instanceof Element ? target.closest('[data-terminal]') : null))).size;
    });
    for (const pane of panes) observer.observe(pane, { childList: true, subtree: true });
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    observer.disconnect();
    return { panes: panes.length, perS: drawn / 4 };
  });
}

/** The terminal in a window of its own, opened by the product's own button, with the keyboard. */
async function openTyped(wall: Page, core: TestCore, id: string): Promise<Seat> {
  await wall.goto(`${core.run.url}agent/${id}`);
  await wall.locator('.xterm-rows').waitFor();
  const popup = wall.waitForEvent('popup');
  await wall.getByRole('button', { name: 'More of the terminal' }).click();
  await wall.getByRole('menuitem', { name: 'Open in a window of its own' }).click();
  const page = await popup;
  await page.getByRole('button', { name: 'Take control' }).click();
  await page.getByText('You have the keyboard.').waitFor();
  return { name: 'tmux', page, probe: await installProbe(page), size: () => Promise.reject(new Error('not asked')) };
}

async function typeKeys(seat: Seat, mark: string): Promise<number[]> {
  const { page, probe } = seat;
  await page.locator('.xterm-helper-textarea').focus();
  const times: number[] = [];
  // In lines that are not wrapped: a text in two rows would not be found.
  for (let line = 0; times.length < KEYS; line += 1) {
    let text = `${mark}-${line}:`;
    await page.keyboard.type(text);
    await probe.evaluate((here, wanted) => here.drawn(wanted, 10_000), text);
    for (let n = 0; n < KEYS_A_LINE && times.length < KEYS; n += 1) {
      await page.waitForTimeout(60 + ((n * 37) % 50));
      text += 'x';
      await page.keyboard.press('x');
      times.push(await sinceKey(seat, text, 10_000));
    }
    await page.keyboard.press('Enter');
  }
  return times;
}

/** Measures; prints what it does on stderr. */
export async function measureBusyTiles(
  browser: Browser,
  core: TestCore,
  command: readonly string[],
  log: string,
  say: (text: string) => void,
): Promise<Figure[]> {
  await startAgent(core, 'typed', 'tmux', command);
  const context = await browser.newContext({ viewport: VIEWPORT, colorScheme: 'dark' });
  const wall = await context.newPage();
  let load: Load | undefined;
  try {
    await wall.goto(await loginLink(core));
    const seat = await openTyped(wall, core, 'typed');
    const idle = await typeKeys(seat, 'idle');
    await new RestClient(core).ok('PATCH', '/settings', { fleetView: 'wall' });
    load = await startLoad(core, log);
    await wall.goto(`${core.run.url}agents?q=busy`);
    await until(async () => (await wall.locator('[data-terminal="mini"]').count()) === TILES, `${TILES} panes on the wall`);
    const times: number[] = [];
    const pictures: number[] = [];
    for (let run = 1; run <= RUNS; run += 1) {
      const [{ perS }, keys] = await Promise.all([tilesPerS(wall), typeKeys(seat, `busy-${run}`)]);
      times.push(...keys);
      pictures.push(perS);
      say(
        `busy tiles, run ${run}: echo p50 ${percentile(keys, 0.5).toFixed(1)} p95 ${percentile(keys, 0.95).toFixed(1)} ms, ${perS.toFixed(0)} pictures a second`,
      );
    }
    return [
      {
        id: 'P12',
        what: `key to its echo on the screen beside ${TILES} tiles of 200 KB/s on the wall, p95`,
        figure: percentile(times, 0.95),
        unit: 'ms',
        against: 70,
        againstWhat: `limit; p50 ${percentile(times, 0.5).toFixed(1)}; without tiles p95 ${percentile(idle, 0.95).toFixed(1)}; the wall drew ${percentile(pictures, 0.5).toFixed(0)} pictures a second`,
        isLessBetter: true,
        runs: times.length,
      },
    ];
  } finally {
    load?.stop();
    await context.close();
  }
}
