import { ORPCError } from '@orpc/client';
import { useCallback, useState } from 'react';
import { ConnectError } from '#renderer/connection/line.ts';
import { messageOf } from '#shared/kernel/errors.ts';

/** A command as a control sees it: whether it runs, and why it failed the last time. */
export interface Command {
  readonly isRunning: boolean;
  /** What happened, why, and what to do; undefined when it went well. */
  readonly problem: string | undefined;
  /** Runs it, and then `onDone` when it went well. */
  readonly run: (task: () => Promise<unknown>, onDone?: () => void) => void;
  readonly dismiss: () => void;
}

/** The core says in its own errors what to do; the others are about the way to the core. */
export function problemOf(error: unknown): string {
  if (error instanceof ORPCError) return error.message;
  if (error instanceof ConnectError) return `${error.message} Nothing was done; try again when it is back.`;
  return `${messageOf(error)}. It may or may not have been done: look before you repeat it.`;
}

/** The state of one command of a control. */
export function useCommand(): Command {
  const [isRunning, setRunning] = useState(false);
  const [problem, setProblem] = useState<string>();
  const run = useCallback((task: () => Promise<unknown>, onDone?: () => void): void => {
    setRunning(true);
    setProblem(undefined);
    // A task that throws on the spot, because there is no line, is a failure like any other.
    Promise.resolve()
      .then(task)
      .then(onDone)
      .catch((error: unknown) => setProblem(problemOf(error)))
      .finally(() => setRunning(false));
  }, []);
  return { isRunning, problem, run, dismiss: () => setProblem(undefined) };
}
