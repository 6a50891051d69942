import { useEffect, useState } from 'react';
import { useSession } from '#renderer/store/session-context.tsx';
import type { AgentId } from '#shared/kernel/ids.ts';

/** The window of a terminal that is always there. */
export const MAIN = 'main';

/**
 * Windows are opened in the terminal itself, and tmux tells nobody who does not ask: it is asked this often while somebody
 * looks, in milliseconds.
 */
const LOOK_EVERY_MS = 4_000;

/** The windows of the terminal, as they come and go; the main one until the core has said which there are. */
export function useWindows(agentId: AgentId, runId: string): readonly string[] {
  const session = useSession();
  const [windows, setWindows] = useState<readonly string[]>([MAIN]);
  useEffect(() => {
    let isGone = false;
    const ask = (): void => {
      if (document.hidden) return;
      Promise.resolve()
        .then(() => session.client.terminals.status({ id: agentId }))
        .then((status) => {
          if (isGone || status.windows.length === 0) return;
          setWindows((known) => (known.join('\n') === status.windows.join('\n') ? known : status.windows));
        })
        // A line that is lost says so elsewhere; what was known stays.
        .catch(() => undefined);
    };
    ask();
    const online = session.onOnline(ask);
    const timer = setInterval(ask, LOOK_EVERY_MS);
    document.addEventListener('visibilitychange', ask);
    return () => {
      isGone = true;
      online.dispose();
      clearInterval(timer);
      document.removeEventListener('visibilitychange', ask);
    };
  }, [session, agentId, runId]);
  return windows;
}
