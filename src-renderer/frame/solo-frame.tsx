import type { ReactNode } from 'react';
import { useShortcuts } from '#renderer/commands/use-commands.tsx';
import { OfflineBanner } from '#renderer/features/connection/offline-banner.tsx';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';

/** A screen by itself, in a small window: its own shortcuts work, and it says when it is cut off. */
export function SoloFrame({ children }: { readonly children: ReactNode }): ReactNode {
  const session = useSession();
  const status = useWindowState((state) => state.status);
  useShortcuts();
  return (
    <main id="screen" className="flex h-full flex-col">
      {status.kind === 'offline' ? <OfflineBanner since={status.since} onRetry={() => session.retry()} /> : null}
      <div className="flex min-h-0 flex-1 flex-col">{children}</div>
    </main>
  );
}
