/** `spawn`: makes an agent and starts it. */
import type { Command } from 'commander';
import * as z from 'zod';
import { AgentType } from '#shared/agents/model.ts';
import { RuntimeKind, Sandbox } from '#shared/runtimes/model.ts';
import type { CommandHost } from '../command.ts';
import { addCommand, flag, listFlag } from '../command.ts';
import { usageError } from '../cli-error.ts';
import { Duration, wholeNumber } from '../option-schemas.ts';
import { agentId } from './agents.ts';
import { projectOf } from './project-choice.ts';

const SpawnOptions = z.object({
  type: AgentType.optional(),
  template: z.string().optional(),
  id: z.string().optional(),
  project: z.string().optional(),
  cap: z.array(z.string()).optional(),
  env: z.array(z.string()).optional(),
  memory: z.string().optional(),
  cpu: z.string().optional(),
  timeout: Duration.optional(),
  tasks: wholeNumber(1, 64).optional(),
  runtime: RuntimeKind.optional(),
  image: z.string().optional(),
  sandbox: Sandbox.optional(),
  description: z.string().optional(),
  start: z.boolean().default(true),
});

/** Variables from `NAME=value` texts. */
export function parseEnvironment(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals <= 0) throw usageError(`--env: "${pair}" must have the form NAME=value.`);
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

/** What is stated of an object; undefined when nothing is. */
function statedOf<T extends object>(value: T): Partial<T> | undefined {
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  // Only keys of `value` are left.
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as Partial<T>);
}

/** Adds `spawn`. */
export function addSpawnCommand(program: Command, host: CommandHost): void {
  addCommand(program, host, {
    usage: 'spawn [command...]',
    summary: 'Make an agent and start it',
    details:
      'Give a type, a template, or after "--" the command that the agent runs. The project is the folder you stand in, unless --project names another. Starts Quarterdeck in the background when it does not run. Repeating a spawn with the same id and configuration returns the agent that is there.',
    examples: [
      ['quarterdeck spawn --id shell -- bash -l', 'an agent that runs a shell; `quarterdeck attach shell` enters it'],
      ['quarterdeck spawn --type worker --id w1 --cap file-processing', 'a worker that takes tasks as messages'],
      ['quarterdeck spawn --id boxed --runtime docker -- bash -l', 'a shell in a container that reaches only Quarterdeck'],
      ['quarterdeck spawn --template batch-worker --env BATCH_SIZE=50 --memory 1GB', 'a worker from a template'],
    ],
    flags: [
      flag('--type <type>', `kind of agent: ${AgentType.options.join(', ')} (default: command, when one is given)`),
      flag('--template <name>', 'start from a template; see `quarterdeck templates`'),
      flag('--id <id>', 'its id (default: one is made)'),
      flag('--project <folder or id>', 'the project it works on'),
      listFlag('--cap <word>', 'what it is good at; may be repeated'),
      listFlag('--env <NAME=value>', 'an environment variable for it; may be repeated'),
      flag('--memory <size>', 'most memory, for example 2GB'),
      flag('--cpu <cores>', 'most CPU, for example 2 or 0.5'),
      flag('--timeout <duration>', 'longest time for one piece of work, for example 10m'),
      flag('--tasks <number>', 'how many tasks it may work on at once'),
      flag('--runtime <kind>', `where it runs: ${RuntimeKind.options.join(' or ')}`),
      flag('--image <reference>', 'image of its container (default: the agent image); see `quarterdeck image`'),
      flag('--sandbox <kind>', `what contains it in tmux or pty: ${Sandbox.options.join(' or ')}`),
      flag('--description <text>', 'what it is for, in one sentence'),
      flag('--no-start', 'make it without starting it'),
    ],
    options: SpawnOptions,
    run: async (call) => {
      const o = call.options;
      const command = call.args.length > 0 ? [...call.args] : undefined;
      const type = o.type ?? (command !== undefined && o.template === undefined ? 'command' : undefined);
      if (type === undefined && o.template === undefined)
        throw usageError('Say what to spawn: --type, --template, or a command after "--".');
      const resourceLimits = statedOf({ memory: o.memory, cpu: o.cpu, timeout: o.timeout });
      const input = {
        ...statedOf({
          type,
          template: o.template,
          capabilities: o.cap,
          maxConcurrentTasks: o.tasks,
          runtime: o.runtime,
          image: o.image,
          sandbox: o.sandbox,
          description: o.description,
          command,
          resourceLimits,
        }),
        ...(o.id === undefined ? {} : { id: agentId(o.id) }),
        ...(o.env === undefined ? {} : { environment: parseEnvironment(o.env) }),
        ...(await projectOf(o.project, call.io.cwd)),
        start: o.start,
      };
      await call.ensureCore();
      await call.withCore(async (client) => {
        const agent = await client.agents.spawn(input);
        call.out.result(agent, () => {
          call.out.line(`${agent.id} is ${agent.state.status}.`);
          call.out.note(`Boundary: ${agent.boundaryNote}`);
          if (agent.run !== null) call.out.note(`Look at it with: quarterdeck attach ${agent.id}`);
        });
      });
    },
  });
}
