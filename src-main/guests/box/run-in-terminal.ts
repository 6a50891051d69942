/**
 * Runs the set-up script and then the agent on the terminal that this process is on, and tells how it ended.
 * This process stays in front of it: keys and hang-ups of the terminal are the agent's.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { ProcessExit } from '#shared/agents/model.ts';
import type { BoxStart } from '#shared/box/model.ts';
import { codeOf } from './error-code.ts';

/** What is run, and where. */
export type TerminalProgram = Pick<BoxStart, 'argv' | 'cwd' | 'env' | 'setup'>;

/** How it ended. */
export interface TerminalEnd {
  readonly exit: ProcessExit;
  /** Whether it was the set-up script that failed; the agent was not started then. */
  readonly isSetup: boolean;
}

/** Codes of a shell (POSIX, 2.8.2) for a program that is not there, and one that cannot be run. */
const NOT_FOUND = 127;
const NOT_RUNNABLE = 126;

/**
 * Runs it to the end. `onStarted` gets the pid of each program as it starts, and what it is. Never rejects.
 */
export async function runInTerminal(
  program: TerminalProgram,
  onStarted: (pid: number, what: 'setup' | 'agent') => void,
): Promise<TerminalEnd> {
  let current: ChildProcess | undefined;
  // Keys reach the agent from the terminal itself; the hang-up of a terminal that is gone reaches only its session's leader.
  for (const name of ['SIGINT', 'SIGQUIT'] as const) process.on(name, () => undefined);
  for (const name of ['SIGHUP', 'SIGTERM', 'SIGUSR1', 'SIGUSR2'] as const) process.on(name, () => void current?.kill(name));

  const env = { ...program.env, PWD: program.cwd };
  const run = (argv: readonly string[], what: 'setup' | 'agent'): Promise<ProcessExit> =>
    new Promise((resolve) => {
      const [file = '', ...args] = argv;
      const child = spawn(file, args, { cwd: program.cwd, env, stdio: 'inherit' });
      current = child;
      if (child.pid !== undefined) onStarted(child.pid, what);
      child.once('error', (error) => {
        if (child.pid !== undefined) return;
        process.stderr.write(`quarterdeck: cannot run ${file}: ${error.message}\n`);
        resolve({ code: codeOf(error) === 'ENOENT' ? NOT_FOUND : NOT_RUNNABLE });
      });
      child.once('exit', (code, signal) => resolve(signal === null ? { code: code ?? 0 } : { signal }));
    });

  if (program.setup !== null) {
    const exit = await run(['/bin/sh', '-eu', '-c', program.setup], 'setup');
    if (exit.code !== 0) return { exit, isSetup: true };
  }
  return { exit: await run(program.argv, 'agent'), isSetup: false };
}
