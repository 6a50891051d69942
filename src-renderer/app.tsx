/** The window: the frame with the screen that the address names. Composes only. */
import { lazy, Suspense } from 'react';
import type { ReactNode } from 'react';
import { SignedOut } from '#renderer/features/connection/signed-out.tsx';
import { Frame } from '#renderer/frame/frame.tsx';
import { ScreenBoundary } from '#renderer/frame/screen-boundary.tsx';
import { SoloFrame } from '#renderer/frame/solo-frame.tsx';
import { useTheme } from '#renderer/frame/use-theme.ts';
import type { Route } from '#renderer/navigation/routes.ts';
import { pathOf } from '#renderer/navigation/routes.ts';
import { useQueryParameter, useRoute } from '#renderer/navigation/use-route.tsx';
import { FleetPage } from '#renderer/pages/fleet-page.tsx';
import { UnknownPage } from '#renderer/pages/unknown-page.tsx';
import { useSession, useWindowState } from '#renderer/store/session-context.tsx';
import { Skeleton } from '#renderer/ui/skeleton.tsx';
import { Toaster } from '#renderer/ui/toast.tsx';
import { TooltipProvider } from '#renderer/ui/tooltip.tsx';

// What the first screen does not need is loaded when it is gone to: the fleet is there sooner.
const AgentPage = lazy(() => import('#renderer/pages/agent-page.tsx').then(({ AgentPage: page }) => ({ default: page })));
const MessagesPage = lazy(() =>
  import('#renderer/pages/messages-page.tsx').then(({ MessagesPage: page }) => ({ default: page })),
);
const SetupPage = lazy(() => import('#renderer/pages/setup-page.tsx').then(({ SetupPage: page }) => ({ default: page })));
const SettingsPage = lazy(() =>
  import('#renderer/pages/settings-page.tsx').then(({ SettingsPage: page }) => ({ default: page })),
);
const NewAgentPage = lazy(() =>
  import('#renderer/pages/new-agent-page.tsx').then(({ NewAgentPage: page }) => ({ default: page })),
);

/** The window. */
export function App(): ReactNode {
  const session = useSession();
  const status = useWindowState((state) => state.status);
  const loginOutcome = useWindowState((state) => state.loginOutcome);
  const route = useRoute();
  const [solo] = useQueryParameter('solo');
  useTheme();
  if (status.kind === 'signed-out') return <SignedOut outcome={loginOutcome} onRetry={() => session.retry()} />;
  const screen = (
    <ScreenBoundary place={pathOf(route)}>
      <Suspense fallback={<Skeleton className="m-4 h-24" />}>
        <Screen route={route} />
      </Suspense>
    </ScreenBoundary>
  );
  return (
    <TooltipProvider>
      {/* A terminal in a window of its own: nothing stands around it. */}
      {route.page === 'agent' && solo !== '' ? <SoloFrame>{screen}</SoloFrame> : <Frame>{screen}</Frame>}
      <Toaster />
    </TooltipProvider>
  );
}

function Screen({ route }: { readonly route: Route }): ReactNode {
  const hasCrew = useWindowState((state) => state.hasCrew);
  const isEmpty = useWindowState((state) => Object.keys(state.crew.agents).length === 0);
  switch (route.page) {
    case 'fleet':
      // Nobody to show yet: the way to the first agent is the home then.
      return hasCrew && isEmpty ? <SetupPage /> : <FleetPage />;
    case 'agent':
      return <AgentPage key={route.id} id={route.id} tab={route.tab} />;
    case 'messages':
      return <MessagesPage {...(route.messageId === undefined ? {} : { messageId: route.messageId })} />;
    case 'setup':
      return <SetupPage />;
    case 'settings':
      return <SettingsPage section={route.section} />;
    case 'new-agent':
      return <NewAgentPage {...(route.template === undefined ? {} : { template: route.template })} />;
    case 'unknown':
      return <UnknownPage path={route.path} />;
  }
}
