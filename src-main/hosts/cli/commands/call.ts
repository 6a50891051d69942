/** `call`: any procedure of the contract, so that nothing is out of reach of a shell. */
import type { AnyContractProcedure } from '@orpc/contract';
import type { Command } from 'commander';
import * as z from 'zod';
import { contract } from '#shared/contract.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag } from '../command.ts';
import { CliError, usageError } from '../cli-error.ts';
import { readJsonArgument } from './send.ts';

interface Entry {
  readonly name: string;
  readonly summary: string;
}

/** The contract's procedures by name; anything may be passed in, the core checks it. */
type AnyProcedures = Readonly<Record<string, Readonly<Record<string, (input: unknown) => Promise<unknown>>>>>;

function entries(): Entry[] {
  return Object.entries(contract).flatMap(([group, procedures]) =>
    Object.entries<AnyContractProcedure>(procedures).map(([name, procedure]) => ({
      name: `${group}.${name}`,
      summary: procedure['~orpc'].route.summary ?? '',
    })),
  );
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

async function run(call: Invocation<{ list: boolean }>): Promise<void> {
  const { out } = call;
  if (call.options.list) {
    const procedures = entries();
    out.result({ procedures }, () =>
      out.table(
        ['PROCEDURE', 'WHAT'],
        procedures.map(({ name, summary }) => [{ text: name, style: 'strong' }, summary]),
        '',
      ),
    );
    return;
  }
  const name = call.args[0];
  if (name === undefined) throw usageError('Name a procedure; `quarterdeck call --list` shows them all.');
  if (!entries().some((entry) => entry.name === name))
    throw new CliError('NOT_FOUND', `There is no procedure "${name}"; \`quarterdeck call --list\` shows them all.`);
  const [group = '', procedure = ''] = name.split('.');
  const input = call.args[1] === undefined ? {} : await readJsonArgument('The input', call.args[1], call.io);
  await call.withCore(async (client) => {
    // The name was checked against the contract, and the core checks the input.
    const procedures: unknown = client;
    const result = await (procedures as AnyProcedures)[group]?.[procedure]?.(input);
    if (isStream(result)) for await (const item of result) out.jsonLine(item);
    else out.json(result);
  });
}

/** Adds `call`. */
export function addCallCommand(program: Command, host: CommandHost): void {
  addCommand(program, host, {
    usage: 'call [procedure] [input]',
    summary: 'Call any procedure of the contract with JSON',
    details: 'The input is JSON, @file, or - for standard input. The result is JSON; of a stream, one line for each item.',
    examples: [
      ['quarterdeck call --list', 'all procedures'],
      [`quarterdeck call agents.list '{"status":"idle"}'`, 'what `quarterdeck agents` uses'],
    ],
    flags: [flag('--list', 'list the procedures')],
    options: z.object({ list: z.boolean().default(false) }),
    run,
  });
}
