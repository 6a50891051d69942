/** What a page does while something happens to it, told by the page itself: frames, long tasks, and keys until their paint. */
import type { JSHandle, Page } from '@playwright/test';

/** What was seen since the probe was put in. Times in milliseconds. */
export interface FrameReport {
  /** Between two frames. */
  readonly frames: readonly number[];
  /** Tasks of more than 50 ms. */
  readonly longTasks: readonly number[];
  /** From each key press, by the browser's mark on the event, to the paint after it. */
  readonly keys: readonly number[];
  /** The same as the browser's own Event Timing tells it, in steps of 8 ms; it leaves out what was painted within 16. */
  readonly slowKeys: readonly number[];
}

/** A probe that runs until it is asked. */
export interface FrameProbe {
  end(): FrameReport;
}

/** Puts a probe into the page. */
export function installFrameProbe(page: Page): Promise<JSHandle<FrameProbe>> {
  return page.evaluateHandle((): FrameProbe => {
    const frames: number[] = [];
    const longTasks: number[] = [];
    const keys: number[] = [];
    const slowKeys: number[] = [];
    let isOver = false;
    let last: number | undefined;
    const onFrame = (): void => {
      const now = performance.now();
      if (last !== undefined) frames.push(now - last);
      last = now;
      if (!isOver) requestAnimationFrame(onFrame);
    };
    requestAnimationFrame(onFrame);
    const tasks = new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)));
    tasks.observe({ type: 'longtask' });
    const events = new PerformanceObserver((list) => {
      for (const { name, duration } of list.getEntries()) if (name === 'keydown') slowKeys.push(duration);
    });
    // The threshold is newer than TypeScript's list of the options.
    const options = { type: 'event', durationThreshold: 16 };
    events.observe(options);
    const onKey = ({ timeStamp }: KeyboardEvent): void => {
      requestAnimationFrame(() => {
        // The frame is painted after this; a message comes behind it.
        const after = new MessageChannel();
        after.port1.addEventListener('message', () => keys.push(performance.now() - timeStamp));
        after.port1.start();
        after.port2.postMessage(null);
      });
    };
    window.addEventListener('keydown', onKey, { capture: true });
    return {
      end: () => {
        isOver = true;
        tasks.disconnect();
        events.disconnect();
        window.removeEventListener('keydown', onKey, { capture: true });
        return { frames, longTasks, keys, slowKeys };
      },
    };
  });
}

/** Frames in a second. */
export function fpsOf({ frames }: FrameReport): number {
  return (frames.length * 1_000) / frames.reduce((sum, ms) => sum + ms, 0);
}
