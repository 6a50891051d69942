/** `projects` and `templates`. */
import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import * as z from 'zod';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag, NoOptions } from '../command.ts';
import { CliError } from '../cli-error.ts';
import { oneLine } from '../output.ts';
import { clockTime } from '../times.ts';

async function list(call: Invocation<unknown>): Promise<void> {
  await call.withCore(async (client) => {
    const { projects } = await client.projects.list({});
    call.out.result({ projects }, () =>
      call.out.table(
        ['ID', 'NAME', 'GIT', 'OPENED', 'FOLDER'],
        projects.map((project) => [
          project.id,
          { text: project.name, style: 'strong' },
          project.isGitRepository ? 'yes' : 'no',
          clockTime(project.openedAt),
          project.folder,
        ]),
        'There are no projects. Open one with `quarterdeck projects open FOLDER`.',
      ),
    );
  });
}

async function open(call: Invocation<{ name?: string | undefined; initGit: boolean }>): Promise<void> {
  const stated = resolve(call.io.cwd, call.args[0] ?? '.');
  const folder = await realpath(stated).catch(() => undefined);
  if (folder === undefined) throw new CliError('NOT_FOUND', `There is no folder ${stated}.`);
  await call.withCore(async (client) => {
    const project = await client.projects.open({
      folder,
      initGit: call.options.initGit,
      ...(call.options.name === undefined ? {} : { name: call.options.name }),
    });
    call.out.result(project, () => call.out.line(`${oneLine(project.name)} is open: ${project.id}`));
  });
}

async function templates(call: Invocation<unknown>): Promise<void> {
  await call.withCore(async (client) => {
    const found = await client.agents.templates({});
    call.out.result(found, () => {
      call.out.table(
        ['NAME', 'TYPE', 'SOURCE', 'WHAT FOR'],
        found.templates.map((template) => [
          { text: template.name, style: 'strong' },
          template.agent.type,
          template.source,
          template.description || template.title,
        ]),
        'There are no templates.',
      );
      for (const { file, problem } of found.problems) call.out.note(`quarterdeck: ${file}: ${oneLine(problem)}`);
    });
  });
}

/** Adds `projects` and `templates`. */
export function addProjectCommands(program: Command, host: CommandHost): void {
  const projects = addCommand(program, host, {
    usage: 'projects',
    summary: 'List projects, the one opened last first',
    examples: [['quarterdeck projects open ~/code/shop', 'opens a folder as a project']],
    options: NoOptions,
    run: list,
  });
  addCommand(projects, host, { usage: 'list', summary: 'List projects', options: NoOptions, run: list });
  addCommand(projects, host, {
    usage: 'open [folder]',
    summary: 'Open a folder as a project (default: the one you stand in)',
    flags: [
      flag('--name <name>', "shown name (default: the folder's own)"),
      flag('--init-git', 'make a git repository of it first, if it is in none'),
    ],
    options: z.object({ name: z.string().optional(), initGit: z.boolean().default(false) }),
    run: open,
  });
  addCommand(program, host, {
    usage: 'templates',
    summary: 'List the templates that agents can be made from',
    options: NoOptions,
    run: templates,
  });
}
