/** `run`: a command in the workspace. */
import type { Json } from '#shared/kernel/json.ts';
import type { TaskOf } from '#shared/worker/model.ts';
import { OutputTail } from '../output-tail.ts';
import type { TaskContext } from '../task-context.ts';
import { errorCode, TaskFailure } from '../task-failure.ts';

/** How long output is still read after a command has ended, in milliseconds. */
const DRAIN_MS = 1_000;

/** How a command ended. */
type Ending =
  | { readonly kind: 'exit'; readonly code: number | null; readonly signal: NodeJS.Signals | null }
  | { readonly kind: 'error'; readonly error: Error };

/** Runs a command, shows its output as it comes, and ends its whole process group when it or its time is over. */
export async function runCommand(task: TaskOf<'run'>, context: TaskContext): Promise<Json> {
  context.signal.throwIfAborted();
  const argv = commandLine(task.command);
  const cwd = task.cwd === undefined ? context.workspace.root : await context.workspace.existing(task.cwd);
  const startedAt = performance.now();
  const stdout = new OutputTail(task.maxOutputBytes);
  const stderr = new OutputTail(task.maxOutputBytes);
  context.say(`$ ${typeof task.command === 'string' ? task.command : task.command.join(' ')}`);

  const child = context.processes.start({ argv, cwd, env: { ...context.commandEnv, ...task.env } });
  const group = child.pid;
  for (const [stream, tail] of [[child.stdout, stdout] as const, [child.stderr, stderr] as const]) {
    stream.on('data', (chunk: Buffer) => {
      tail.add(chunk);
      context.output(chunk);
    });
  }
  // A command may end without reading its input (EPIPE): its exit code tells whether that mattered.
  child.stdin.on('error', () => undefined);
  child.stdin.end(task.stdin ?? '');

  const timeout = task.timeoutMs === undefined ? undefined : AbortSignal.timeout(task.timeoutMs);
  const stop = timeout === undefined ? context.signal : AbortSignal.any([context.signal, timeout]);
  let stopped: Promise<void> | undefined;
  const onStop = (): void => {
    if (group !== undefined) stopped = context.processes.end(group);
  };
  stop.addEventListener('abort', onStop, { once: true });
  let ending: Ending;
  try {
    ending = await new Promise<Ending>((resolve) => {
      child.once('error', (error) => resolve({ kind: 'error', error }));
      child.once('exit', (code, signal) => {
        // What it left behind in its group would hold the pipes open for ever.
        if (group !== undefined) context.processes.kill(group);
        child.once('close', () => resolve({ kind: 'exit', code, signal }));
        // A descendant that made a session of its own is not ours to end; its hold on the pipes is not waited for.
        setTimeout(() => {
          child.stdout.destroy();
          child.stderr.destroy();
        }, DRAIN_MS).unref();
      });
    });
  } finally {
    stop.removeEventListener('abort', onStop);
    await stopped;
    if (group !== undefined) context.processes.kill(group);
  }

  if (ending.kind === 'error') throw startFailure(ending.error, argv[0]);
  context.signal.throwIfAborted();
  const result = {
    exitCode: ending.code,
    signal: ending.signal,
    stdout: stdout.text(),
    stderr: stderr.text(),
    truncated: stdout.isTruncated || stderr.isTruncated,
    durationMs: Math.round(performance.now() - startedAt),
  };
  if (timeout?.aborted)
    throw new TaskFailure('timeout', `"${shown(task.command)}" was ended after ${task.timeoutMs} ms`, { detail: result });
  if (ending.code !== 0 && !task.allowFailure) {
    const how = ending.signal === null ? `exited with code ${ending.code}` : `was ended by ${ending.signal}`;
    const lastLine = result.stderr.trimEnd().split('\n').at(-1) ?? '';
    throw new TaskFailure('exit', `"${shown(task.command)}" ${how}${lastLine === '' ? '' : `: ${lastLine.slice(0, 300)}`}`, {
      detail: result,
    });
  }
  return result;
}

function commandLine(command: string | readonly string[]): [string, ...string[]] {
  if (typeof command === 'string') return ['/bin/sh', '-c', command];
  const [program = '', ...args] = command;
  return [program, ...args];
}

function shown(command: string | readonly string[]): string {
  const text = typeof command === 'string' ? command : command.join(' ');
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

function startFailure(error: Error, program: string): TaskFailure {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'is not found',
    EACCES: 'may not be executed',
    E2BIG: 'has too long arguments',
    EAGAIN: 'could not be started: too many processes',
  };
  return new TaskFailure('spawn', `"${program}" ${reasons[errorCode(error) ?? ''] ?? `could not be started: ${error.message}`}`, {
    cause: error,
  });
}
