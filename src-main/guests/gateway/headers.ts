/** Headers of HTTP messages that are passed on. Pure; raw headers are name, value, name, value. */

/** Headers of one hop (RFC 9110 7.6.1) and those of proxies: never passed on. Framing is made anew by the sender. */
const OF_ONE_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

/** Headers that say where a message ends or whom it is for: a Connection header must not name them away. */
const NOT_TO_NAME: ReadonlySet<string> = new Set(['host', 'content-length', 'transfer-encoding']);

/** The headers of a request that may be passed on, or why they cannot be. */
export type PassedHeaders = { readonly ok: true; readonly headers: string[] } | { readonly ok: false; readonly reason: string };

/** Whether a request's target can be written anew as it is: visible ASCII, as clients are to send it (RFC 3986). */
export function isPlainTarget(target: string): boolean {
  return /^[\x21-\x7e]+$/.test(target);
}

/** What of a request's headers is passed on: none of one hop, none that `Connection` names, no Host, none of `without`. */
export function requestHeaders(raw: readonly string[], without: ReadonlySet<string>): PassedHeaders {
  const named = namedByConnection(raw);
  for (const name of named) {
    if (NOT_TO_NAME.has(name)) return { ok: false, reason: `its Connection header names ${name}` };
  }
  const headers: string[] = [];
  let hosts = 0;
  let isChunked = false;
  for (const [name, value] of pairs(raw)) {
    const lower = name.toLowerCase();
    if (lower === 'host') hosts += 1;
    if (lower === 'transfer-encoding') isChunked = true;
    if (lower === 'host' || OF_ONE_HOP.has(lower) || named.has(lower) || without.has(lower)) continue;
    headers.push(name, value);
  }
  if (hosts !== 1) return { ok: false, reason: hosts === 0 ? 'it has no Host' : 'it has several Host headers' };
  if (isChunked) headers.push('Transfer-Encoding', 'chunked');
  return { ok: true, headers };
}

/** What of a response's headers is passed on: none of one hop, none that `Connection` names, none that `drop` picks. */
export function responseHeaders(raw: readonly string[], drop: (name: string, value: string) => boolean): string[] {
  const named = namedByConnection(raw);
  return pairs(raw)
    .filter(([name, value]) => {
      const lower = name.toLowerCase();
      return !OF_ONE_HOP.has(lower) && !named.has(lower) && !drop(lower, value);
    })
    .flat();
}

/** Every value of a header. */
export function headerValues(raw: readonly string[], wanted: string): string[] {
  return pairs(raw).flatMap(([name, value]) => (name.toLowerCase() === wanted ? [value] : []));
}

function namedByConnection(raw: readonly string[]): ReadonlySet<string> {
  const names = headerValues(raw, 'connection').flatMap((value) => value.split(','));
  return new Set(names.map((name) => name.trim().toLowerCase()).filter((name) => name !== 'close' && name !== 'keep-alive'));
}

function pairs(raw: readonly string[]): [string, string][] {
  const result: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) result.push([raw[at] ?? '', raw[at + 1] ?? '']);
  return result;
}
