import { useCallback, useEffect, useRef, useState } from 'react';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { problemOf } from '#renderer/store/use-command.ts';
import type { SystemCheck } from '#shared/system/model.ts';

/** While the screen is shown, the machine is looked at again this often, in milliseconds. */
const LOOK_EVERY_MS = 15_000;

/** What was found on the machine. */
export interface Checks {
  /** Undefined before the first answer. */
  readonly checks: readonly SystemCheck[] | undefined;
  /** When that was, in milliseconds since the epoch. */
  readonly checkedAt: number | undefined;
  readonly isChecking: boolean;
  /** Why the last look failed; what was found before stays. */
  readonly problem: string | undefined;
  readonly checkAgain: () => void;
}

/** Looks at the machine: at once, every few seconds while the page can be seen, and when one comes back to it. */
export function useChecks(): Checks {
  const session = useSession();
  const isOnline = useWindowState(({ status }) => status.kind === 'online');
  const [found, setFound] = useState<{ checks: readonly SystemCheck[]; checkedAt: number }>();
  const [isChecking, setChecking] = useState(false);
  const [problem, setProblem] = useState<string>();
  const isRunning = useRef(false);

  const checkAgain = useCallback((): void => {
    if (isRunning.current) return;
    isRunning.current = true;
    setChecking(true);
    Promise.resolve()
      .then(() => session.client.system.doctor({}))
      .then((answer) => {
        setFound(answer);
        setProblem(undefined);
      })
      .catch((error: unknown) => setProblem(problemOf(error)))
      .finally(() => {
        isRunning.current = false;
        setChecking(false);
      });
  }, [session]);

  useEffect(() => {
    if (!isOnline) return undefined;
    const look = (): void => {
      if (!document.hidden) checkAgain();
    };
    look();
    const timer = setInterval(look, LOOK_EVERY_MS);
    document.addEventListener('visibilitychange', look);
    window.addEventListener('focus', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
      window.removeEventListener('focus', look);
    };
  }, [isOnline, checkAgain]);

  return { checks: found?.checks, checkedAt: found?.checkedAt, isChecking, problem, checkAgain };
}
