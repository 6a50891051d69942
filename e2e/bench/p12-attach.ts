/**
 * P12: how soon a terminal with a long history is on the screen. Through the window: from the click on an agent's card to the
 * first painted rows. Through the link beside it: from `open` to the first `screen`. Each time after the core has let go of the
 * terminal, so that it attaches anew.
 */
import type { Browser, Page } from '@playwright/test';
import * as z from 'zod';
import { LINGER_MS } from '#core/terminals/terminal-hubs.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { ServerFrame } from '#shared/terminals/frames.ts';
import { loginLink } from './drivers/browser.ts';
import { openLine } from './drivers/terminal-line.ts';
import { startAgent, until } from './p12-seats.ts';
import type { Figure } from './report.ts';
import { median, percentile } from './report.ts';

const HISTORY_LINES = 10_000;
const RUNS = 7;
const RUNTIMES = ['tmux', 'pty'] as const;

const Captured = z.object({ lines: z.array(z.string()) });
const Status = z.object({ viewers: z.number() });

/** From the click on the card to the paint with which `text` is in the rows of the agent's terminal, in milliseconds. */
async function clickToPaint(page: Page, id: string, text: string): Promise<number> {
  const card = page.locator(`[data-agent="${id}"] [data-card-link]`);
  await card.waitFor();
  const painted = page.evaluateHandle((wanted) => {
    let clickedAt = 0;
    window.addEventListener('click', (event) => (clickedAt = event.timeStamp), { capture: true, once: true });
    const promise = new Promise<number>((resolve) => {
      const observer = new MutationObserver(() => {
        if (!(document.querySelector('.xterm-rows')?.textContent ?? '').includes(wanted)) return;
        observer.disconnect();
        const after = new MessageChannel();
        after.port1.addEventListener('message', () => resolve(performance.now() - clickedAt));
        after.port1.start();
        after.port2.postMessage(null);
      });
      observer.observe(document.body, { childList: true, subtree: true, characterData: true });
    });
    return { promise };
  }, text);
  const handle = await painted;
  await card.click();
  return handle.evaluate(({ promise }) => promise);
}

/** Waits until nobody looks at the terminals and the core has let go of them. */
async function letGo(core: TestCore): Promise<void> {
  const rest = new RestClient(core);
  for (const runtime of RUNTIMES)
    await until(
      async () => Status.parse(await rest.ok('GET', `/agents/long-${runtime}/terminal/status`)).viewers === 0,
      'the end of the view',
    );
  await new Promise((resolve) => setTimeout(resolve, LINGER_MS + 500));
}

async function throughLink(core: TestCore, id: string): Promise<number> {
  const { client, next } = await openLine(core);
  const startedAt = performance.now();
  const view = client.view({ agentId: id, cols: 120, rows: 32, historyLines: HISTORY_LINES });
  const ms = (await next(ServerFrame.screen, view.channel)) - startedAt;
  client.close();
  return ms;
}

/** Measures; prints what it does on stderr. */
export async function measureAttach(
  browser: Browser,
  core: TestCore,
  command: readonly string[],
  say: (text: string) => void,
): Promise<Figure[]> {
  const rest = new RestClient(core);
  for (const runtime of RUNTIMES) {
    const id = `long-${runtime}`;
    await startAgent(core, id, runtime, command);
    const text = async (): Promise<string> => Captured.parse(await rest.ok('GET', `/agents/${id}/terminal`)).lines.join('\n');
    await until(async () => (await text()).includes('READY'), `the program of ${id}`);
    await rest.ok('POST', `/agents/${id}/terminal`, { text: `lines ${HISTORY_LINES + 2_000} long`, enter: true });
    await until(async () => (await text()).includes('END-long'), `the lines of ${id}`);
  }
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark' });
  const page = await context.newPage();
  await page.goto(await loginLink(core));
  const window: Record<string, number[]> = {};
  const link: Record<string, number[]> = {};
  for (let run = 0; run <= RUNS; run += 1) {
    await letGo(core);
    for (const runtime of RUNTIMES) {
      const ms = await clickToPaint(page, `long-${runtime}`, 'END-long');
      await page.goBack();
      // The first time loads the page's code: that is no matter of terminals.
      if (run > 0) (window[runtime] ??= []).push(ms);
    }
    await letGo(core);
    for (const runtime of RUNTIMES) {
      const ms = await throughLink(core, `long-${runtime}`);
      if (run > 0) (link[runtime] ??= []).push(ms);
    }
  }
  await context.close();
  const told = (name: string, times: readonly number[] = []): string =>
    `${name} p50 ${median(times).toFixed(0)} ms, slowest ${percentile(times, 1).toFixed(0)} ms`;
  for (const runtime of RUNTIMES) say(`attach, ${runtime}: ${told('window', window[runtime])}; ${told('link', link[runtime])}`);
  return [
    {
      id: 'P12',
      what: 'attach with 10,000 lines of history: click to first paint in the window, agent in tmux',
      figure: median(window['tmux'] ?? []),
      unit: 'ms',
      against: 100,
      againstWhat: `limit; through the link ${median(link['tmux'] ?? []).toFixed(0)}; on a pty ${median(window['pty'] ?? []).toFixed(0)}, link ${median(link['pty'] ?? []).toFixed(0)}`,
      isLessBetter: true,
      runs: RUNS,
    },
  ];
}
