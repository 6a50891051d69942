/**
 * P12: nothing is lost. Through the terminal link, with a viewer that draws into a terminal of its own. One that pauses inside the
 * mark has every byte of the source; one that pauses beyond it has the source's screen and scrollback once it has caught up.
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import xterm from '@xterm/headless';
import * as z from 'zod';
import { until } from '#core/terminals/testing/terminal-client.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { MAX_HISTORY_LINES } from '#shared/terminals/frames.ts';
import { openLine } from './drivers/terminal-line.ts';
import { writeSource } from './drivers/terminal-source.ts';
import { startAgent } from './p12-seats.ts';
import type { Figure } from './report.ts';

/** What is asked for at a time: some 200 KB, below the mark at which the core stops sending. */
const PIECE_LINES = 2_000;
const SIZE = { cols: 100, rows: 30 };
/** What is kept above the screen at the least: tmux drops a tenth at a time when its 10,000 are full. */
const KEPT_LINES = { tmux: 9_000, pty: 1_000 } as const;

/** Gives some lines of the log, byte for byte, for every key. Whole lines: half a sequence waits in the core for its end. */
const PIECES = `stty raw -echo
printf READY
exec 3<"$1"
while head -c 1 >/dev/null; do head -n ${PIECE_LINES} <&3; done
`;

const Captured = z.object({ lines: z.array(z.string()) });

/** How many of the source's bytes came, all of them only with the right checksum; and how often it was paused. */
async function insideTheMark(core: TestCore, folder: string, log: string): Promise<{ came: number; pauses: number }> {
  const program = join(folder, 'pieces.sh');
  writeFileSync(program, PIECES);
  await startAgent(core, 'pieces', 'pty', ['sh', program, log]);
  const rest = new RestClient(core);
  // Before the view is opened: what it prints first is then on the screen, and no byte of the source.
  await until('the program', async () =>
    Captured.parse(await rest.ok('GET', '/agents/pieces/terminal'))
      .lines.join('\n')
      .includes('READY'),
  );
  const { client } = await openLine(core);
  const view = client.view({ agentId: 'pieces', ...SIZE, control: 'take' });
  await view.shows('READY');
  await until('control', () => view.control === 'you');
  const bytes = readFileSync(log);
  let pauses = 0;
  let isPaused = false;
  for (let due = 0; due < bytes.length;) {
    for (let lines = 0; lines < PIECE_LINES && due < bytes.length; lines += 1) due = bytes.indexOf('\n', due) + 1;
    isPaused = !isPaused;
    view.isFrozen = isPaused;
    client.type(view, 'g');
    await until(
      () => `${due} of ${bytes.length} bytes, ${view.dataBytes} came`,
      () => view.dataBytes >= due,
      60_000,
    );
    if (!isPaused) continue;
    pauses += 1;
    await sleep((pauses * 7) % 20);
    view.thaw();
  }
  const isSame = view.dataHash.digest('hex') === createHash('sha256').update(bytes).digest('hex');
  client.close();
  return { came: isSame ? view.dataBytes : Math.min(view.dataBytes, bytes.length - 1), pauses };
}

/** The lines that a terminal of this size has after `text`, scrollback included. */
async function linesAfter(text: string): Promise<string[]> {
  const terminal = new xterm.Terminal({ ...SIZE, scrollback: 12_000, allowProposedApi: true });
  await new Promise<void>((resolve) => terminal.write(text, resolve));
  const { active } = terminal.buffer;
  const lines = Array.from({ length: active.length }, (_, y) => active.getLine(y)?.translateToString(true).trimEnd() ?? '');
  terminal.dispose();
  return lines;
}

/** In a flood of 50 MB that a viewer takes no part in: what it shows afterwards, of that how many lines are the source's. */
async function beyondTheMark(
  core: TestCore,
  runtime: 'tmux' | 'pty',
  command: readonly string[],
  log: string,
): Promise<{ shown: number; same: number; skippedBytes: number }> {
  const id = `slow-${runtime}`;
  const rest = new RestClient(core);
  await startAgent(core, id, runtime, command);
  const { client } = await openLine(core);
  const view = client.view({ agentId: id, ...SIZE, control: 'take' });
  await view.shows('READY');
  await until('control', () => view.control === 'you');
  view.isFrozen = true;
  client.type(view, 'flood slow\r');
  await until(
    'the end of the flood',
    async () =>
      Captured.parse(await rest.ok('GET', `/agents/${id}/terminal`))
        .lines.join('\n')
        .includes('END-slow'),
    120_000,
  );
  view.thaw();
  await view.shows('END-slow', 30_000);
  client.history(view, MAX_HISTORY_LINES);
  const whole = await until('the history', () => view.wholes.at(-1), 30_000);
  const all = readFileSync(log, 'utf8');
  const source = await linesAfter(`${all.slice(-3 * 2 ** 20).replaceAll('\n', '\r\n')}END-slow\r\n`);
  client.close();
  const skippedBytes = all.length - view.dataBytes;
  // Both end with the line of the cursor; what is above is compared from there upwards.
  const end = (lines: readonly string[]): number => lines.lastIndexOf('END-slow');
  const [shownEnd, sourceEnd] = [end(whole), end(source)];
  let same = 0;
  for (let up = 0; up <= shownEnd; up += 1) if (whole[shownEnd - up] === source[sourceEnd - up]) same += 1;
  return { shown: shownEnd + 1, same, skippedBytes };
}

/** Measures; prints what it does on stderr. */
export async function measureBytes(core: TestCore, folder: string, log: string, say: (text: string) => void): Promise<Figure[]> {
  const total = readFileSync(log).length;
  const { came, pauses } = await insideTheMark(core, folder, log);
  say(`bytes: ${came} of ${total} came through ${pauses} pauses inside the mark`);
  const figures: Figure[] = [
    {
      id: 'P12',
      what: `bytes of the source that a viewer has, by sha256, ${pauses} pauses inside the mark, pty, through the link`,
      figure: came,
      unit: 'bytes',
      against: total,
      againstWhat: 'the source',
      isLessBetter: false,
      runs: 1,
    },
  ];
  const command = writeSource(join(folder, 'slow.sh'), log);
  for (const runtime of ['tmux', 'pty'] as const) {
    const { shown, same, skippedBytes } = await beyondTheMark(core, runtime, command, log);
    say(`beyond the mark, ${runtime}: ${skippedBytes} bytes were not sent; ${same} of ${shown} lines shown are the source's`);
    figures.push({
      id: 'P12',
      what: `lines of the source on screen and scrollback after a pause beyond the mark, ${runtime}, through the link`,
      figure: shown >= KEPT_LINES[runtime] ? same : 0,
      unit: 'lines',
      against: shown,
      againstWhat: `all that are shown; at least ${KEPT_LINES[runtime].toLocaleString('en')} are kept`,
      isLessBetter: false,
      runs: 1,
    });
  }
  return figures;
}
