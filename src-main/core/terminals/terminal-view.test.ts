import { setImmediate as turn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from '#shared/terminals/frames.ts';
import type { Snapshot } from './screen-mirror.ts';
import type { EndReason, ViewSink, ViewSource } from './view-ports.ts';
import { TerminalView } from './terminal-view.ts';
import { until } from './testing/terminal-client.ts';

const EXITED: EndReason = { code: 'EXITED', message: 'over' };
const BATCH = 64 * 1024;

/** A terminal whose screen is how many bytes it has had, and a viewer that counts what it was shown. */
class Counter implements ViewSource, ViewSink {
  size = { cols: 80, rows: 24 };
  isCongested = false;
  written = 0;
  /** What the viewer would see: the screen's count plus what followed. */
  seen = 0;
  sent = 0;
  readonly calls: string[] = [];
  view: TerminalView | undefined;
  /** Lines above the screen, and how often they do not fit the screen first. */
  above: string[] = [];
  misses = 0;
  readonly #snapshots: (() => void)[] = [];
  isManual = false;

  write(bytes: number): void {
    this.written += bytes;
    this.view?.push(new Uint8Array(bytes));
  }

  flush(): void {
    this.calls.push('flush');
  }

  snapshot(): Promise<Snapshot> {
    const at = this.written;
    const { size } = this;
    return new Promise((resolve) => {
      const give = (): void => resolve({ bytes: Buffer.from(String(at)), size, lines: [], cursorRow: 0 });
      if (this.isManual) this.#snapshots.push(give);
      else give();
    });
  }

  linesAbove(_snapshot: Snapshot, limit: number, isLast: boolean): Promise<readonly string[] | undefined> {
    this.calls.push('capture');
    this.misses -= 1;
    return Promise.resolve(this.misses >= 0 && !isLast ? undefined : this.above.slice(-limit));
  }

  scrollback(lines: number): void {
    this.calls.push(`scrollback ${lines}`);
  }

  /** Lets the snapshots under way come. */
  async release(): Promise<void> {
    for (const give of this.#snapshots.splice(0)) give();
    await turn();
  }

  opened(): void {
    this.calls.push('opened');
  }

  history(bytes: Uint8Array): void {
    this.calls.push('history');
    this.sent += bytes.length;
  }

  screen(bytes: Uint8Array): void {
    this.calls.push('screen');
    this.seen = Number(Buffer.from(bytes).toString());
    this.sent += bytes.length;
  }

  data(bytes: Uint8Array): void {
    this.calls.push('data');
    this.seen += bytes.length;
    this.sent += bytes.length;
  }

  resized(size: { cols: number; rows: number }): void {
    this.calls.push(`resized ${size.cols}`);
  }

  ended(reason: EndReason): void {
    this.calls.push(`ended ${reason.code}`);
  }
}

function open(): { counter: Counter; view: TerminalView } {
  const counter = new Counter();
  const view = new TerminalView(counter, counter);
  counter.view = view;
  return { counter, view };
}

/** Starts a view whose history nobody waits for. */
function begin(view: TerminalView, historyLines: number): void {
  view.start(historyLines).catch(() => undefined);
}

describe('a view', () => {
  it('gets the screen, what came while it was made, then what follows', async () => {
    const { counter, view } = open();
    counter.isManual = true;
    counter.write(10);
    begin(view, 0);
    counter.write(5);
    await counter.release();
    counter.write(3);
    expect(counter.calls).toEqual(['flush', 'screen', 'data', 'data']);
    expect(counter.seen).toBe(18);
  });

  it('gets nothing while it is behind, then a new screen', async () => {
    const { counter, view } = open();
    begin(view, 0);
    await turn();
    while (view.isLive) counter.write(BATCH);
    const before = counter.sent;
    for (let i = 0; i < 100; i += 1) counter.write(BATCH);
    expect(counter.sent).toBe(before);
    expect(view.heldBytes).toBeLessThan(HIGH_WATER_BYTES + 2 * BATCH);
    view.acknowledge(before - LOW_WATER_BYTES);
    await turn();
    expect(view.isLive).toBe(false);
    view.acknowledge(1);
    await turn();
    expect(view.isLive).toBe(true);
    expect(counter.seen).toBe(counter.written);
  });

  it('starts over when too much comes while the screen is made', async () => {
    const { counter, view } = open();
    counter.isManual = true;
    begin(view, 0);
    for (let i = 0; i < 20; i += 1) counter.write(BATCH);
    expect(view.heldBytes).toBeLessThan(HIGH_WATER_BYTES + BATCH);
    await counter.release();
    await counter.release();
    expect(view.isLive).toBe(true);
    expect(counter.seen).toBe(counter.written);
  });

  it('waits while the link is congested, until it is looked at again', async () => {
    const { counter, view } = open();
    begin(view, 0);
    await turn();
    counter.isCongested = true;
    counter.write(10);
    counter.isCongested = false;
    expect(counter.seen).toBe(0);
    view.recheck();
    await turn();
    expect(counter.seen).toBe(10);
  });

  it('sends the screen, then history with the screen that belongs to it, then what came meanwhile', async () => {
    const { counter, view } = open();
    counter.isManual = true;
    counter.above = ['one', 'two', 'three'];
    counter.write(10);
    const started = view.start(2);
    await counter.release();
    expect(counter.calls).toEqual(['flush', 'screen', 'flush']);
    counter.write(5);
    await counter.release();
    await started;
    counter.write(3);
    expect(counter.calls).toEqual(['flush', 'screen', 'flush', 'capture', 'scrollback 2', 'history', 'screen', 'data', 'data']);
    expect(counter.seen).toBe(18);
    view.restore(1);
    await counter.release();
    await until('history again', () => counter.calls.at(-1) === 'screen');
    expect(counter.calls.slice(-4)).toEqual(['capture', 'scrollback 1', 'history', 'screen']);
  });

  it('goes on as before while history does not fit, and tries again', async () => {
    const { counter, view } = open();
    counter.above = ['one'];
    counter.misses = 2;
    const started = view.start(5);
    await turn();
    counter.write(7);
    await until('a miss', () => counter.misses < 2);
    expect(counter.seen).toBe(counter.written);
    counter.write(9);
    await started;
    expect(counter.calls.filter((call) => call === 'capture')).toHaveLength(3);
    expect(counter.calls.slice(-3)).toEqual(['scrollback 1', 'history', 'screen']);
    expect(counter.seen).toBe(counter.written);
    counter.misses = 1_000;
    view.restore(5);
    // In the end what comes nearest is better than nothing.
    await until('history after all', () => counter.calls.filter((call) => call === 'capture').length === 11);
    await until('its screen', () => counter.calls.at(-1) === 'screen');
  });

  it('paces history by acknowledgements, and starts it over when too much comes meanwhile', async () => {
    const { counter, view } = open();
    counter.above = Array.from({ length: 20_000 }, (_, index) => `a line of history with the number ${index}`);
    begin(view, 20_000);
    await until('the viewer is full', () => counter.sent > HIGH_WATER_BYTES);
    expect(view.heldBytes).toBeLessThan(HIGH_WATER_BYTES + 2 * BATCH);
    for (let i = 0; i < 20; i += 1) counter.write(BATCH);
    expect(view.heldBytes).toBeLessThan(2 * HIGH_WATER_BYTES + 2 * BATCH);
    counter.above = ['short'];
    view.acknowledge(counter.sent);
    await until('the rest', () => {
      view.acknowledge(counter.sent);
      return counter.calls.at(-1) === 'screen';
    });
    expect(counter.calls.filter((call) => call.startsWith('scrollback'))).toEqual(['scrollback 20000', 'scrollback 1']);
    expect(counter.seen).toBe(counter.written);
  });

  it('takes back half a history when the run ends', async () => {
    const { counter, view } = open();
    counter.above = Array.from({ length: 20_000 }, (_, index) => `a line of history with the number ${index}`);
    const started = view.start(20_000);
    await until('the viewer is full', () => counter.sent > HIGH_WATER_BYTES);
    await view.end(EXITED);
    await started;
    expect(counter.calls.slice(-3)).toEqual(['scrollback 0', 'screen', 'ended EXITED']);
  });

  it('has history made anew for another size', async () => {
    const { counter, view } = open();
    counter.isManual = true;
    counter.above = ['one'];
    begin(view, 1);
    await counter.release();
    counter.size = { cols: 100, rows: 24 };
    view.resized(counter.size);
    await counter.release();
    await until('another try', async () => {
      await counter.release();
      return counter.calls.includes('resized 100');
    });
    expect(counter.calls.slice(-4)).toEqual(['scrollback 1', 'history', 'resized 100', 'screen']);
  });

  it('is told the size before the screen of that size', async () => {
    const { counter, view } = open();
    counter.isManual = true;
    begin(view, 0);
    counter.size = { cols: 100, rows: 24 };
    view.resized(counter.size);
    await counter.release();
    expect(counter.calls).toEqual(['flush', 'flush', 'resized 100', 'screen']);
    view.resized({ cols: 90, rows: 24 });
    expect(counter.calls.at(-1)).toBe('resized 90');
  });

  it('shows the last screen before the end when it was behind, and nothing after closing', async () => {
    const behind = open();
    begin(behind.view, 0);
    await turn();
    while (behind.view.isLive) behind.counter.write(BATCH);
    behind.counter.write(7);
    await behind.view.end(EXITED);
    expect(behind.counter.calls.slice(-2)).toEqual(['screen', 'ended EXITED']);
    expect(behind.counter.seen).toBe(behind.counter.written);
    const closed = open();
    closed.counter.isManual = true;
    begin(closed.view, 0);
    closed.view.close();
    await closed.counter.release();
    closed.counter.write(1);
    await closed.view.end(EXITED);
    expect(closed.counter.calls).toEqual(['flush']);
    expect(closed.view.heldBytes - closed.counter.sent).toBe(0);
  });

  it('is right once everything is acknowledged, whatever happened', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), bytes: fc.integer({ min: 1, max: 256 * 1024 }) }),
      fc.record({ kind: fc.constant('ack' as const), bytes: fc.integer({ min: 0, max: 600_000 }) }),
      fc.record({
        kind: fc.constantFrom('turn' as const, 'release' as const, 'congest' as const, 'resize' as const, 'restore' as const),
        bytes: fc.constant(0),
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        withinTime(async (steps) => {
          const { counter, view } = open();
          counter.isManual = true;
          counter.above = ['one', 'two', 'three'];
          begin(view, 2);
          for (const { kind, bytes } of steps) {
            if (kind === 'write') counter.write(bytes);
            else if (kind === 'ack') view.acknowledge(bytes);
            else if (kind === 'release') await counter.release();
            else if (kind === 'congest') counter.isCongested = !counter.isCongested;
            else if (kind === 'resize') view.resized({ cols: 80 + counter.calls.length, rows: 24 });
            else if (kind === 'restore') view.restore(3);
            else await turn();
            expect(view.heldBytes).toBeLessThan(2 * HIGH_WATER_BYTES + 512 * 1024);
          }
          counter.isCongested = false;
          await until('the view is live', async () => {
            view.acknowledge(counter.sent);
            await counter.release();
            return view.isLive;
          });
          expect(counter.seen).toBe(counter.written);
          // Every history that began has its screen.
          expect(counter.calls.lastIndexOf('screen')).toBeGreaterThan(
            counter.calls.findLastIndex((call) => call.startsWith('scrollback') || call === 'history'),
          );
        }),
      ),
      { numRuns: effort.propertyRuns * 10 },
    );
  });
});
