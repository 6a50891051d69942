import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import { refuseLimits, UNLIMITED } from '#core/runtimes/unlimited.ts';
import type { Run, RunEnd, TerminalCapture } from '#core/runtimes/runtime.ts';
import { MAX_FRAME_BYTES, ServerFrame, TilePayload } from '#shared/terminals/frames.ts';
import { until } from './testing/terminal-client.ts';
import { TerminalsFixture } from './testing/terminals-fixture.ts';
import { jsonOf, QUICK_LOOK_MS, quickLookMs, TileFeed, TileFeeds, tileOf } from './tile-feed.ts';

function capture(lines: readonly string[], cursor = { x: 0, y: 0 }): TerminalCapture {
  return { lines, size: { cols: 80, rows: lines.length }, cursor };
}

describe('a tile', () => {
  it('is the last lines with content, and the cursor among them', () => {
    const screen = ['one', '\x1b[31mtwo', 'three\x1b[0m', '', 'five', '', ''];
    expect(tileOf(capture(screen, { x: 4, y: 4 }), 3)).toEqual({
      rows: [[['three', { fg: 1 }]], [], [['five']]],
      cols: 80,
      cursor: { row: 2, col: 4 },
    });
    expect(tileOf(capture(screen, { x: 0, y: 0 }), 3).cursor).toBeNull();
    expect(tileOf(capture(screen, { x: 0, y: 6 }), 300)).toMatchObject({ rows: { length: 5 }, cursor: null });
    expect(tileOf(capture(['', '']), 5)).toEqual({ rows: [], cols: 80, cursor: null });
  });

  it('goes on in the look of the lines that it leaves out', () => {
    expect(tileOf(capture(['\x1b[1;44mhead', 'tail']), 1).rows).toEqual([[['tail', { bg: 4, bold: true }]]]);
  });

  it('fits a frame, however colourful the screen is', () => {
    const line = Array.from({ length: 500 }, (_, x) => `\x1b[38;2;${x % 256};1;2mx`).join('');
    const colourful = tileOf(
      capture(
        Array.from({ length: 300 }, () => line),
        { x: 3, y: 299 },
      ),
      300,
    );
    expect(JSON.stringify(colourful).length).toBeGreaterThan(MAX_FRAME_BYTES);
    const plain = TilePayload.parse(JSON.parse(jsonOf(colourful).toString()));
    expect(plain.rows).toEqual(Array.from({ length: 300 }, () => [['x'.repeat(500)]]));
    expect(plain.cursor).toEqual({ row: 299, col: 3 });
    const wide = tileOf(
      capture(
        Array.from({ length: 300 }, () => '漢'.repeat(500)),
        { x: 3, y: 299 },
      ),
      300,
    );
    const part = TilePayload.parse(JSON.parse(jsonOf(wide).toString()));
    expect(part.rows.length).toBeLessThan(300);
    expect(part.cursor).toEqual({ row: part.rows.length - 1, col: 3 });
    expect(jsonOf(wide).length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
  });
});

/** A run with a screen that the test sets, which counts how often it is looked at. */
class CountedRun implements Run {
  readonly agentId = AgentId.parse('one');
  readonly runId = 'run_1';
  readonly kind = 'pty';
  readonly pid = 1;
  readonly startedAt = 0;
  readonly attachCommand = undefined;
  readonly #end = Promise.withResolvers<RunEnd>();
  readonly ended = this.#end.promise;
  line = 'first';
  looks = 0;

  end(): void {
    this.#end.resolve({ kind: 'exited', exit: { code: 0 } });
  }

  capture(): Promise<TerminalCapture> {
    this.looks += 1;
    return Promise.resolve(capture([this.line, '']));
  }

  isPaused = (): boolean => false;
  pause = (): Promise<void> => Promise.resolve();
  resume = (): Promise<void> => Promise.resolve();
  stop = (): Promise<RunEnd> => this.ended;
  readonly limits = UNLIMITED;
  changeLimits = refuseLimits;
  stats = (): Promise<undefined> => Promise.resolve(undefined);
  attach = (): Promise<never> => Promise.reject(new Error('A tile attaches to nothing'));
  windows = (): Promise<readonly string[]> => Promise.resolve(['main']);
  discard = (): Promise<void> => Promise.resolve();
  release = (): void => undefined;
}

/** Where a tile goes: what it was sent, and how it ended. */
class CountingSink {
  readonly sent: string[] = [];
  bytes = 0;
  end: string | undefined;
  isCongested = false;

  tile(json: Uint8Array): void {
    this.sent.push(
      TilePayload.parse(JSON.parse(Buffer.from(json).toString()))
        .rows.map((row) => row[0]?.[0] ?? '')
        .join('|'),
    );
    this.bytes = json.length;
  }

  ended({ code }: { code: string }): void {
    this.end = code;
  }
}

describe('a feed of tiles', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('looks once for all, often while the screen changes, seldom while it does not, and never without tiles', async () => {
    const run = new CountedRun();
    let isEmpty = false;
    const feed = new TileFeed(run, 'main', () => (isEmpty = true));
    const sinks = Array.from({ length: 60 }, () => new CountingSink());
    const seats = sinks.map((sink) => feed.join(2, sink));
    const paint = (): void => seats.forEach((seat, index) => seat.acknowledge(sinks[index]?.bytes ?? 0));
    await vi.advanceTimersByTimeAsync(1);
    expect(run.looks).toBe(1);
    expect(sinks.every(({ sent }) => sent.join() === 'first')).toBe(true);
    paint();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(run.looks).toBeLessThan(40);
    expect(sinks.every(({ sent }) => sent.length === 1)).toBe(true);
    run.looks = 0;
    for (let step = 0; step < 100; step += 1) {
      run.line = `step ${step}`;
      await vi.advanceTimersByTimeAsync(50);
      paint();
    }
    // Five seconds of changes: eight looks a second.
    expect(run.looks).toBeGreaterThan(30);
    expect(run.looks).toBeLessThanOrEqual(41);
    expect(sinks[7]?.sent.at(-1)).toMatch(/^step 9/);
    for (const seat of seats) seat.dispose();
    expect(isEmpty).toBe(true);
    run.looks = 0;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(run.looks).toBe(0);
  });

  it('looks less often the more of them there are, four times a second with sixty', () => {
    expect([1, 7, 12, 60].map(quickLookMs)).toEqual([QUICK_LOOK_MS, QUICK_LOOK_MS, 192, 240]);
    // 250 looks a second in all.
    expect(quickLookMs(200)).toBe(800);
  });

  it('does not look for tiles that are not painted, and sends them the newest when they are', async () => {
    const run = new CountedRun();
    const feed = new TileFeed(run, 'main', () => undefined);
    const sink = new CountingSink();
    const seat = feed.join(2, sink);
    await vi.advanceTimersByTimeAsync(1);
    run.line = 'second';
    await vi.advanceTimersByTimeAsync(60_000);
    expect(run.looks).toBe(1);
    expect(sink.sent).toEqual(['first']);
    seat.acknowledge(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(run.looks).toBe(1);
    seat.acknowledge(sink.bytes);
    await vi.advanceTimersByTimeAsync(QUICK_LOOK_MS);
    expect(sink.sent).toEqual(['first', 'second']);
    sink.isCongested = true;
    seat.acknowledge(sink.bytes);
    run.line = 'third';
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sink.sent).toHaveLength(2);
    sink.isCongested = false;
    seat.recheck();
    await vi.advanceTimersByTimeAsync(QUICK_LOOK_MS);
    expect(sink.sent).toEqual(['first', 'second', 'third']);
    // It ended while the tile was not painted: what it has missed comes first.
    run.line = 'last';
    run.end();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(sink.end).toBeUndefined();
    seat.acknowledge(sink.bytes);
    await vi.advanceTimersByTimeAsync(QUICK_LOOK_MS);
    expect([sink.sent.at(-1), sink.end]).toEqual(['last', 'EXITED']);
  });

  it('gives way to who types: no look before the echo, fewer looks meanwhile, but some however long it goes on', async () => {
    const feeds = new TileFeeds();
    const run = new CountedRun();
    const sink = new CountingSink();
    const seat = feeds.join(run, 'main', 2, sink);
    const goOn = async (ms: number): Promise<void> => {
      for (let at = 0; at < ms; at += 5) {
        run.line = `step ${run.looks} ${at}`;
        await vi.advanceTimersByTimeAsync(5);
        seat.acknowledge(sink.bytes);
      }
    };
    await goOn(2_000);
    run.looks = 0;
    await goOn(2_000);
    const alone = run.looks;
    // Ten keys a second, each with 50 ms for its echo.
    run.looks = 0;
    for (let key = 0; key < 20; key += 1) {
      feeds.typed();
      const before = run.looks;
      await goOn(45);
      expect(run.looks).toBe(before);
      await goOn(55);
    }
    expect(run.looks).toBeLessThan(alone * 0.7);
    expect(run.looks).toBeGreaterThan(2);
    // Forty a second leave no time between two echoes.
    run.looks = 0;
    for (let key = 0; key < 80; key += 1) {
      feeds.typed();
      await goOn(25);
    }
    expect(run.looks).toBeGreaterThan(2);
    seat.dispose();
  });
});

describe('tiles on a link', () => {
  let fixture: TerminalsFixture;

  beforeEach(() => {
    fixture = new TerminalsFixture();
  });

  afterEach(async () => {
    await fixture.dispose();
  });

  it('show what the terminal shows, at once and as it changes, each as many lines as it asked for', async () => {
    const run = await fixture.start('one', 'for i in $(seq 1 50); do printf "\\e[3${i}m line $i\\n"; done; cat', {
      cols: 70,
      rows: 20,
    });
    const client = await fixture.connect('websocket');
    const small = client.view({ agentId: 'one', tier: 'tile', rows: 4 });
    const wall = client.view({ agentId: 'one', tier: 'tile', rows: 300 });
    await until('the last line', () => small.tileText().at(-1) === ' line 50' && wall.tileText().at(-1) === ' line 50');
    expect(small.tileText()).toEqual([' line 47', ' line 48', ' line 49', ' line 50']);
    expect(wall.tileText()).toHaveLength(19);
    expect(wall.tile?.cols).toBe(70);
    const typist = client.view({ agentId: 'one', control: 'take' });
    await until('it has control', () => typist.control === 'you');
    client.type(typist, 'typed');
    await until('the tile has it', () => small.tileText().at(-1) === 'typed');
    expect(small.tile?.cursor).toEqual({ row: 3, col: 5 });
    // A tile needs no view of the runtime, has no size, and is no viewer.
    expect(typist.controls.at(-1)?.viewers).toBe(1);
    expect(small.types.filter((type) => type !== ServerFrame.opened && type !== ServerFrame.tile)).toEqual([]);
    expect((await run.capture({ historyLines: 0, ansi: false })).size).toEqual({ cols: 80, rows: 24 });
  });

  it('of one window share one look, and none is left when they are gone', async () => {
    await fixture.start('one', 'echo here; cat');
    const client = await fixture.connect('port');
    const views = Array.from({ length: 20 }, () => client.view({ agentId: 'one', tier: 'tile', rows: 5 }));
    await until('all have it', () => views.every((view) => view.tileText().join() === 'here'));
    expect(fixture.terminals.openHubs).toBe(0);
    expect(fixture.terminals.openTileFeeds).toBe(1);
    for (const view of views) client.closeView(view);
    await until('the feed is closed', () => fixture.terminals.openTileFeeds === 0);
  });

  it('show the newest once they are painted again, and one unacknowledged lot at most before', async () => {
    await fixture.start('one', 'i=0; while sleep 0.02; do i=$((i+1)); echo "count $i"; done');
    const client = await fixture.connect('port');
    const frozen = client.view({ agentId: 'one', tier: 'tile', rows: 2 }, { isFrozen: true });
    await until('its first lines', () => frozen.tiles > 0);
    const other = client.view({ agentId: 'one', tier: 'tile', rows: 2 });
    await until('ten for the other', () => other.tiles >= 10);
    expect(frozen.tiles).toBe(1);
    const shown = frozen.tileText();
    frozen.thaw();
    await until('the newest', () => frozen.tiles > 1 && frozen.tileText().join() !== shown.join());
  });

  it('show the last screen of what has ended once, and say so', async () => {
    const run = await fixture.start('one', 'echo first; read -r x; echo last words; exit 3');
    const client = await fixture.connect('port');
    const tile = client.view({ agentId: 'one', tier: 'tile', rows: 5 });
    const typist = client.view({ agentId: 'one', control: 'take' });
    await until('the first line', () => tile.tileText()[0] === 'first' && typist.control === 'you');
    client.type(typist, 'go\r');
    await until('the end', () => tile.ended);
    expect(
      tile
        .tileText()
        .filter((line) => line !== '')
        .at(-1),
    ).toBe('last words');
    expect(tile.ended).toEqual({ code: 'EXITED', message: 'The agent exited with code 3.' });
    const late = client.view({ agentId: 'one', tier: 'tile', rows: 2 });
    await until(
      () => `the end, after ${late.types.join()} ${JSON.stringify(late.failures)}`,
      () => late.ended,
    );
    expect(late.tiles).toBe(1);
    expect(late.tileText().at(-1)).toBe('last words');
    expect(fixture.terminals.openTileFeeds).toBe(0);
    await run.discard();
    const gone = client.view({ agentId: 'one', tier: 'tile', rows: 2 });
    await until('the end', () => gone.ended);
    expect(gone.tiles).toBe(0);
  });

  it('say why there are none', async () => {
    await fixture.start('one', 'cat');
    const client = await fixture.connect('port');
    const nobody = client.view({ agentId: 'nobody', tier: 'tile' });
    const down = client.view({ agentId: 'known-but-down', tier: 'tile' });
    const attic = client.view({ agentId: 'one', window: 'attic', tier: 'tile' });
    await until('all are refused', () => [nobody, down, attic].every((view) => view.failures.length === 1));
    expect([nobody, down, attic].map((view) => view.failures[0]?.code)).toEqual(['NOT_FOUND', 'CONFLICT', 'NOT_FOUND']);
  });
});
