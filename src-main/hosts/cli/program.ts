/** The command line: composes the commands, runs one, and turns whatever it throws into a line and an exit code. */
import { Command, CommanderError } from 'commander';
import { VERSION } from '#hosts/headless/product-files.ts';
import { errorDocument, ExitCode, toCliError } from './cli-error.ts';
import type { CommandHost } from './command.ts';
import { addCommonFlags } from './command.ts';
import { addAccessCommands } from './commands/access.ts';
import { addAgentCommands } from './commands/agents.ts';
import { addAttachCommand } from './commands/attach.ts';
import { addCallCommand } from './commands/call.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addEnrolCommand } from './commands/enrol.ts';
import { addImageCommands } from './commands/image.ts';
import { addEgressCommand } from './commands/egress.ts';
import { addJournalCommands } from './commands/journal.ts';
import { addLogsCommand } from './commands/logs.ts';
import { addMcpCommands } from './commands/mcp.ts';
import { addMessageCommands } from './commands/messages.ts';
import { addAdoptCommand } from './commands/adopt.ts';
import { addSettingsCommands } from './commands/settings.ts';
import { addProjectCommands } from './commands/projects.ts';
import { addSearchCommand } from './commands/search.ts';
import { addSecretCommands } from './commands/secrets.ts';
import { addSendCommand } from './commands/send.ts';
import { addSessionCommands } from './commands/sessions.ts';
import { addSpawnCommand } from './commands/spawn.ts';
import { addStartCommands } from './commands/start.ts';
import { addSystemCommands } from './commands/system.ts';
import { addTopicCommands } from './commands/topics.ts';
import { addUpCommand } from './commands/up.ts';
import type { CliIo } from './io.ts';

const EXIT_CODES = `
Exit codes: 0 done · 1 what was asked failed · 2 wrong usage or input · 3 the core is not reachable ·
            4 not allowed · 5 not found, or in conflict with what is there · 130 interrupted
`;

/** All commands. */
function createProgram(host: CommandHost): Command {
  const program = new Command('quarterdeck')
    .description(
      'Runs, watches and talks to a crew of agents. `quarterdeck start` opens the app; the other commands speak to the core that runs.',
    )
    .version(VERSION, '-V, --version')
    .helpCommand(true)
    .enablePositionalOptions()
    .showSuggestionAfterError(true)
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void host.io.stdout.write(text),
      // Help asked for by mistake; errors themselves are printed once, by runCli.
      writeErr: (text) => void host.io.stderr.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => host.io.stdout.columns ?? 100,
      getErrHelpWidth: () => host.io.stderr.columns ?? 100,
    });
  addCommonFlags(program);
  program.commandsGroup('The core:');
  addStartCommands(program, host);
  addSystemCommands(program, host);
  addSettingsCommands(program, host);
  addImageCommands(program, host);
  program.commandsGroup('Agents:');
  addUpCommand(program, host);
  addSpawnCommand(program, host);
  addAgentCommands(program, host);
  addAttachCommand(program, host);
  addLogsCommand(program, host);
  addProjectCommands(program, host);
  addAdoptCommand(program, host);
  addEnrolCommand(program, host);
  program.commandsGroup('Messages:');
  addSendCommand(program, host);
  addMessageCommands(program, host);
  addSessionCommands(program, host);
  addSearchCommand(program, host);
  addTopicCommands(program, host);
  program.commandsGroup('Other programs:');
  addMcpCommands(program, host);
  addCallCommand(program, host);
  addCompletionCommand(program, host);
  program.commandsGroup('Access and record:');
  addJournalCommands(program, host);
  addAccessCommands(program, host);
  addSecretCommands(program, host);
  addEgressCommand(program, host);
  return program;
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? undefined : end).includes('--json');
}

/** Runs one command line (without the program's name) and returns its exit code. Never rejects. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<number> {
  let exitCode: number = ExitCode.ok;
  const program = createProgram({ io, onExitCode: (code) => (exitCode = code) });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (thrown) {
    // Help and version were printed, and are what was asked for; a bare group of commands is not.
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return ExitCode.ok;
    if (thrown instanceof CommanderError && thrown.code === 'commander.help') return ExitCode.usage;
    const error = toCliError(thrown);
    io.stderr.write(wantsJson(argv) ? `${JSON.stringify(errorDocument(error))}\n` : `quarterdeck: ${error.message}\n`);
    return error.exitCode;
  }
}
