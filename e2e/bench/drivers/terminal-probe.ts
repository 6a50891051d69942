/**
 * What happens on a page with one xterm.js, told by the page itself: when a key was pressed, and when a text was drawn.
 * Both times are of the page's own clock. It looks at the elements that xterm draws rows into, so it works on any page that
 * uses xterm without WebGL, whoever wrote it.
 */
import type { BrowserContext, JSHandle, Page } from '@playwright/test';

/** Times in milliseconds since the page began. */
export interface TerminalProbe {
  /** When the last key went down, by the browser's own mark on the event. */
  keyAt(): number;
  /** When the first bytes came over a WebSocket after that key; NaN when none did, or `noteArrivals` was not called. */
  cameAt(): number;
  /** Resolves with the time at which a row with `text` was painted; rejects when it was not within `timeoutMs`. */
  drawn(text: string, timeoutMs: number): Promise<number>;
}

/** What a page keeps the times of its arrivals under. */
const ARRIVALS = 'benchArrivals';

/** Has every page that is opened in `context` from now on note when bytes come over its WebSockets. */
export async function noteArrivals(context: BrowserContext): Promise<void> {
  await context.addInitScript((name) => {
    const arrivals: number[] = [];
    Object.defineProperty(window, name, { value: arrivals });
    window.WebSocket = class extends WebSocket {
      constructor(url: string | URL, protocols?: string | string[]) {
        super(url, protocols);
        this.addEventListener('message', () => arrivals.push(performance.now()));
      }
    };
  }, ARRIVALS);
}

/** Puts a probe into the page. The terminal must be on it. */
export async function installProbe(page: Page): Promise<JSHandle<TerminalProbe>> {
  await page.locator('.xterm-rows').first().waitFor();
  return page.evaluateHandle((name): TerminalProbe => {
    let keyAt = 0;
    const noted: unknown = Reflect.get(window, name);
    const arrivals = Array.isArray(noted) ? (noted as number[]) : [];
    const onKey = (event: KeyboardEvent): void => {
      keyAt = event.timeStamp;
      arrivals.length = 0;
    };
    window.addEventListener('keydown', onKey, { capture: true });
    const rows = document.querySelector('.xterm-rows');
    if (rows === null) throw new Error('There is no terminal on the page.');
    return {
      keyAt: () => keyAt,
      cameAt: () => arrivals[0] ?? Number.NaN,
      drawn: (text, timeoutMs) =>
        new Promise((resolve, reject) => {
          const timer = setTimeout(() => {
            observer.disconnect();
            reject(new Error(`"${text}" was not drawn within ${timeoutMs} ms; what is: ${(rows.textContent ?? '').slice(-400)}`));
          }, timeoutMs);
          const look = (): void => {
            if (!(rows.textContent ?? '').includes(text)) return;
            observer.disconnect();
            clearTimeout(timer);
            // xterm draws right before the browser paints; a message comes after that.
            const after = new MessageChannel();
            after.port1.addEventListener('message', () => resolve(performance.now()));
            after.port1.start();
            after.port2.postMessage(null);
          };
          const observer = new MutationObserver(look);
          observer.observe(rows, { childList: true, subtree: true, characterData: true });
          look();
        }),
    };
  }, ARRIVALS);
}
