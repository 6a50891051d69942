/** What a viewer can scroll back to, held against what tmux itself has (`tmux capture-pane -S -`). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agentId, waitForScreen } from '#core/runtimes/testing/support.ts';
import type { Run } from '#core/runtimes/runtime.ts';
import { MAX_HISTORY_LINES, ServerFrame } from '#shared/terminals/frames.ts';
import type { ClientView } from './testing/terminal-client.ts';
import { until } from './testing/terminal-client.ts';
import { TerminalsFixture } from './testing/terminals-fixture.ts';

let fixture: TerminalsFixture;

beforeEach(() => {
  fixture = new TerminalsFixture();
});

afterEach(async () => {
  await fixture.dispose();
});

const trimmed = (lines: readonly string[]): string[] => lines.map((line) => line.trimEnd());

/** All that the source has: history and screen. */
async function truth(run: Run): Promise<string[]> {
  return trimmed((await run.capture({ historyLines: MAX_HISTORY_LINES, ansi: false })).lines);
}

/** All that the viewer has. */
function seen(view: ClientView): string[] {
  return view.everything();
}

/** How many screens a view was sent so far. */
function screens(view: ClientView): number {
  return view.types.filter((type) => type === ServerFrame.screen).length;
}

/** Asks for the history as it is now, and waits until it is drawn. */
async function scrollUp(client: Awaited<ReturnType<TerminalsFixture['connect']>>, view: ClientView): Promise<void> {
  const before = view.wholes.length;
  client.history(view, MAX_HISTORY_LINES);
  await until('the history has come', () => view.wholes.length > before);
  await until('it is drawn', () => view.acknowledgedBytes === view.receivedBytes);
}

/** Numbers of the lines `line <n>`, in order. */
function numbers(lines: readonly string[]): number[] {
  return lines.flatMap((line) => /^line (\d+)/.exec(line)?.[1] ?? []).map(Number);
}

describe('scrolling back', () => {
  it('shows the screen within 100 ms with 10,000 lines of history, and all of them behind it', async () => {
    const run = await fixture.start(
      'deep',
      'for i in $(seq 1 12000); do echo "line $i of a log of ordinary width, as they are"; done; cat',
    );
    await waitForScreen(run, 'line 12000');
    const client = await fixture.connect('websocket');
    await fixture.start('shallow', 'echo here; cat');
    /** Times of the first screen, in ms, with history and without: the best of three count, because this machine may have other work. */
    const paints: number[] = [];
    const bare: number[] = [];
    let view: ClientView | undefined;
    for (let round = 0; round < 3; round += 1) {
      const bareAt = performance.now();
      const shallow = client.view({ agentId: 'shallow' });
      await until('the screen of the other', () => screens(shallow) > 0);
      bare.push(performance.now() - bareAt);
      client.closeView(shallow);
      const startedAt = performance.now();
      const opened = client.view({ agentId: 'deep', historyLines: MAX_HISTORY_LINES });
      await until('the first screen', () => screens(opened) > 0);
      paints.push(performance.now() - startedAt);
      await until('the history', () => opened.wholes.length > 0);
      if (view) client.closeView(view);
      await until('no hub is open', () => round === 2 || fixture.terminals.openHubs <= 1);
      view = opened;
    }
    if (!view) return;
    const last = view;
    await until('it is drawn', () => last.acknowledgedBytes === last.receivedBytes);
    const all = await truth(run);
    expect(all.length).toBeGreaterThan(9_000);
    expect(seen(view)).toEqual(all);
    // P12; where the machine is too busy to attach in that time at all, history must not make it longer.
    expect(Math.min(...paints)).toBeLessThan(Math.max(100, 2 * Math.min(...bare)));
  });

  it('begins with the whole screen, however many pieces it was drawn in', async () => {
    const run = await fixture.start(
      'pieces',
      String.raw`for i in $(seq 1 200); do printf '\033[3%dmline %d \033[1;3%dmof a log in colours\033[0m that is rather wide\n' $((i % 7)) $i $(((i + 3) % 7)); done; cat`,
    );
    await waitForScreen(run, 'line 200');
    const client = await fixture.connect('websocket');
    for (let round = 0; round < 5; round += 1) {
      const view = client.view({ agentId: 'pieces', cols: 110 + round, rows: 50, historyLines: MAX_HISTORY_LINES });
      let first: Uint8Array | undefined;
      const receive = view.receive.bind(view);
      view.receive = (type, payload) => {
        if (type === ServerFrame.screen) first ??= payload;
        receive(type, payload);
      };
      const painted = Buffer.from(await until('the first screen', () => first)).toString();
      expect(painted).toContain('line 160');
      expect(painted).toContain('line 200');
      client.closeView(view);
      await until('no hub is open', () => fixture.terminals.openHubs === 0);
    }
  });

  it('shows what tmux has when 5,000 lines were printed after the attach, and after another core took over', async () => {
    const run = await fixture.start('later', 'read -r go; for i in $(seq 1 5000); do echo "line $i"; done; echo over; cat');
    const client = await fixture.connect('websocket');
    const view = client.view({ agentId: 'later', control: 'take', historyLines: 100 });
    await until('the view is open', () => view.opened);
    // The history that was asked for at the start, which is not the one that is waited for below.
    await until('its first history', () => view.wholes.length > 0);
    client.type(view, 'go\r');
    await view.shows('over');
    // By itself comes what a tmux client draws: of lines that scroll by between two drawings nothing is in it.
    expect(numbers(seen(view)).length).toBeLessThan(5_000);
    await scrollUp(client, view);
    expect(seen(view)).toEqual(await truth(run));
    expect(numbers(seen(view))).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1));

    // The history is tmux's: it is there for whoever comes next, and for the next core.
    client.close();
    await until('no hub is open', () => fixture.terminals.openHubs === 0);
    await fixture.restart();
    expect(fixture.runs.get(agentId('later'))).not.toBe(run);
    const next = (await fixture.connect('websocket')).view({ agentId: 'later', historyLines: MAX_HISTORY_LINES });
    await until('the history', () => next.wholes.length > 0);
    await until('it is drawn', () => next.acknowledgedBytes === next.receivedBytes);
    expect(numbers(seen(next))).toEqual(Array.from({ length: 5_000 }, (_, index) => index + 1));
  });

  it('has no gap and no repetition while the agent prints', async () => {
    await fixture.start('busy', 'i=0; while true; do i=$((i+1)); echo "line $i"; [ $((i % 20)) = 0 ] && sleep 0.01; done');
    const client = await fixture.connect('port');
    const view = client.view({ agentId: 'busy', historyLines: MAX_HISTORY_LINES });
    await until('the history', () => view.wholes.length > 0);
    for (let round = 0; round < 10; round += 1) await scrollUp(client, view);
    await until('all are drawn', () => view.wholes.length === 11);
    for (const whole of view.wholes) {
      const list = numbers(whole);
      const gap = list.findIndex((number, index) => index > 0 && number !== (list[index - 1] ?? 0) + 1);
      expect(gap, `${list.slice(Math.max(0, gap - 3), gap + 3).join(' ')} of ${list.length}`).toBe(-1);
      expect(list[0]).toBe(1);
      expect(list.length).toBeGreaterThan(10);
    }
  });

  it('keeps colours that go on from line to line, in history as on the screen', async () => {
    const run = await fixture.start(
      'red',
      'printf "\\e[31mred begins\\n"; for i in $(seq 1 40); do echo "line $i"; done; printf "\\e[44mblue ground\\e[0m plain"; sleep 600',
    );
    await waitForScreen(run, 'plain');
    const view = (await fixture.connect('port')).view({ agentId: 'red', historyLines: 100 });
    await until('the history', () => view.wholes.length > 0);
    await until('it is drawn', () => view.acknowledgedBytes === view.receivedBytes);
    const { active } = view.terminal.buffer;
    const looks = Array.from({ length: 42 }, (_, y) => active.getLine(y)?.getCell(0)?.getFgColor());
    expect(looks).toEqual(Array.from({ length: 42 }, () => 1));
    const after = active.getLine(5)?.getCell(30);
    expect([after?.getBgColor(), after?.isBgDefault()]).toEqual([-1, true]);
    await run.stop(0);
    const ended = (await fixture.connect('port')).view({ agentId: 'red', historyLines: 100 });
    await until('the end', () => ended.ended);
    await ended.shows('plain');
    const last = ended.terminal.buffer.active;
    expect(Array.from({ length: 42 }, (_, y) => last.getLine(y)?.getCell(0)?.getFgColor())).toEqual(looks);
    expect(seen(ended)).toEqual(await truth(run));
  });

  it('goes on as before when history is asked for again and again', async () => {
    const run = await fixture.start('asked', 'for i in $(seq 1 500); do echo "line $i"; done; cat');
    const client = await fixture.connect('port');
    const view = client.view({ agentId: 'asked', control: 'take', historyLines: 400 });
    for (let i = 0; i < 20; i += 1) client.history(view, 300 + i);
    client.type(view, 'typed meanwhile\r');
    await view.shows('typed meanwhile');
    client.history(view, MAX_HISTORY_LINES);
    const all = (await truth(run)).join('\n');
    await until('all of it', () => seen(view).join('\n') === all);
    expect(fixture.runs.get(agentId('asked'))).toBe(run);
  });
});
