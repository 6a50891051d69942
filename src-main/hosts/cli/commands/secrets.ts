/** `secrets`: values come from standard input or a hidden question, never from the arguments. */
import type { Command } from 'commander';
import * as z from 'zod';
import type { ProjectId } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag, NoOptions } from '../command.ts';
import { usageError } from '../cli-error.ts';
import type { CoreClient } from '../core-connection.ts';
import { askHidden } from '../terminal/ask-hidden.ts';
import { readAll } from '../io.ts';
import { clockTime } from '../times.ts';
import { projectChoice } from './project-choice.ts';

const ForProject = z.object({ project: z.string().optional() });
type Named = Invocation<z.infer<typeof ForProject>>;

async function scopeOf(client: CoreClient, call: Named): Promise<{ projectId?: ProjectId }> {
  const { project } = call.options;
  return project === undefined ? {} : { projectId: await projectChoice(client, project, call.io.cwd) };
}

async function set(call: Named): Promise<void> {
  const name = call.args[0] ?? '';
  const { stdin } = call.io;
  const text = stdin.isTTY === true ? await askHidden(call.io, `Value of ${name} (not shown): `) : await readAll(stdin);
  // The line break that `echo` adds is not part of the value.
  const value = text.replace(/\r?\n$/, '');
  if (value === '')
    throw usageError(
      'The value is empty: give it on standard input, for example `printf %s "$KEY" | quarterdeck secrets set NAME`.',
    );
  await call.withCore(async (client) => {
    const info = await client.secrets.set({ name, value, ...(await scopeOf(client, call)) });
    call.out.result(info, () => call.out.line(`${info.name} is kept.`));
  });
}

async function list(call: Invocation<unknown>): Promise<void> {
  await call.withCore(async (client) => {
    const { secrets } = await client.secrets.list({});
    call.out.result({ secrets }, () =>
      call.out.table(
        ['NAME', 'FOR', 'CHANGED'],
        secrets.map((secret) => [
          { text: secret.name, style: 'strong' },
          secret.projectId === SYSTEM_PROJECT_ID ? 'all projects' : secret.projectId,
          clockTime(secret.updatedAt),
        ]),
        'No secrets are kept.',
      ),
    );
  });
}

async function remove(call: Named): Promise<void> {
  await call.withCore(async (client) => {
    const result = await client.secrets.remove({ name: call.args[0] ?? '', ...(await scopeOf(client, call)) });
    call.out.result(result, () =>
      call.out.line(result.isRemoved ? `${result.name} is removed.` : `${result.name} was not there.`),
    );
  });
}

/** Adds `secrets`. */
export function addSecretCommands(program: Command, host: CommandHost): void {
  const forProject = flag('--project <folder or id>', 'for this project only');
  const secrets = addCommand(program, host, {
    usage: 'secrets',
    summary: 'Keep values encrypted under names; they are never shown again',
    examples: [
      [
        'printf %s "$KEY" | quarterdeck secrets set OPENAI_API_KEY',
        'the value comes from standard input, so that no process list shows it',
      ],
    ],
    options: NoOptions,
    run: list,
  });
  addCommand(secrets, host, {
    usage: 'set <name>',
    summary: 'Keep a value, read from standard input',
    flags: [forProject],
    options: ForProject,
    run: set,
  });
  addCommand(secrets, host, { usage: 'list', summary: 'List the names that are kept', options: NoOptions, run: list });
  addCommand(secrets, host, {
    usage: 'remove <name>',
    summary: 'Forget a value',
    flags: [forProject],
    options: ForProject,
    run: remove,
  });
}
