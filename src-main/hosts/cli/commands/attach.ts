/** `attach`: an agent's terminal in the operator's own. */
import { constants } from 'node:os';
import type { Command } from 'commander';
import * as z from 'zod';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag } from '../command.ts';
import { usageError } from '../cli-error.ts';
import { findCore } from '../core-address.ts';
import { openSocket } from '../core-connection.ts';
import { wholeNumber } from '../option-schemas.ts';
import { attachTerminal } from '../terminal/attach-session.ts';
import { agentId } from './agents.ts';

const AttachOptions = z.object({
  window: z.string().default('main'),
  lines: wholeNumber(0, 10_000).default(0),
  watch: z.boolean().default(false),
  force: z.boolean().default(false),
});

async function attach(call: Invocation<z.infer<typeof AttachOptions>>): Promise<number> {
  const { io, options: o, out } = call;
  const id = agentId(call.args[0]);
  if (out.isJson) throw usageError('attach is for people; programs read a terminal with `quarterdeck logs --json`.');
  if (o.watch && o.force) throw usageError('--watch only looks, --force takes control: give one of them.');
  if (io.stdout.isTTY !== true || io.stdin.isTTY !== true) {
    throw usageError(
      `attach needs a terminal, and standard ${io.stdin.isTTY === true ? 'output' : 'input'} is none. Read with \`quarterdeck logs ${id}\`, write with \`quarterdeck send ${id}\`.`,
    );
  }
  const watchedSize = o.watch
    ? (await call.withCore((client) => client.terminals.capture({ id, window: o.window }))).size
    : undefined;
  out.note(`Attaching to ${id}${o.watch ? ' to look only' : ''}. Ctrl-] and then d leaves it running.`);
  const end = await attachTerminal({
    io,
    agentId: id,
    window: o.window,
    historyLines: o.lines,
    watchedSize,
    isForced: o.force,
    openSocket: async () => openSocket(await findCore(call.choice), '/terminals', io.cwd),
  });
  switch (end.kind) {
    case 'detached':
      out.note(`[left ${id}; it goes on]`);
      return 0;
    case 'ended':
      out.note(`[${id}: ${end.message}]`);
      return 0;
    case 'signal':
      return 128 + constants.signals[end.signal];
  }
}

/** Adds `attach`. */
export function addAttachCommand(program: Command, host: CommandHost): void {
  addCommand(program, host, {
    usage: 'attach <id>',
    summary: "Enter an agent's terminal",
    details:
      'You take control of the terminal, and everything you type goes to the agent; while somebody else has control it is refused. Ctrl-] and then d leaves it running and gives control back; Ctrl-] twice sends one Ctrl-]. The terminal survives a restart of Quarterdeck.',
    examples: [
      ['quarterdeck attach build', 'looks and types'],
      ['quarterdeck attach w1 --window queue --watch', "looks at a worker's queue"],
      ['quarterdeck attach build --force', 'takes control from the window or terminal that has it'],
    ],
    flags: [
      flag('--window <name>', 'which window: main, monitor, or queue of a worker (default main)'),
      flag('--lines <number>', 'lines of history to print above the screen (default none)'),
      flag('--watch', 'look only: nothing is typed, and the size stays'),
      flag('--force', 'take control from whoever has it'),
    ],
    options: AttachOptions,
    run: attach,
  });
}
