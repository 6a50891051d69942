/** Starts a core in the background, for commands that need one: it outlives the command and the terminal. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunInfo } from '#shared/system/model.ts';
import { pathsOf } from '#core/paths.ts';
import { CliError } from './cli-error.ts';
import { isListening, readRunFile } from './core-address.ts';

/** A core on a slow, busy machine is ready within some seconds; adoption of many agents may take longer. In milliseconds. */
const READY_DEADLINE_MS = 60_000;
/** When our core ended, then perhaps because another one was faster: that one is ready within this time. In milliseconds. */
const OTHER_DEADLINE_MS = 5_000;
const POLL_MS = 50;
/** How much of the end of the log goes into an error, in lines. */
const LOG_TAIL_LINES = 5;

/** What is needed to start one. */
export interface StartOptions {
  /** What Node runs: this command line itself. */
  readonly entry: string;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
}

async function logTail(file: string, offset: number): Promise<string> {
  const text = (await readFile(file).catch(() => Buffer.alloc(0))).subarray(offset).toString('utf8');
  return text.trim().split('\n').slice(-LOG_TAIL_LINES).join('\n');
}

/** Starts a core and waits until it is ready. Fails with NOT_RUNNING and the end of its log when it does not come up. */
export async function startCoreInBackground(options: StartOptions): Promise<RunInfo> {
  const { logs } = pathsOf(options.dataDir, options.env);
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const logFile = join(logs, 'background.log');
  const before = (await readFile(logFile).catch(() => Buffer.alloc(0))).length;
  const log = openSync(logFile, 'a', 0o600);
  // --json: the login link that is printed for people must not stand in a log.
  // A session of its own: neither Ctrl-C nor the end of the terminal reaches it.
  const child = spawn(process.execPath, [options.entry, 'serve', '--json', '--no-open', '--data-dir', options.dataDir], {
    detached: true,
    stdio: ['ignore', log, log],
    env: withoutAgent(options.env),
    cwd: '/',
  });
  closeSync(log);
  let ended: string | undefined;
  child.once('error', (error) => (ended = error.message));
  child.once('exit', (code, signal) => (ended = signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`));
  child.unref();

  let deadline = Date.now() + READY_DEADLINE_MS;
  let isEndSeen = false;
  while (Date.now() < deadline) {
    const run = await readRunFile(options.dataDir, options.env);
    if (run !== undefined && (await isListening(run.url))) return run;
    if (ended !== undefined && !isEndSeen) {
      isEndSeen = true;
      deadline = Math.min(deadline, Date.now() + OTHER_DEADLINE_MS);
    }
    await sleep(POLL_MS);
  }
  const tail = await logTail(logFile, before);
  throw new CliError(
    'NOT_RUNNING',
    `Quarterdeck could not be started in the background: ${ended ?? 'it was not ready in time'}. Its log is ${logFile}${tail === '' ? '' : `:\n${tail}`}`,
  );
}

/** A core that an agent's command starts is nobody's agent. */
function withoutAgent(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('QUARTERDECK_AGENT_')));
}
