/** Runs a command line in the test's own process, with streams of its own. */
import { PassThrough, Readable } from 'node:stream';
import type { CliIo } from '../io.ts';
import { runCli } from '../program.ts';

/** What a command printed and how it ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The surroundings to give it. */
export interface Surroundings {
  readonly dataDir: string;
  readonly stdin?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** The program that runs, as bin/quarterdeck.mjs names it. */
  readonly entry?: string;
  /** Columns of the terminal that standard output is; none when left out. */
  readonly columns?: number;
}

function collector(): { stream: PassThrough; text: () => string } {
  const stream = new PassThrough();
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return { stream, text: () => text };
}

/** Runs one command line to its end. */
export async function runInProcess(argv: readonly string[], around: Surroundings): Promise<Outcome> {
  const [stdout, stderr] = [collector(), collector()];
  const io: CliIo = {
    stdin: Readable.from(around.stdin === undefined ? [] : [Buffer.from(around.stdin)]),
    stdout: around.columns === undefined ? stdout.stream : Object.assign(stdout.stream, { isTTY: true, columns: around.columns }),
    stderr: stderr.stream,
    env: { QUARTERDECK_HOME: around.dataDir, ...around.env },
    cwd: around.cwd ?? around.dataDir,
    entry: around.entry ?? '/nonexistent/out/node/cli.js',
    takeSignals: () => undefined,
  };
  const code = await runCli(argv, io);
  await new Promise((resolve) => setImmediate(resolve));
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}
