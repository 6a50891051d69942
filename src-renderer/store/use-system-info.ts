import { useEffect, useState } from 'react';
import type { CoreClient } from '#renderer/connection/line.ts';
import { useSession, useWindowState } from './session-context.tsx';

/** What the core says of itself. */
export type SystemInfo = Awaited<ReturnType<CoreClient['system']['info']>>;

/** What the core says of itself; asked anew whenever a line stands. Undefined before the first answer. */
export function useSystemInfo(): SystemInfo | undefined {
  const session = useSession();
  const isOnline = useWindowState(({ status }) => status.kind === 'online');
  const [info, setInfo] = useState<SystemInfo>();
  useEffect(() => {
    if (!isOnline) return;
    Promise.resolve()
      .then(() => session.client.system.info({}))
      .then(setInfo)
      // The banner says that the line is gone; what was known stays.
      .catch(() => undefined);
  }, [session, isOnline]);
  return info;
}
