/**
 * P12: terminals, against wetty in the same run and browser. Rendering is measured through the window (real Chromium, the
 * terminal's own page), transport through the terminal link.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from '@playwright/test';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { launchBrowser } from './drivers/browser.ts';
import { writeLog } from './drivers/coloured-log.ts';
import { writeSource } from './drivers/terminal-source.ts';
import type { Wetty } from './drivers/wetty.ts';
import { startWetty, WETTY_VERSION } from './drivers/wetty.ts';
import { measureAttach } from './p12-attach.ts';
import { measureBytes } from './p12-bytes.ts';
import type { Seat, SeatName, Size } from './p12-seats.ts';
import { order, ourSeat, resizeTo, sinceKey, startAgent, untilBytes, wettySeat } from './p12-seats.ts';
import { measureBusyTiles } from './p12-tiles.ts';
import type { Figure } from './report.ts';
import { median, percentile } from './report.ts';

const SIZES: readonly Size[] = [
  { cols: 100, rows: 30 },
  { cols: 198, rows: 62 },
];
const LOG_BYTES = 50 * 2 ** 20;
const RUNS = 3;
/** Keys for one figure of echo, per run. */
const KEYS = 40;
const FLOOD_TIMEOUT_MS = 60_000;
/** Ctrl-C is pressed when the flood has run for so long, in milliseconds. */
const FLOOD_RUNS_MS = 1_500;
/** What has not stopped after so long, in milliseconds, hangs. */
const STOP_TIMEOUT_MS = 15_000;
const MB = 2 ** 20;

type Times = Partial<Record<SeatName, number[]>>;

function add(times: Times, seat: Seat, values: readonly number[]): void {
  times[seat.name] = [...(times[seat.name] ?? []), ...values];
}

/** From each key, in milliseconds. */
interface Echo {
  /** To its sign on the screen. */
  readonly shown: number[];
  /** To its bytes in the page: what is left is the browser's next frame, which is the same for whoever wrote the page. */
  readonly came: number[];
}

/** Types keys one by one, with pauses in which nothing happens. */
async function echo(seat: Seat, mark: string): Promise<Echo> {
  await seat.page.bringToFront();
  await seat.page.locator('.xterm-helper-textarea').focus();
  const shown: number[] = [];
  const came: number[] = [];
  let text = `${mark}:`;
  await seat.page.keyboard.type(text);
  await seat.probe.evaluate((here, wanted) => here.drawn(wanted, 10_000), text);
  for (let n = 0; n < KEYS; n += 1) {
    await seat.page.waitForTimeout(60 + ((n * 37) % 50));
    text += 'x';
    await seat.page.keyboard.press('x');
    shown.push(await sinceKey(seat, text, 10_000));
    came.push(await untilBytes(seat));
  }
  // What was typed is no order.
  await seat.page.keyboard.press('Control+c');
  await seat.page.keyboard.press('Enter');
  return { shown, came };
}

/** From Ctrl-C in a flood without end to the last of it on the screen. Rejects when it does not end. */
async function stopFlood(seat: Seat, round: string): Promise<number> {
  await order(seat, `endless ${round}`);
  await seat.page.waitForTimeout(FLOOD_RUNS_MS);
  await seat.page.keyboard.press('Control+c');
  return sinceKey(seat, `STOPPED-${round}`, STOP_TIMEOUT_MS);
}

interface Run {
  readonly mbPerS: Times;
  readonly echoes: Times;
  readonly arrivals: Times;
  readonly stops: Times;
}

/** One terminal's turn. */
async function measureSeat(run: Run, seat: Seat, mark: string, bytes: number, say: (text: string) => void): Promise<void> {
  await order(seat, `flood ${mark}`);
  const tookMs = await sinceKey(seat, `END-${mark}`, FLOOD_TIMEOUT_MS);
  const mbPerS = bytes / MB / (tookMs / 1_000);
  const { shown, came } = await echo(seat, `keys-${mark}`);
  add(run.mbPerS, seat, [mbPerS]);
  add(run.echoes, seat, shown);
  add(run.arrivals, seat, came);
  say(
    `${mark}, ${seat.name}: ${mbPerS.toFixed(1)} MB/s, echo p50 ${percentile(shown, 0.5).toFixed(1)} p95 ${percentile(shown, 0.95).toFixed(1)} ms, its bytes p50 ${percentile(came, 0.5).toFixed(1)}`,
  );
  const stopMs = await stopFlood(seat, mark);
  add(run.stops, seat, [stopMs]);
  say(`${mark}, ${seat.name}: Ctrl-C ${stopMs.toFixed(0)} ms`);
}

/** All terminals in turn, so that what else the machine does strikes all alike. A peer that hangs is opened anew, in its place. */
async function measureSize(
  seats: Seat[],
  reopen: (seat: Seat) => Promise<Seat>,
  size: Size,
  bytes: number,
  say: (text: string) => void,
): Promise<Run> {
  const run: Run = { mbPerS: {}, echoes: {}, arrivals: {}, stops: {} };
  const name = `${size.cols}x${size.rows}`;
  for (const seat of seats) await resizeTo(seat, size);
  for (let round = 1; round <= RUNS; round += 1) {
    for (const [index, seat] of seats.entries()) {
      try {
        await measureSeat(run, seat, `${name}-${round}`, bytes, say);
      } catch (error) {
        if (seat.name !== 'wetty') throw error;
        say(`${name}-${round}, wetty: hung, and is opened anew`);
        add(run.stops, seat, [STOP_TIMEOUT_MS]);
        const next = await reopen(seat);
        await resizeTo(next, size);
        seats[index] = next;
      }
    }
  }
  return run;
}

const middle = (times: readonly number[] | undefined): number => median(times ?? []);
const p95 = (times: readonly number[] | undefined): number => percentile(times ?? [], 0.95);

function figuresOf(size: Size, { mbPerS, echoes, arrivals, stops }: Run, missing: string | undefined): Figure[] {
  const name = `${size.cols}x${size.rows}`;
  const peer = `wetty ${WETTY_VERSION}`;
  return [
    {
      id: 'P12',
      what: `50 MB coloured log to its last line on the screen, ${name}, agent in tmux`,
      figure: missing === undefined ? middle(mbPerS.tmux) : Number.NaN,
      unit: 'MB/s',
      against: middle(mbPerS.wetty),
      againstWhat: missing ?? `${peer}; agent on a pty ${middle(mbPerS.pty).toFixed(1)} MB/s`,
      isLessBetter: false,
      runs: RUNS,
    },
    {
      id: 'P12',
      what: `key to its echo on the screen, idle, p50, ${name}, agent in tmux`,
      figure: missing === undefined ? middle(echoes.tmux) : Number.NaN,
      unit: 'ms',
      against: middle(echoes.wetty) / 2,
      againstWhat:
        missing ??
        `half of ${peer}: ${middle(echoes.wetty).toFixed(1)} (p95 ${p95(echoes.wetty).toFixed(1)}); ours p95 ${p95(echoes.tmux).toFixed(1)}; on a pty ${middle(echoes.pty).toFixed(1)} (p95 ${p95(echoes.pty).toFixed(1)})`,
      isLessBetter: true,
      runs: RUNS * KEYS,
    },
    {
      // Of the echo the part that is a program's own: after it both wait for the same browser's next frame.
      id: 'P12',
      what: `key to its echo's bytes in the page, idle, p50, ${name}, agent in tmux`,
      figure: missing === undefined ? middle(arrivals.tmux) : Number.NaN,
      unit: 'ms',
      against: middle(arrivals.wetty),
      againstWhat:
        missing ??
        `${peer} (p95 ${p95(arrivals.wetty).toFixed(1)}), which runs no tmux; ours p95 ${p95(arrivals.tmux).toFixed(1)}; on a pty ${middle(arrivals.pty).toFixed(1)} (p95 ${p95(arrivals.pty).toFixed(1)})`,
      isLessBetter: true,
      runs: RUNS * KEYS,
    },
    {
      id: 'P12',
      what: `Ctrl-C in a flood to the last output on the screen, ${name}, agent in tmux`,
      figure: middle(stops.tmux),
      unit: 'ms',
      against: 100,
      againstWhat: `limit; on a pty ${middle(stops.pty).toFixed(0)}; ${missing ?? `${peer} ${middle(stops.wetty).toFixed(0)}`}`,
      isLessBetter: true,
      runs: RUNS,
    },
  ];
}

async function measureAgainstPeer(
  browser: Browser,
  core: TestCore,
  bytes: number,
  command: readonly string[],
  say: (text: string) => void,
): Promise<Figure[]> {
  let wetty: Wetty | undefined;
  let missing: string | undefined;
  try {
    wetty = await startWetty(command.join(' '));
  } catch (error) {
    missing = error instanceof Error ? error.message : String(error);
    say(`without the peer: ${missing}`);
  }
  const seats: Seat[] = [];
  const url = wetty?.url ?? '';
  const reopen = async (seat: Seat): Promise<Seat> => {
    await seat.page.context().close();
    return wettySeat(browser, url);
  };
  try {
    if (wetty) seats.push(await wettySeat(browser, url));
    for (const runtime of ['tmux', 'pty'] as const) {
      await startAgent(core, `screen-${runtime}`, runtime, command);
      seats.push(await ourSeat(browser, core, runtime, `screen-${runtime}`));
    }
    const figures: Figure[] = [];
    for (const size of SIZES) figures.push(...figuresOf(size, await measureSize(seats, reopen, size, bytes, say), missing));
    return figures;
  } finally {
    for (const { page } of seats) await page.context().close();
    wetty?.stop();
  }
}

/** Measures; prints what it does on stderr. */
export async function measureTerminals(say: (text: string) => void): Promise<Figure[]> {
  const core = await startCore({ isBuilt: true });
  let browser: Browser | undefined;
  try {
    const folder = join(core.dataDir, 'bench-project');
    mkdirSync(folder, { recursive: true });
    const log = join(folder, 'log.txt');
    const { bytes } = writeLog(log, LOG_BYTES);
    const command = writeSource(join(folder, 'source.sh'), log);
    browser = await launchBrowser();
    return [
      ...(await measureAgainstPeer(browser, core, bytes, command, say)),
      ...(await measureAttach(browser, core, command, say)),
      ...(await measureBusyTiles(browser, core, command, log, say)),
      ...(await measureBytes(core, folder, log, say)),
    ];
  } finally {
    await browser?.close();
    await core.stop();
    removeDataDir(core.dataDir);
  }
}
