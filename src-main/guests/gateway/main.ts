/**
 * The gateway's process: `gateway --socket-dir <folder> --log <file> --version <version>`. Detached, one for each data folder.
 * Exit codes: 0 it was ended or nobody needs it, 3 another one answers in its folder, 64 wrong arguments, 70 a defect.
 */
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { EXIT_TAKEN } from '#shared/gateway/model.ts';
import { Gateway, GatewayTakenError } from './gateway.ts';

const EXIT = { ok: 0, arguments: 64, defect: 70 } as const;

const Arguments = z.object({
  'socket-dir': z.string().startsWith('/', 'is to be an absolute path'),
  log: z.string().startsWith('/', 'is to be an absolute path'),
  version: z.string().min(1).max(100),
});

// Sockets are never open to others, not even for the moment until their mode is set.
process.umask(0o077);
// Whoever started it may be gone.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);

const say = (text: string): void => void process.stderr.write(`${new Date().toISOString()} ${text}\n`);

await main();

async function main(): Promise<void> {
  const given = readArguments();
  if (given === undefined) return;
  // What fails in one agent's connection must not take the way out from all the others: every connection is judged by itself.
  process.on('uncaughtException', (error) => say(`A defect: ${error.stack ?? error.message}`));
  process.on('unhandledRejection', (error) =>
    say(`A defect: ${error instanceof Error ? (error.stack ?? error.message) : 'unknown'}`),
  );
  try {
    const gateway = await Gateway.start({
      socketDir: given['socket-dir'],
      log: given.log,
      version: given.version,
      onProblem: say,
      onEnd: (reason) => {
        say(`The gateway ended: ${reason}.`);
        process.exit(EXIT.ok);
      },
    });
    // The terminal that it was started from may close.
    process.on('SIGHUP', () => undefined);
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        gateway.end(`by ${signal}`).catch(() => process.exit(EXIT.defect));
      });
    }
    process.stdout.write(`${JSON.stringify({ event: 'ready', pid: process.pid })}\n`);
  } catch (error) {
    say(error instanceof Error ? error.message : 'It could not be started.');
    process.exit(error instanceof GatewayTakenError ? EXIT_TAKEN : EXIT.defect);
  }
}

function readArguments(): z.infer<typeof Arguments> | undefined {
  try {
    const { values } = parseArgs({
      options: { 'socket-dir': { type: 'string' }, log: { type: 'string' }, version: { type: 'string' } },
    });
    const parsed = Arguments.safeParse(values);
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) say(`--${path.join('.')} ${message}`);
  } catch (error) {
    say(error instanceof Error ? error.message : 'The arguments could not be read.');
  }
  say('Use: gateway --socket-dir <folder> --log <file> --version <version>');
  process.exitCode = EXIT.arguments;
  return undefined;
}
