/** `up`: brings a team up from a file, or the sample crew. */
import { readFile, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import * as z from 'zod';
import { RuntimeKind } from '#shared/runtimes/model.ts';
import { messageOf } from '#shared/kernel/errors.ts';
import type { Message } from '#shared/messages/model.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag } from '../command.ts';
import { CliError, usageError } from '../cli-error.ts';
import type { CoreClient } from '../core-connection.ts';
import { readAll } from '../io.ts';
import { DEFAULT_WAIT_MS, Duration } from '../option-schemas.ts';
import { oneLine } from '../output.ts';
import type { Asked } from '../replies.ts';
import { exitCodeOf, printMessage, waitForReplies } from '../replies.ts';
import { readTeamFile } from '../team-file.ts';
import { projectOf } from './project-choice.ts';

const UpOptions = z.object({
  sample: z.boolean().default(false),
  project: z.string().optional(),
  fresh: z.boolean().default(false),
  runtime: RuntimeKind.optional(),
  acceptAgentFile: z.boolean().default(false),
  wait: z.boolean().default(false),
  timeout: Duration.default(DEFAULT_WAIT_MS),
});

type Up = Invocation<z.infer<typeof UpOptions>>;
type TeamUp = Awaited<ReturnType<CoreClient['teams']['up']>>;

async function readTeamText(file: string, call: Up): Promise<string> {
  try {
    return file === '-' ? await readAll(call.io.stdin) : await readFile(resolve(call.io.cwd, file), 'utf8');
  } catch (error) {
    throw new CliError('NOT_FOUND', `Cannot read the team file ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** What is to be done, checked before a core is asked or started for it. */
async function plan(call: Up): Promise<(client: CoreClient) => Promise<TeamUp>> {
  const { options: o, io } = call;
  const target = call.args[0];
  if (o.sample) {
    if (o.project !== undefined)
      throw usageError('--project: with --sample the folder is given behind it: quarterdeck up --sample FOLDER');
    const folder = target === undefined ? undefined : resolve(io.cwd, target);
    const real = folder === undefined ? undefined : await realpath(folder).catch(() => undefined);
    if (folder !== undefined && real === undefined) throw new CliError('NOT_FOUND', `There is no folder ${folder}.`);
    const { runtime } = o;
    return (client) =>
      client.teams.sample({ ...(real === undefined ? {} : { folder: real }), ...(runtime === undefined ? {} : { runtime }) });
  }
  if (target === undefined) throw usageError('Name a team file, or give --sample.');
  if (o.runtime !== undefined)
    throw usageError('--runtime is for --sample: a team file says of each agent where it runs ("runtime").');
  const team = readTeamFile(await readTeamText(target, call), target === '-' ? 'standard input' : target);
  const project = await projectOf(o.project, io.cwd);
  // Of standard input nobody can tell where it came from.
  const source = target === '-' ? {} : { file: resolve(io.cwd, target), acceptAgentFile: o.acceptAgentFile };
  return (client) => client.teams.up({ team, ...project, ...source, fresh: o.fresh });
}

/** The messages that are to be answered: tasks and requests. */
async function askedIn(client: CoreClient, result: TeamUp): Promise<Asked[]> {
  const sent = await Promise.all(result.started.map((id) => client.messages.get({ id })));
  return sent
    .filter(({ message }) => message.kind === 'task' || message.kind === 'request')
    .map(({ message }) => ({ messageId: message.id, recipients: message.recipients }));
}

async function up(call: Up): Promise<number> {
  const { options: o, out } = call;
  const bringUp = await plan(call);
  await call.ensureCore();
  return call.withCore(async (client) => {
    const before = o.wait ? (await client.journal.snapshot({})).seq : 0;
    const result = await bringUp(client);
    if (!out.isJson) {
      out.line(`Project ${oneLine(result.project.name)}: ${result.project.folder}`);
      for (const agent of result.agents) out.line(`  ${agent.id} (${agent.config.type}) is ${agent.state.status}`);
      out.line(`${result.started.length} ${result.started.length === 1 ? 'message' : 'messages'} sent.`);
      if (!o.wait && result.started.length > 0) out.note('The answer arrives in your inbox: quarterdeck inbox --follow');
    }
    const replies: Message[] = [];
    if (o.wait) {
      const onReply = (reply: Message): void => {
        replies.push(reply);
        if (!out.isJson) printMessage(out, reply, { extent: 'text' });
      };
      const asked = await askedIn(client, result);
      if (asked.length > 0) out.note('Waiting for the answers …');
      await waitForReplies(asked, { connect: () => call.connect(), after: before, timeoutMs: o.timeout, onReply });
    }
    if (out.isJson) out.json(o.wait ? { ...result, replies } : result);
    return exitCodeOf(replies);
  });
}

/** Adds `up`. */
export function addUpCommand(program: Command, host: CommandHost): void {
  addCommand(program, host, {
    usage: 'up [target]',
    summary: 'Bring a team up from a file, or try the sample crew',
    details:
      'The target is a team file, or with --sample a folder. A team file is YAML: a name, agents, and the messages that set them to work ("-" reads it from standard input). --sample starts three workers that survey a folder together and write report.md into it; without a folder a sample repository is made. A team file in the workspace of a contained agent is a proposal of that agent and is refused, unless you accept it. Starts Quarterdeck in the background when it does not run.',
    examples: [
      ['quarterdeck up --sample . --wait', 'surveys the folder you stand in and prints the answer'],
      ['quarterdeck up --sample . --runtime docker', 'the same in containers without a network'],
      ['quarterdeck up team.yaml', 'brings a team up on the folder you stand in'],
      ['quarterdeck up team.yaml --project ~/code/shop --fresh', 'on another folder, with agents of its own'],
    ],
    flags: [
      flag('--sample', 'the sample crew'),
      flag('--project <folder or id>', 'the project to work on'),
      flag('--fresh', 'agents of its own, whatever runs already: ids that are taken get a number'),
      flag('--runtime <kind>', `where the sample crew runs: ${RuntimeKind.options.join(' or ')}`),
      flag('--accept-agent-file', 'you have read the file: bring it up although an agent in a container can write it'),
      flag('--wait', 'wait for the answers to the start messages, and print them; 1 when one says that the work failed'),
      flag('--timeout <duration>', 'how long to wait (default 10m)'),
    ],
    options: UpOptions,
    run: up,
  });
}
