/**
 * The small parent that an agent has inside its pane in a container: tmux loses the last words and, up to version 3.4, sometimes
 * the exit code of a pane's process, and sends SIGCONT to one that was stopped. So the agent is the shim's child, and the shim
 * tells the box over a socket of theirs how it ended, and stays until the box has taken the screen.
 */
import { connect } from 'node:net';
import type { ProcessExit } from '#shared/agents/model.ts';
import { LineReader } from '#shared/box/line-reader.ts';
import { readLine } from './read-line.ts';
import type { TerminalProgram } from './run-in-terminal.ts';
import { runInTerminal } from './run-in-terminal.ts';

/** What a shim is to run. It comes over the socket, so that the environment is in no file and no arguments. */
export type ShimOrder = TerminalProgram & { readonly type: 'run' };

/** What a shim says. */
export type ShimReport =
  | { readonly type: 'running'; readonly pid: number; readonly what: 'setup' | 'agent' }
  | { readonly type: 'ended'; readonly exit: ProcessExit; readonly isSetup: boolean };

/** The longest order or report, in bytes. */
export const MAX_SHIM_LINE = 8 << 20;

/** Runs as a shim: connects to `socketPath`, does what it is told, and ends when the box closes the line. */
export function runShim(socketPath: string): void {
  const line = connect(socketPath);
  const say = (report: ShimReport): void => void line.write(`${JSON.stringify(report)}\n`);
  const reader = new LineReader({
    maxBytes: MAX_SHIM_LINE,
    onLine: (text) => {
      reader.stop();
      const order = readLine<ShimOrder>(text, 'run');
      runInTerminal(order, (pid, what) => say({ type: 'running', pid, what })).then(
        (end) => say({ type: 'ended', ...end }),
        () => process.exit(1),
      );
    },
    onTooLong: () => process.exit(1),
  });
  line.on('data', (chunk) => reader.push(chunk));
  line.on('error', () => undefined);
  // Without its box a shim has nobody to tell: the container is ending.
  line.on('close', () => process.exit(0));
}
