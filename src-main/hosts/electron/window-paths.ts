/**
 * The addresses of the window as the shell knows them: which paths are answered with the window's page, and what a deep
 * link may ask for. The window decides what it shows there (src-renderer/navigation/routes.ts); a test compares the two.
 */

/** The scheme of deep links: `quarterdeck://agent/ada`. */
export const LINK_SCHEME = 'quarterdeck';

/** No id, and so no path, is longer; what is longer is no address of ours. In characters. */
const MAX_PATH_CHARS = 300;

/** Ids of agents and messages, and names of templates. */
const ID = '[A-Za-z0-9][A-Za-z0-9._-]{0,127}';
const WORD = '[a-z][a-z-]{0,31}';

const LINK = new RegExp(`^${LINK_SCHEME}:/{0,3}([A-Za-z0-9._/-]*)$`);

const PATHS: readonly RegExp[] = [
  /^\/(agents)?$/,
  new RegExp(`^/agent/${ID}(/${WORD})?$`),
  /^\/messages$/,
  new RegExp(`^/message/${ID}$`),
  /^\/setup$/,
  new RegExp(`^/new(/${ID})?$`),
  new RegExp(`^/settings(/${WORD})?$`),
];

/** Whether a path (without query) is one of the window's places. */
export function isWindowPath(path: string): boolean {
  return path.length <= MAX_PATH_CHARS && PATHS.some((pattern) => pattern.test(path));
}

const TERMINAL_WINDOW = new RegExp(`^/agent/(${ID})\\?solo=1$`);

/** The agent whose terminal an address (path and query) shows in a window of its own; undefined for every other address. */
export function agentOfTerminalWindow(address: string): string | undefined {
  return TERMINAL_WINDOW.exec(address)?.[1];
}

/** The path that a deep link names; undefined for every link that is not one of the window's places, spelled as such. */
export function pathOfLink(link: string): string | undefined {
  if (link.length > MAX_PATH_CHARS) return undefined;
  // By its characters, not as a URL: parsing one would resolve "..", escapes and the like into something harmless-looking.
  const rest = LINK.exec(link)?.[1];
  if (rest === undefined) return undefined;
  const path = `/${rest.replace(/\/$/, '')}`;
  return isWindowPath(path) ? path : undefined;
}

/** The first argument that looks like a deep link, of a command line; whether it names a place is not looked at. */
export function linkIn(args: readonly string[]): string | undefined {
  return args.find((arg) => arg.startsWith(`${LINK_SCHEME}:`));
}
