/**
 * Where P12 sits: three terminals in one browser with the same program in each. wetty's page is one; the others are this
 * product's own window for a terminal, over an agent in tmux (what a user gets by default) and one on a bare pseudoterminal.
 */
import { join } from 'node:path';
import type { Browser, JSHandle, Page } from '@playwright/test';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { loginLink } from './drivers/browser.ts';
import { installProbe, noteArrivals } from './drivers/terminal-probe.ts';
import type { TerminalProbe } from './drivers/terminal-probe.ts';

/** Columns and rows. */
export interface Size {
  readonly cols: number;
  readonly rows: number;
}

/** Which terminal: the peer, or ours by runtime. */
export type SeatName = 'wetty' | 'tmux' | 'pty';

/** A terminal on a page that has the keyboard. */
export interface Seat {
  readonly name: SeatName;
  readonly page: Page;
  readonly probe: JSHandle<TerminalProbe>;
  /** The size of the terminal that the program has. */
  size(): Promise<Size>;
}

const Captured = z.object({ size: z.object({ cols: z.number(), rows: z.number() }) });

/** Resolves when `isTrue` says so; rejects after `withinMs`. */
export async function until(isTrue: () => Promise<boolean>, what: string, withinMs = 30_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Opens wetty's page. */
export async function wettySeat(browser: Browser, url: string): Promise<Seat> {
  const context = await browser.newContext();
  await noteArrivals(context);
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('.xterm-helper-textarea').focus();
  return {
    name: 'wetty',
    page,
    probe: await installProbe(page),
    size: () =>
      page.evaluate(() => {
        const terminal: unknown = Reflect.get(window, 'wetty_term');
        if (typeof terminal !== 'object' || terminal === null) return { cols: 0, rows: 0 };
        return { cols: Number(Reflect.get(terminal, 'cols')), rows: Number(Reflect.get(terminal, 'rows')) };
      }),
  };
}

/** Starts an agent with `command` in a runtime. */
export async function startAgent(core: TestCore, id: string, runtime: 'tmux' | 'pty', command: readonly string[]): Promise<void> {
  const projectFolder = join(core.dataDir, 'bench-project');
  await new RestClient(core).ok('POST', '/agents', { id, type: 'command', command, runtime, projectFolder });
}

/** Opens the window for one agent's terminal alone, and takes the keyboard. */
export async function ourSeat(browser: Browser, core: TestCore, runtime: 'tmux' | 'pty', agentId: string): Promise<Seat> {
  const context = await browser.newContext({ colorScheme: 'dark' });
  await noteArrivals(context);
  const page = await context.newPage();
  await page.goto(await loginLink(core));
  await page.goto(`${core.run.url}agent/${agentId}?solo=1`);
  await page.getByRole('button', { name: 'Take control' }).click();
  await page.getByText('You have the keyboard.').waitFor();
  const rest = new RestClient(core);
  return {
    name: runtime,
    page,
    probe: await installProbe(page),
    size: async () => Captured.parse(await rest.ok('GET', `/agents/${agentId}/terminal`)).size,
  };
}

/** Makes the window as large as gives the terminal exactly this size. */
export async function resizeTo(seat: Seat, { cols, rows }: Size): Promise<void> {
  const { page } = seat;
  for (let tries = 0; tries < 12; tries += 1) {
    const have = await seat.size();
    if (have.cols === cols && have.rows === rows) return;
    const drawn = await page.locator('.xterm-screen').first().boundingBox();
    const view = page.viewportSize();
    if (drawn === null || view === null) throw new Error(`${seat.name}: nothing is drawn`);
    const drawnRows = await page.locator('.xterm-rows > div').count();
    const cell = { width: drawn.width / have.cols, height: drawn.height / Math.max(1, drawnRows) };
    await page.setViewportSize({
      width: Math.ceil(view.width + (cols - have.cols) * cell.width),
      height: Math.ceil(view.height + (rows - have.rows) * cell.height),
    });
    await until(
      async () => {
        const now = await seat.size();
        return now.cols !== have.cols || now.rows !== have.rows;
      },
      'another size',
      3_000,
    ).catch(() => undefined);
    // Both sides let a change of size rest before they take the next.
    await page.waitForTimeout(400);
  }
  const { cols: c, rows: r } = await seat.size();
  throw new Error(`${seat.name} did not become ${cols}x${rows}, but ${c}x${r}`);
}

/** Gives the program an order; it begins when Enter goes down. */
export async function order({ page }: Seat, text: string): Promise<void> {
  await page.bringToFront();
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type(text);
  await page.keyboard.press('Enter');
}

/** Milliseconds from the last key to `text` on the screen. */
export function sinceKey({ probe }: Seat, text: string, timeoutMs: number): Promise<number> {
  return probe.evaluate(async (here, [wanted, within]) => (await here.drawn(wanted, within)) - here.keyAt(), [
    text,
    timeoutMs,
  ] as const);
}

/** Milliseconds from the last key to the first bytes that came to the page after it. */
export function untilBytes({ probe }: Seat): Promise<number> {
  return probe.evaluate((here) => here.cameAt() - here.keyAt());
}
