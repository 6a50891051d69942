/** `settings`: what the operator chose for the window. */
import type { Command } from 'commander';
import type { Settings } from '#shared/settings/model.ts';
import { SettingsChanges } from '#shared/settings/model.ts';
import { describeInvalid } from '#shared/kernel/describe-issues.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, NoOptions } from '../command.ts';
import { CliError } from '../cli-error.ts';
import type { Output } from '../output.ts';

function print(out: Output, settings: Settings): void {
  const { notifications, ...rest } = settings;
  const inner = Object.entries(notifications).map(([name, value]): [string, unknown] => [`notifications.${name}`, value]);
  out.table(
    ['NAME', 'VALUE'],
    [...Object.entries(rest), ...inner].map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
    '',
  );
}

async function show(call: Invocation<unknown>): Promise<void> {
  await call.withCore(async (client) => {
    const settings = await client.settings.get({});
    call.out.result(settings, () => print(call.out, settings));
  });
}

async function set(call: Invocation<unknown>): Promise<void> {
  const [name = '', text = ''] = call.args;
  // A dot leads into a group, as the list shows them.
  const value = name
    .split('.')
    .reverse()
    .reduce<unknown>((inner, key) => ({ [key]: inner }), valueOf(text));
  const changes = SettingsChanges.safeParse(value);
  if (!changes.success) throw new CliError('BAD_REQUEST', `${describeInvalid(SettingsChanges, changes.error, value).message}.`);
  await call.withCore(async (client) => {
    const settings = await client.settings.update(changes.data);
    call.out.result(settings, () => print(call.out, settings));
  });
}

/** JSON where it is some, else the text itself: nobody should have to quote a word twice. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Adds `settings`. */
export function addSettingsCommands(program: Command, host: CommandHost): void {
  const settings = addCommand(program, host, {
    usage: 'settings',
    summary: 'What you chose for the window',
    examples: [
      ['quarterdeck settings set theme dark', 'every open window follows'],
      ['quarterdeck settings set notifications.quietHours \'{"from":"22:00","to":"07:00"}\'', 'values are JSON, or plain words'],
    ],
    options: NoOptions,
    run: show,
  });
  addCommand(settings, host, { usage: 'list', summary: 'List the settings', options: NoOptions, run: show });
  addCommand(settings, host, { usage: 'set <name> <value>', summary: 'Change one setting', options: NoOptions, run: set });
}
