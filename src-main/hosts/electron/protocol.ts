/**
 * `app://bundle/`: the files of the built window, its page also under the paths of its places. `app://shell/`: the page that
 * is shown when the window cannot be. Nothing else. A page from here has an origin of its own, which `file://` has not.
 * Invariant: no file outside the folder is ever read, whatever the address or a link in the folder says.
 */
import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';
import { protocol } from 'electron';
import { SHELL_ORIGIN, TROUBLE_POLICY, TROUBLE_URL } from './trouble-page.ts';
import { isWindowPath } from './window-paths.ts';

/** The scheme of the window's own files. */
export const APP_SCHEME = 'app';
/** The origin of the window. `new URL('app://bundle/').origin` is 'null' in Node: compare with this. */
export const APP_ORIGIN = 'app://bundle';

/** Nothing but our own files. xterm sets styles inline; scripts come from files only. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/** Tells Chromium about the scheme. Must run before the app is ready. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true, codeCache: true } },
  ]);
}

/** Serves the window from `folder`, and the page of a window in trouble, which is made anew each time. */
export function serveAppScheme(folder: string, troublePage: () => string): void {
  protocol.handle(APP_SCHEME, (request) => answer(folder, troublePage, request));
}

async function answer(folder: string, troublePage: () => string, request: Request): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return refusal(405);
  if (request.url.startsWith(`${SHELL_ORIGIN}/`)) {
    if (request.url !== TROUBLE_URL) return refusal(404);
    return new Response(troublePage(), {
      headers: { ...headers(), 'content-security-policy': TROUBLE_POLICY, 'content-type': 'text/html; charset=utf-8' },
    });
  }
  const file = await fileOf(folder, request.url);
  const type = file === undefined ? undefined : TYPES[extname(file)];
  if (file === undefined || type === undefined) return refusal(404);
  const body = await readFile(file).catch(() => undefined);
  if (body === undefined) return refusal(404);
  return new Response(request.method === 'HEAD' ? null : body, { headers: { ...headers(), 'content-type': type } });
}

function headers(): Record<string, string> {
  return {
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
  };
}

function refusal(status: number): Response {
  return new Response(null, { status, headers: headers() });
}

/** The file an address names; undefined for anything that is not a file of the folder. */
async function fileOf(folder: string, address: string): Promise<string | undefined> {
  const url = new URL(address);
  if (url.host !== 'bundle') return undefined;
  let path: string;
  try {
    path = decodeURIComponent(url.pathname);
  } catch {
    return undefined;
  }
  if (path.includes('\0') || path.includes('\\') || path.split('/').some((part) => part.startsWith('.'))) return undefined;
  try {
    const root = await realpath(folder);
    const file = await realpath(join(root, isWindowPath(path) ? 'index.html' : path));
    return file.startsWith(root + sep) ? file : undefined;
  } catch {
    return undefined;
  }
}
