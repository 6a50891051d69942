import type { ReactNode } from 'react';
import { Link } from '#renderer/navigation/use-route.tsx';
import { HOME } from '#renderer/navigation/routes.ts';
import { EmptyState } from '#renderer/ui/empty-state.tsx';

/** For an address that names no screen. */
export function UnknownPage({ path }: { readonly path: string }): ReactNode {
  return (
    <EmptyState isScreen title="There is no such screen">
      <p>
        Nothing is at <code className="font-code text-12 break-all">{path}</code>. The link may be from another version.
      </p>
      <Link to={HOME} className="underline underline-offset-2">
        Go to the agents
      </Link>
    </EmptyState>
  );
}
