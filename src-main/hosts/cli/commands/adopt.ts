/** `adopt`: brings in agents that run in tmux sessions of the operator's own. */
import type { Command } from 'commander';
import * as z from 'zod';
import type { AdoptableSession } from '#shared/agents/observation.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag } from '../command.ts';
import { CliError } from '../cli-error.ts';
import { oneLine } from '../output.ts';
import { clockTime } from '../times.ts';

async function adopt(call: Invocation<{ socket?: string | undefined }>): Promise<void> {
  const { out } = call;
  const [wanted] = call.args;
  await call.withCore(async (client) => {
    const found = await client.agents.adoptable({});
    for (const { socket, problem } of found.problems) out.note(`quarterdeck: ${socket}: ${oneLine(problem)}`);
    if (wanted === undefined) {
      out.result(found, () =>
        out.table(
          ['SESSION', 'PROGRAM', 'SINCE', 'ADOPTED', 'FOLDER', 'SOCKET'],
          found.sessions.map((one) => [
            { text: one.session, style: 'strong' },
            one.program,
            one.startedAt === null ? '' : clockTime(one.startedAt),
            one.isAdopted ? 'yes' : 'no',
            one.cwd ?? '',
            one.socket,
          ]),
          'No agent runs in a tmux session of your own.',
        ),
      );
      return;
    }
    const { socket, session } = choose(found.sessions, wanted, call.options.socket);
    const agent = await client.agents.adopt({ socket, session });
    out.result(agent, () => out.line(`${agent.id} is attached to tmux session "${oneLine(session)}"`));
  });
}

/** The one session that is meant; several panes of one are one. */
function choose(sessions: readonly AdoptableSession[], name: string, socket: string | undefined): AdoptableSession {
  const matching = sessions.filter((one) => one.session === name && (socket === undefined || one.socket === socket));
  const [first] = matching;
  if (!first)
    throw new CliError('NOT_FOUND', `No agent runs in a tmux session "${name}". \`quarterdeck adopt\` lists those that do.`);
  if (matching.some((one) => one.socket !== first.socket))
    throw new CliError('BAD_REQUEST', `Several tmux servers have a session "${name}": say which with --socket.`);
  return first;
}

/** Adds `adopt`. */
export function addAdoptCommand(program: Command, host: CommandHost): void {
  addCommand(program, host, {
    usage: 'adopt [session]',
    summary: 'List agents that run in your own tmux sessions, or bring one in',
    details: 'The session stays where it is: stopping the agent detaches from it, and it runs on.',
    examples: [['quarterdeck adopt refactor', 'makes an agent that is attached to the session "refactor"']],
    flags: [flag('--socket <path>', 'the tmux server, where several have a session of that name')],
    options: z.object({ socket: z.string().optional() }),
    run: adopt,
  });
}
