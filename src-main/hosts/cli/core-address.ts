/** Where the running core is, and the token for it: from the data folder, or as stated. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { messageOf } from '#shared/kernel/errors.ts';
import { RunInfo } from '#shared/system/model.ts';
import { pathsOf, resolveDataDir } from '#core/paths.ts';
import { CliError, usageError } from './cli-error.ts';

/** What the caller stated about the core. */
export interface CoreChoice {
  readonly dataDir?: string | undefined;
  readonly url?: string | undefined;
  readonly token?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

/** How a core is reached. */
export interface CoreAddress {
  /** Of the app, for example `http://127.0.0.1:3000/`. */
  readonly url: string;
  readonly mcpUrl: string;
  readonly token: string;
  /** Undefined when the address was stated. */
  readonly run: RunInfo | undefined;
}

/** What to do when there is no core. */
export const NOT_RUNNING = 'Quarterdeck is not running; start it with `quarterdeck serve`.';

function isCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

/** Whether a process runs, whoever owns it. One that is dead and that nobody has collected does not (proc(5), state Z or X). */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return isCode(error, 'EPERM');
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^ [ZX]/.test(stat.slice(stat.lastIndexOf(')') + 1));
  } catch {
    // Not Linux, or gone in between.
    return process.platform !== 'linux';
  }
}

/** How long a connection on this machine may take, in milliseconds. */
const ANSWER_TIMEOUT_MS = 2_000;

/** Whether somebody listens at an address. */
export function isListening(address: string): Promise<boolean> {
  const { hostname, port, protocol } = new URL(address);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || (protocol === 'https:' ? 443 : 80) });
    const done = (isThere: boolean): void => {
      socket.destroy();
      resolve(isThere);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => done(false));
  });
}

/** The run.json of a core that is alive; undefined when there is none, or when its process is gone. */
export async function readRunFile(dataDir: string, env: NodeJS.ProcessEnv): Promise<RunInfo | undefined> {
  const { runFile } = pathsOf(dataDir, env);
  let text: string;
  try {
    text = await readFile(runFile, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw new CliError('FORBIDDEN', `Cannot read ${runFile}: ${messageOf(error)}`, { cause: error });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const run = RunInfo.safeParse(value);
  return run.success && isProcessAlive(run.data.pid) ? run.data : undefined;
}

async function readToken(dataDir: string): Promise<string> {
  const file = join(dataDir, 'operator-token');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    const code = isCode(error, 'ENOENT', 'ENOTDIR') ? 'UNAUTHORIZED' : 'FORBIDDEN';
    throw new CliError(
      code,
      `Cannot read the operator's token (${file}): ${messageOf(error)}. Give one with --token or QUARTERDECK_TOKEN.`,
      { cause: error },
    );
  }
}

/** The data folder that a command is about. */
export function dataDirOf(choice: CoreChoice): string {
  return resolveDataDir(choice.dataDir, choice.env);
}

/** Finds the core. NOT_RUNNING when there is none. */
export async function findCore(choice: CoreChoice): Promise<CoreAddress> {
  const dataDir = dataDirOf(choice);
  const stated = choice.url ?? choice.env['QUARTERDECK_URL'];
  const token = choice.token ?? choice.env['QUARTERDECK_TOKEN'];
  if (stated !== undefined && stated !== '') {
    if (!/^https?:$/.test(URL.canParse(stated) ? new URL(stated).protocol : ''))
      throw usageError(`--url: "${stated}" is not an address such as http://127.0.0.1:3000`);
    return { url: stated, mcpUrl: new URL('/mcp', stated).href, token: token || (await readToken(dataDir)), run: undefined };
  }
  const run = await readRunFile(dataDir, choice.env);
  if (run === undefined) throw new CliError('NOT_RUNNING', NOT_RUNNING, { data: { dataDir } });
  return { url: run.url, mcpUrl: run.mcpUrl, token: token || (await readToken(dataDir)), run };
}
