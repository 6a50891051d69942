import type { Route } from './routes.ts';

const PAGES: Readonly<Record<Exclude<Route['page'], 'agent'>, string>> = {
  fleet: 'Agents',
  messages: 'Messages',
  setup: 'Set up',
  'new-agent': 'New agent',
  settings: 'Settings',
  unknown: 'Not found',
};

/** What a browser's tab and a window's bar say: how much waits for the operator, and which place is shown. Pure. */
export function routeTitle(route: Route, needs: number): string {
  const place = route.page === 'agent' ? route.id : PAGES[route.page];
  return `${needs === 0 ? '' : `(${needs}) `}${place} – Quarterdeck`;
}
