/**
 * How a command is defined: what it takes, what it prints for help, and the function that does it.
 * Invariant: options are parsed by a schema before the function runs, and every failure leaves as one CliError.
 */
import type { Command } from 'commander';
import { Option } from 'commander';
import * as z from 'zod';
import type { CoreChoice } from './core-address.ts';
import { dataDirOf, findCore, isListening } from './core-address.ts';
import { CliError } from './cli-error.ts';
import type { CoreClient, CoreConnection } from './core-connection.ts';
import { connectCore } from './core-connection.ts';
import type { CliIo } from './io.ts';
import { Output } from './output.ts';
import { startCoreInBackground } from './start-core.ts';

/** The options that every command has. */
const CommonOptions = z.object({
  json: z.boolean().default(false),
  dataDir: z.string().optional(),
  url: z.string().optional(),
  token: z.string().optional(),
});

/** One command as it was called. */
export class Invocation<O> {
  /** What stood there beside the options. */
  readonly args: readonly string[];
  readonly options: O;
  readonly io: CliIo;
  readonly out: Output;
  readonly choice: CoreChoice;

  constructor(args: readonly string[], options: O, io: CliIo, common: z.infer<typeof CommonOptions>) {
    this.args = args;
    this.options = options;
    this.io = io;
    this.out = new Output(io, common.json);
    this.choice = { dataDir: common.dataDir, url: common.url, token: common.token, env: io.env };
  }

  get dataDir(): string {
    return dataDirOf(this.choice);
  }

  /** Connects to the running core; NOT_RUNNING when there is none. */
  async connect(): Promise<CoreConnection> {
    return connectCore(await findCore(this.choice), this.io.cwd);
  }

  /** Starts a core in the background when none runs, and says so. Does nothing when an address was stated. */
  async ensureCore(): Promise<void> {
    if (await this.#isRunning()) return;
    this.out.note('Quarterdeck is not running; starting it in the background …');
    const run = await startCoreInBackground({ entry: this.io.entry, dataDir: this.dataDir, env: this.io.env });
    this.out.note(`Quarterdeck is running (process ${run.pid}, ${run.url}); \`quarterdeck shutdown\` ends it.`);
  }

  async #isRunning(): Promise<boolean> {
    try {
      const { run } = await findCore(this.choice);
      // An address that was stated is not ours to start.
      return run === undefined || (await isListening(run.url));
    } catch (error) {
      if (error instanceof CliError && error.code === 'NOT_RUNNING') return false;
      throw error;
    }
  }

  /** Connects, makes calls, and closes the connection whatever happens. */
  async withCore<T>(work: (client: CoreClient, connection: CoreConnection) => Promise<T>): Promise<T> {
    const connection = await this.connect();
    try {
      return await connection.run((client) => work(client, connection));
    } finally {
      connection.close();
    }
  }
}

/** What a command is. */
export interface CommandSpec<S extends z.ZodType> {
  /** Name and arguments, as commander reads them: "send <to> <text>". */
  readonly usage: string;
  readonly summary: string;
  /** More than the summary says, for the command's own help. */
  readonly details?: string;
  /** Command lines that work, each with what it does. */
  readonly examples?: readonly (readonly [line: string, what: string])[];
  /** Options in commander's form. */
  readonly flags?: readonly Option[];
  /** Checks the options and names their types. */
  readonly options: S;
  /** Does it. A number is the exit code; nothing means 0. */
  readonly run: (call: Invocation<z.infer<S>>) => Promise<number | void>;
}

/** Receives the exit codes of commands. */
export interface CommandHost {
  readonly io: CliIo;
  readonly onExitCode: (code: number) => void;
}

/** An option; `parse` is for commander's own forms such as lists. */
export function flag(flags: string, description: string): Option {
  return new Option(flags, description);
}

/** An option that may be given more than once. */
export function listFlag(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
}

/** No options of its own. */
export const NoOptions = z.object({});

function examplesText(examples: CommandSpec<z.ZodType>['examples']): string {
  if (!examples || examples.length === 0) return '';
  return `\nExamples:\n${examples.map(([line, what]) => `  $ ${line}\n      ${what}`).join('\n')}\n`;
}

/** Adds the options that every command has; the program takes them too, so that they may stand before the command. */
export function addCommonFlags(command: Command): void {
  command.optionsGroup('Options of every command:');
  command.option('--json', 'print one JSON document on stdout; errors as JSON on stderr');
  command.option('--data-dir <folder>', 'data folder of the core (default: $QUARTERDECK_HOME, else the place of the platform)');
  command.option('--url <address>', 'address of the core, instead of the one in the data folder (or $QUARTERDECK_URL)');
  command.option('--token <token>', 'token to use; others on this machine can see it, so prefer $QUARTERDECK_TOKEN');
}

/** Adds a command under `parent`. */
export function addCommand<S extends z.ZodType>(parent: Command, host: CommandHost, spec: CommandSpec<S>): Command {
  const command = parent
    .command(spec.usage)
    .summary(spec.summary)
    .description(spec.details === undefined ? `${spec.summary}.` : `${spec.summary}. ${spec.details}`);
  for (const option of spec.flags ?? []) command.addOption(option);
  addCommonFlags(command);
  command.addHelpText('after', examplesText(spec.examples));
  command.action(async () => {
    const stated: unknown = command.optsWithGlobals();
    const common = CommonOptions.parse(stated);
    const code = await spec.run(new Invocation(command.args, spec.options.parse(stated), host.io, common));
    host.onExitCode(code ?? 0);
  });
  return command;
}
