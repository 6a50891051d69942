/**
 * The places of the window and their addresses. The same paths stand in a browser's address bar and, behind
 * `quarterdeck://`, in deep links. Pure.
 */

/** Tabs beside an agent's terminal. */
export const AGENT_TABS = ['overview', 'messages', 'activity', 'boundary', 'network', 'config', 'health'] as const;
/** One of `AGENT_TABS`. */
export type AgentTab = (typeof AGENT_TABS)[number];

/** Sections of the settings. */
export const SETTINGS_SECTIONS = [
  'appearance',
  'messages',
  'middleware',
  'images',
  'model-apis',
  'connections',
  'notifications',
  'shortcuts',
  'about',
] as const;
/** One of `SETTINGS_SECTIONS`. */
export type SettingsSection = (typeof SETTINGS_SECTIONS)[number];

/** A place of the window. */
export type Route =
  | { readonly page: 'fleet' }
  | { readonly page: 'agent'; readonly id: string; readonly tab: AgentTab }
  /** With a message, that one is selected and shown. */
  | { readonly page: 'messages'; readonly messageId?: string }
  | { readonly page: 'setup' }
  /** With a template, its fields are filled in. */
  | { readonly page: 'new-agent'; readonly template?: string }
  | { readonly page: 'settings'; readonly section: SettingsSection }
  | { readonly page: 'unknown'; readonly path: string };

/** The home of the window. */
export const HOME: Route = { page: 'fleet' };

/** The path of a place. `routeOf(pathOf(route))` is the same place. */
export function pathOf(route: Route): string {
  switch (route.page) {
    case 'fleet':
      return '/agents';
    case 'agent':
      return `/agent/${encodeURIComponent(route.id)}${route.tab === 'overview' ? '' : `/${route.tab}`}`;
    case 'messages':
      return route.messageId === undefined ? '/messages' : `/message/${encodeURIComponent(route.messageId)}`;
    case 'setup':
      return '/setup';
    case 'new-agent':
      return route.template === undefined ? '/new' : `/new/${encodeURIComponent(route.template)}`;
    case 'settings':
      return route.section === 'appearance' ? '/settings' : `/settings/${route.section}`;
    case 'unknown':
      return route.path;
  }
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

function oneOf<T extends string>(allowed: readonly T[], value: string | undefined, otherwise: T): T | undefined {
  return value === undefined ? otherwise : allowed.find((one) => one === value);
}

/** The place that a path names; `unknown` for every other path. */
export function routeOf(path: string): Route {
  const unknown: Route = { page: 'unknown', path };
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decoded);
  if (parts.some((part) => part === undefined) || parts.length > 3) return unknown;
  const [first, second, third] = parts;
  switch (first) {
    case undefined:
      return HOME;
    case 'agents':
      return second === undefined ? HOME : unknown;
    case 'agent': {
      const tab = oneOf(AGENT_TABS, third, 'overview');
      return second === undefined || tab === undefined ? unknown : { page: 'agent', id: second, tab };
    }
    case 'messages':
      return second === undefined ? { page: 'messages' } : unknown;
    case 'message':
      return second === undefined || third !== undefined ? unknown : { page: 'messages', messageId: second };
    case 'setup':
      return second === undefined ? { page: 'setup' } : unknown;
    case 'new':
      if (third !== undefined) return unknown;
      return second === undefined ? { page: 'new-agent' } : { page: 'new-agent', template: second };
    case 'settings': {
      const section = oneOf(SETTINGS_SECTIONS, second, 'appearance');
      return section === undefined || third !== undefined ? unknown : { page: 'settings', section };
    }
    default:
      return unknown;
  }
}
