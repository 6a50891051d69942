/** Starts the window: chooses how to reach the core, uses up a login link, and shows the page. */
import './ui/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from '#renderer/app.tsx';
import { applyKeptTheme } from '#renderer/frame/use-theme.ts';
import type { DesktopBridge } from '#renderer/connection/desktop-transport.ts';
import { desktopTransport, onDesktopNavigation } from '#renderer/connection/desktop-transport.ts';
import { redeemLoginLink } from '#renderer/connection/login.ts';
import { webTransport } from '#renderer/connection/web-transport.ts';
import { routeOf } from '#renderer/navigation/routes.ts';
import { goTo } from '#renderer/navigation/use-route.tsx';
import { expectTerminals } from '#renderer/store/expect-terminal.ts';
import { SessionContext } from '#renderer/store/session-context.tsx';
import { WindowSession } from '#renderer/store/window-session.ts';

declare global {
  interface Window {
    /** There in the desktop app only: see src-main/hosts/electron/preload.ts. */
    readonly quarterdeck?: DesktopBridge;
  }
}

function post(path: string, body: string): Promise<Response> {
  return fetch(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body, credentials: 'same-origin' });
}

applyKeptTheme();
const { quarterdeck } = window;
const session = new WindowSession(quarterdeck ? desktopTransport(quarterdeck, window) : webTransport(location.href));
// Deep links, the tray and notifications. Before the first connection, so that none is missed.
if (quarterdeck) onDesktopNavigation(window, (path) => goTo(routeOf(path)));

/** Uses up a login link in the address, and connects as whom it logged in. */
async function login(): Promise<void> {
  const loginOutcome = await redeemLoginLink(window, post);
  if (loginOutcome === 'none') return;
  session.store.setState({ loginOutcome });
  if (session.store.getState().status.kind === 'signed-out') session.retry();
}

if (quarterdeck === undefined) {
  await login();
  // A link that is pasted into this tab changes the fragment only: the page stays.
  window.addEventListener('hashchange', () => {
    login().catch(() => undefined);
  });
}

// A computer that wakes, or a network that is back, need not wait for the next try.
const retry = (): void => {
  if (!document.hidden && session.store.getState().status.kind === 'offline') session.retry();
};
document.addEventListener('visibilitychange', retry);
window.addEventListener('online', retry);
// A reloaded page must not leave its ports behind.
window.addEventListener('pagehide', () => session.dispose(), { once: true });
// Brought back by the browser's history, it starts anew.
window.addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

expectTerminals(session, window);

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root.');
createRoot(root).render(
  <StrictMode>
    <SessionContext value={session}>
      <App />
    </SessionContext>
  </StrictMode>,
);
await session.run();
