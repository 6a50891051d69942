/** Has the terminal of an agent come while its page is being made. */
import { routeOf } from '#renderer/navigation/routes.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import type { WindowSession } from './window-session.ts';

/**
 * Asks for an agent's terminal whenever the window goes to its page, before the page is made. To be called before the page is
 * there: who listens first is told first. A page that stands already has its terminal.
 */
export function expectTerminals(session: WindowSession, window: Window): void {
  let shown = '';
  const look = (): void => {
    const route = routeOf(window.location.pathname);
    const id = route.page === 'agent' ? route.id : '';
    if (id === shown) return;
    shown = id;
    const agent = ownEntry(session.store.getState().crew.agents, id);
    if (agent !== undefined && agent.run !== null) session.terminals.expect(agent.id);
  };
  // The first is what the router tells itself with.
  window.addEventListener('pushState', look);
  window.addEventListener('popstate', look);
}
