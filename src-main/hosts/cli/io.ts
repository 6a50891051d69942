/** What a command sees of the process it runs in; tests give it streams of their own. */
import type { Readable, Writable } from 'node:stream';

/** Standard input, which may be a terminal. */
export type CliInput = Readable & { isTTY?: boolean; isRaw?: boolean; setRawMode?: (isRaw: boolean) => unknown };
/** Standard output or error, which may be a terminal. */
export type CliOutput = Writable & { isTTY?: boolean; columns?: number; rows?: number };

/** The surroundings of a command. */
export interface CliIo {
  readonly stdin: CliInput;
  readonly stdout: CliOutput;
  readonly stderr: CliOutput;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** The file that Node runs for this command line: started again for a core in the background. */
  readonly entry: string;
  /** Leaves signals to the command from here on; until then SIGINT, SIGTERM and SIGHUP end the process. */
  readonly takeSignals: () => void;
}

/** Everything on standard input, as text. */
export async function readAll(input: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}
