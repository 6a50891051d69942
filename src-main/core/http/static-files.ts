/** Serves the built window to a browser. Invariant: no file outside the folder is ever read, whatever the path or a link in it says. */
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

/** A file name with a content hash in it, as the build makes them: it never changes. */
const HASHED = /-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

const NOT_BUILT = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Quarterdeck</title></head>
<body><h1>The window is not built</h1><p>The core runs, but the files of its window are missing. Run <code>npm run build</code> and load this page again.</p></body></html>
`;

/** Serves the files of one folder. */
export class StaticFiles {
  readonly #folder: string | undefined;

  /** Without a folder, or when it is missing, a page says how to build it. */
  constructor(folder: string | undefined) {
    this.#folder = folder;
  }

  /** Answers a GET or HEAD for `pathname` (still encoded). What can be no file of the build is the window's own: index.html. */
  async serve(request: IncomingMessage, response: ServerResponse, pathname: string): Promise<void> {
    const root = this.#folder === undefined ? undefined : await realpath(this.#folder).catch(() => undefined);
    if (root === undefined) {
      sendText(request, response, 503, 'text/html; charset=utf-8', NOT_BUILT);
      return;
    }
    const wanted = relativeOf(pathname);
    const found = wanted === undefined ? undefined : await fileIn(root, wanted);
    if (found !== undefined) {
      await sendFile(request, response, found, HASHED.test(found.path) ? 'public, max-age=31536000, immutable' : 'no-cache');
      return;
    }
    const isPage = isWindowPage(pathname);
    const index = isPage ? await fileIn(root, 'index.html') : undefined;
    if (index !== undefined) await sendFile(request, response, index, 'no-cache');
    else if (isPage) sendText(request, response, 503, 'text/html; charset=utf-8', NOT_BUILT);
    else sendText(request, response, 404, 'text/plain; charset=utf-8', 'There is no such file.\n');
  }
}

/**
 * Whether a path can name nothing but a place of the window. Files of the build lie at the top or in `assets`, and have an
 * extension; names of agents may hold dots, and escapes that mean nothing are said by the window, in its own words. What
 * begins with a dot are other programs' questions (`/.well-known/…`), and no page is an answer to them.
 */
function isWindowPage(pathname: string): boolean {
  const [first = '', ...rest] = pathname.split('/').filter((part) => part !== '');
  if (first === 'assets' || /^(\.|%2e)/i.test(first)) return false;
  return rest.length > 0 || extname(first) === '';
}

interface FoundFile {
  readonly path: string;
  readonly size: number;
}

/** The path inside the folder; undefined for anything that tries to leave it. */
function relativeOf(pathname: string): string | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
  if (decoded.includes('\0') || decoded.includes('\\')) return undefined;
  const parts = decoded.split('/').filter((part) => part !== '');
  if (parts.some((part) => part === '..' || part.startsWith('.'))) return undefined;
  return parts.join('/');
}

async function fileIn(root: string, relative: string): Promise<FoundFile | undefined> {
  try {
    const path = await realpath(join(root, relative));
    if (!path.startsWith(root + sep)) return undefined;
    const facts = await stat(path);
    return facts.isFile() ? { path, size: facts.size } : undefined;
  } catch {
    return undefined;
  }
}

async function sendFile(request: IncomingMessage, response: ServerResponse, file: FoundFile, caching: string): Promise<void> {
  response.writeHead(200, {
    'content-type': TYPES[extname(file.path)] ?? 'application/octet-stream',
    'content-length': file.size,
    'cache-control': caching,
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  // A browser that goes away in the middle is no error.
  await pipeline(createReadStream(file.path), response).catch(() => response.destroy());
}

function sendText(request: IncomingMessage, response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text), 'cache-control': 'no-cache' });
  response.end(request.method === 'HEAD' ? undefined : text);
}
