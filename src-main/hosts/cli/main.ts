/** Entry of the command line: out/node/cli.js, started by bin/quarterdeck.mjs. */
import { fileURLToPath } from 'node:url';
import { ExitCode } from './cli-error.ts';
import { runCli } from './program.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** 128 and the signal's number, as shells report it. */
const SIGNAL_EXIT = { SIGINT: ExitCode.interrupted, SIGTERM: 143, SIGHUP: 129 } as const;

const onSignal = (signal: (typeof SIGNALS)[number]): void => process.exit(SIGNAL_EXIT[signal]);
for (const signal of SIGNALS) process.on(signal, onSignal);

// The reader has had enough (`quarterdeck messages | head`): nothing is wrong.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? ExitCode.ok : ExitCode.failed),
);

/** How long what a command left open may keep the process after its end, in milliseconds. */
const LINGER_MS = 3_000;

process.exitCode = await runCli(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  entry: process.argv[1] ?? fileURLToPath(import.meta.url),
  takeSignals: () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  },
});
// The command is over: a connection or child that somebody forgot must not make it look as if it were not.
setTimeout(() => process.exit(), LINGER_MS).unref();
