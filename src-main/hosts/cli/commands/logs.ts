/** `logs`: what an agent's terminal shows and showed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import * as z from 'zod';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag } from '../command.ts';
import type { CoreClient } from '../core-connection.ts';
import { wholeNumber } from '../option-schemas.ts';
import { plain } from '../output.ts';
import { newLines } from '../terminal/new-lines.ts';
import { agentId } from './agents.ts';

/** How often a followed terminal is looked at, in milliseconds. */
const POLL_MS = 400;
/** How much of the history is looked at while following, in lines: what may be printed between two looks. */
const FOLLOW_LINES = 2_000;
const DEFAULT_LINES = 200;

const LogsOptions = z.object({
  lines: wholeNumber(0, 10_000).default(DEFAULT_LINES),
  window: z.string().default('main'),
  ansi: z.boolean().default(false),
  follow: z.boolean().default(false),
});

type Capture = Awaited<ReturnType<CoreClient['terminals']['capture']>>;

/** The lines without the empty ones at the end of the screen. */
function written(lines: readonly string[]): string[] {
  const last = lines.findLastIndex((line) => line.trim() !== '');
  return lines.slice(0, last + 1);
}

/** The lines that are complete: those above the cursor's. */
function completeLines(capture: Capture): string[] {
  const screenTop = Math.max(0, capture.lines.length - capture.size.rows);
  return capture.lines.slice(0, Math.min(capture.lines.length, screenTop + capture.cursor.y));
}

async function logs(call: Invocation<z.infer<typeof LogsOptions>>): Promise<void> {
  const { options: o, out } = call;
  const id = agentId(call.args[0]);
  const show = (line: string): void => (out.isJson ? out.jsonLine({ line }) : out.line(o.ansi ? line : plain(line)));
  await call.withCore(async (client) => {
    const look = (historyLines: number): Promise<Capture> =>
      client.terminals.capture({ id, window: o.window, historyLines, ansi: o.ansi });
    if (!o.follow) {
      const capture = await look(o.lines);
      const lines = written(capture.lines);
      const tail = o.lines === 0 ? lines : lines.slice(-o.lines);
      out.result({ ...capture, lines: tail }, () => tail.forEach(show));
      return;
    }
    let seen = completeLines(await look(FOLLOW_LINES));
    (o.lines === 0 ? [] : seen.slice(-o.lines)).forEach(show);
    for (;;) {
      await sleep(POLL_MS);
      const lines = completeLines(await look(FOLLOW_LINES));
      newLines(seen, lines).forEach(show);
      seen = lines;
    }
  });
}

/** Adds `logs`. */
export function addLogsCommand(program: Command, host: CommandHost): void {
  addCommand(program, host, {
    usage: 'logs <id>',
    summary: "Print what an agent's terminal shows, with its history",
    details:
      'Works after the agent has ended, as long as its terminal is kept. --follow suits output that goes down line by line; for a full-screen program use `attach --watch`.',
    examples: [
      ['quarterdeck logs build --lines 1000', 'the last thousand lines'],
      ['quarterdeck logs build --follow', 'and what comes, until Ctrl-C'],
    ],
    flags: [
      flag('--lines <number>', `at most this many lines; 0 = the screen only (default ${DEFAULT_LINES})`),
      flag('--window <name>', 'which window: main, monitor, or queue of a worker (default main)'),
      flag('--ansi', 'keep the colours'),
      flag('--follow', 'go on with what comes, until Ctrl-C'),
    ],
    options: LogsOptions,
    run: logs,
  });
}
