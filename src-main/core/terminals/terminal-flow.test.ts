/** Slow, stalled and lost viewers: what they cost others, and what they have afterwards. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import type { Run } from '#core/runtimes/runtime.ts';
import { PtyRuntime } from '#core/runtimes/pty/pty-runtime.ts';
import { waitForScreen } from '#core/runtimes/testing/support.ts';
import { HIGH_WATER_BYTES, MAX_FRAME_BYTES, MAX_HISTORY_LINES, ServerFrame } from '#shared/terminals/frames.ts';
import type { ClientView, TerminalClient } from './testing/terminal-client.ts';
import { until } from './testing/terminal-client.ts';
import { TerminalsFixture } from './testing/terminals-fixture.ts';

/** What the flooded viewers have to stand. */
const FLOOD_BYTES = 40 * 1024 * 1024;
/** Well inside `HIGH_WATER_BYTES`, line ends and echo included. */
const CALM_BYTES = 300_000;

let fixture: TerminalsFixture;

beforeEach(() => {
  fixture = new TerminalsFixture();
});

afterEach(async () => {
  await fixture.dispose();
});

async function open(
  client: TerminalClient,
  agentId: string,
  options: { isFrozen?: boolean; takes?: boolean } = {},
): Promise<ClientView> {
  const view = client.view(
    { agentId, control: options.takes === true ? 'take' : 'watch' },
    { isFrozen: options.isFrozen === true },
  );
  await until('the screen', () => view.types.includes(ServerFrame.screen));
  return view;
}

async function truth(run: Run): Promise<string> {
  const { lines } = await run.capture({ historyLines: MAX_HISTORY_LINES, ansi: false });
  return lines.map((line) => line.trimEnd()).join('\n');
}

describe('flow', () => {
  it(
    'holds up neither the agent nor another viewer while one is stalled, through 40 MB',
    async () => {
      fixture.use(new PtyRuntime({ log: () => undefined }));
      const run = await fixture.start(
        'flood',
        `read -r go; head -c ${FLOOD_BYTES} /dev/zero | tr '\\0' x | fold -w 120; echo; echo flood-over; cat`,
      );
      const client = await fixture.connect('websocket');
      const live = await open(client, 'flood', { takes: true });
      const stalled = await open(await fixture.connect('websocket'), 'flood', { isFrozen: true });
      client.type(live, 'go\r');
      await live.shows('flood-over', effort.roundsTimeoutMs);
      await waitForScreen(run, 'flood-over');
      expect(stalled.receivedBytes).toBeGreaterThan(HIGH_WATER_BYTES);
      expect(stalled.receivedBytes).toBeLessThan(HIGH_WATER_BYTES + MAX_FRAME_BYTES + 64 * 1024);
      client.type(live, 'still here\r');
      await live.shows('still here');
      stalled.thaw();
      await stalled.shows('still here');
      const all = await truth(run);
      client.history(live, MAX_HISTORY_LINES);
      await until('all that the agent has', () => live.everything().join('\n') === all);
    },
    2 * effort.roundsTimeoutMs,
  );

  it('loses no byte when a viewer pauses and goes on inside the high-water mark', async () => {
    fixture.use(new PtyRuntime({ log: () => undefined }));
    await fixture.start(
      'calm',
      `read -r go; head -c ${CALM_BYTES} /dev/urandom | base64 -w 90 | head -c ${CALM_BYTES} | tee out; echo; echo all-said; cat`,
    );
    const client = await fixture.connect('websocket');
    const live = await open(client, 'calm', { takes: true });
    const paused = await open(await fixture.connect('websocket'), 'calm', { isFrozen: true });
    client.type(live, 'go\r');
    await until('all is sent', () => paused.dataBytes > CALM_BYTES);
    await live.shows('all-said');
    paused.thaw();
    await paused.shows('all-said');
    // As a terminal has it: what was typed is echoed, and each line ends with a carriage return.
    const printed = `go\n${readFileSync(join(fixture.folder, 'out'), 'utf8')}\nall-said\n`.replaceAll('\n', '\r\n');
    expect(paused.types.filter((type) => type === ServerFrame.screen)).toHaveLength(1);
    expect(paused.dataBytes).toBe(printed.length);
    expect(paused.dataHash.digest('hex')).toBe(createHash('sha256').update(printed).digest('hex'));
  });

  it('gives one who paused beyond it the screen and the scrollback of the source', async () => {
    const run = await fixture.start(
      'beyond',
      'read -r go; for i in $(seq 1 30000); do echo "line $i of many"; done; echo all-said; cat',
    );
    const client = await fixture.connect('websocket');
    const live = await open(client, 'beyond', { takes: true });
    const slow = await fixture.connect('websocket');
    const paused = await open(slow, 'beyond', { isFrozen: true });
    client.type(live, 'go\r');
    await live.shows('all-said');
    slow.history(paused, MAX_HISTORY_LINES);
    paused.thaw();
    const all = await truth(run);
    expect(all.split('\n').length).toBeGreaterThan(8_000);
    await until('all that the source has', () => paused.everything().join('\n') === all);
  });

  it('stops soon at Ctrl-C in the middle of a flood', async () => {
    fixture.use(new PtyRuntime({ log: () => undefined }));
    await fixture.start(
      'endless',
      `n=0; trap 'n=$((n+1)); echo; echo was-stopped-$n.' INT; while true; do read -r go; yes "a line of an endless flood"; done`,
    );
    const client = await fixture.connect('websocket');
    const view = await open(client, 'endless', { takes: true });
    /** From the key to the words behind the last line of the flood, in ms; the best counts, as the machine has other work. */
    const stops: number[] = [];
    for (let round = 1; round <= 3; round += 1) {
      const before = view.receivedBytes;
      client.type(view, 'go\r');
      await until('a flood', () => view.receivedBytes > before + 4 * HIGH_WATER_BYTES);
      const startedAt = performance.now();
      client.type(view, '\u0003');
      await view.shows(`was-stopped-${round}.`);
      stops.push(Math.round(performance.now() - startedAt));
    }
    expect(Math.min(...stops)).toBeLessThan(250);
  });

  it('has no gap for one whose link was lost while the agent printed', async () => {
    await fixture.start('goes-on', 'i=0; while true; do i=$((i+1)); echo "line $i"; [ $((i % 20)) = 0 ] && sleep 0.01; done');
    for (let round = 0; round < 4; round += 1) {
      const client = await fixture.connect('websocket');
      const view = client.view({ agentId: 'goes-on', historyLines: MAX_HISTORY_LINES });
      const whole = await until('the whole history', () => view.wholes[0]);
      client.close();
      const list = whole.flatMap((line) => /^line (\d+)/.exec(line)?.[1] ?? []).map(Number);
      expect(list).toEqual(Array.from({ length: list.length }, (_, index) => index + 1));
    }
  });
});
