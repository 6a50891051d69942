/**
 * Model APIs as plain HTTP inside: `/<name>/…` goes to the operator's own upstream with the key added here. The key is kept in
 * memory only. What an agent sends as credentials is removed, and so is everything in an answer that repeats the key.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { GatewayModelApi } from '#shared/gateway/model.ts';
import type { GatewayError } from './answers.ts';
import { sendError } from './answers.ts';
import type { EgressContext } from './egress-context.ts';
import { forward } from './forward.ts';
import { isPlainTarget, requestHeaders } from './headers.ts';
import { Redaction } from './redaction.ts';

/** Headers that carry credentials somewhere, and the one that would make an answer unreadable for the search for the key. */
const CREDENTIALS: readonly string[] = [
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'x-auth-token',
  'cookie',
  'accept-encoding',
];

/** TRACE would send the key back; CONNECT and what is unknown has no place here. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Connections to model APIs are kept for so long, in milliseconds. */
const KEEP_MS = 30_000;

/** The model APIs there are. */
export class ModelApis {
  #apis = new Map<string, GatewayModelApi>();
  readonly #http = new HttpAgent({ keepAlive: true, timeout: KEEP_MS });
  readonly #https = new HttpsAgent({ keepAlive: true, timeout: KEEP_MS });

  /** Takes those there are from now on. */
  set(apis: readonly GatewayModelApi[]): void {
    this.#apis = new Map(apis.map((api) => [api.name, api]));
  }

  /** Closes connections that are kept. */
  dispose(): void {
    this.#http.destroy();
    this.#https.destroy();
  }

  /** Serves one request with a path. */
  async serve({ agent, book, clock, limits }: EgressContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const at = clock.now();
    const asked = /^\/([a-z0-9][a-z0-9-]{0,40})(?=[/?]|$)([^#]*)$/.exec(request.url ?? '');
    const name = asked?.[1] ?? '';
    const api = this.#apis.get(name);
    const url = api === undefined ? undefined : new URL(api.upstream);
    const isTls = url?.protocol === 'https:';
    const port = url === undefined ? 0 : Number(url.port || (isTls ? 443 : 80));
    const facts = {
      projectId: agent.config.projectId,
      agentId: agent.config.id,
      via: 'model-api',
      host: url?.hostname ?? (request.url ?? '').slice(0, 100),
      port,
      protocol: isTls ? 'tls' : 'http',
      address: null,
      at,
    } as const;
    const refuse = (error: GatewayError, reason: string): void => {
      book.refuse('refused', { ...facts, reason });
      sendError(request, response, error);
    };
    const isAllowed = (): boolean => agent.config.modelApis.includes(name) && this.#apis.get(name)?.upstream === api?.upstream;

    if (asked === null || api === undefined || url === undefined) {
      const message =
        'There is no such model API here. The operator names model APIs in the settings; agents reach them as /<name>.';
      return refuse({ code: 'NOT_FOUND', message }, 'there is no such model API');
    }
    if (!isAllowed()) {
      const message = `This agent may not use the model API "${name}". The operator can allow it in the agent's configuration.`;
      return refuse({ code: 'FORBIDDEN', message }, `model API "${name}" is not allowed for this agent`);
    }
    const key = api.projectKeys[agent.config.projectId] ?? api.key;
    if (key === null) {
      const message = `The model API "${name}" has no key: the secret ${api.secret} is not stored. The operator can set it in the settings.`;
      return refuse({ code: 'UNAVAILABLE', message }, `the secret ${api.secret} is not stored`);
    }
    const passed = requestHeaders(request.rawHeaders, new Set([...CREDENTIALS, api.header]));
    const path = asked[2] ?? '';
    const problem = !METHODS.has(request.method ?? '')
      ? `its method is ${request.method}`
      : hasDotSegments(path)
        ? 'its path has segments of dots'
        : !isPlainTarget(request.url ?? '')
          ? 'its path has other characters than ASCII'
          : passed.ok
            ? undefined
            : passed.reason;
    if (!passed.ok || problem !== undefined) {
      const reason = problem ?? 'it is malformed';
      return refuse({ code: 'BAD_REQUEST', message: `The request is refused: ${reason}.` }, reason);
    }

    const ended = new AbortController();
    const forget = agent.add({ isAllowed, end: (reason) => ended.abort(new Error(reason)) });
    response.once('close', forget);
    const redaction = new Redaction(key);
    const upstream = (isTls ? httpsRequest : httpRequest)({
      protocol: url.protocol,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port,
      method: request.method ?? 'GET',
      path: joinPath(url, path),
      headers: [
        ...passed.headers,
        ...['Host', url.host, 'Accept-Encoding', 'identity'],
        ...[api.header, api.header === 'authorization' ? `Bearer ${key}` : key],
      ],
      agent: isTls ? this.#https : this.#http,
    });
    let end = (_outcome: 'closed' | 'failed', _reason: string | undefined, _sent: number, _received: number): void => undefined;
    let address: string | null = null;
    const opened = (): void => {
      address = upstream.socket?.remoteAddress ?? null;
      const close = book.open({ ...facts, address, reason: `model API "${name}"` });
      end = (outcome, reason, sentBytes, receivedBytes) => close({ outcome, reason, sentBytes, receivedBytes });
    };
    let isOpen = false;
    upstream.once('socket', (socket) => {
      const onConnect = (): void => {
        if (isOpen || upstream.destroyed) return;
        isOpen = true;
        opened();
      };
      if (socket.connecting) socket.once(isTls ? 'secureConnect' : 'connect', onConnect);
      else onConnect();
    });
    const result = await forward({
      request,
      response,
      upstream,
      idleMs: limits.idleMs,
      dropHeader: (header, value) =>
        header === api.header || header === 'set-cookie' || CREDENTIALS.includes(header) || redaction.isIn(value),
      body: redaction,
      unreachable: (code) => ({ code: 'BAD_GATEWAY', message: `The model API "${name}" did not answer (${code}).` }),
      signal: ended.signal,
    });
    const reason = result.reason;
    if (isOpen) end(result.outcome, reason, result.sentBytes, result.receivedBytes);
    else book.refuse('failed', { ...facts, reason: reason ?? 'it could not be connected to' });
  }
}

/** The path outside: the upstream's own, and what the agent asked for behind the name. */
function joinPath(upstream: URL, path: string): string {
  const base = upstream.pathname.replace(/\/+$/, '');
  const joined = base + path;
  return joined.startsWith('/') ? joined : `/${joined}`;
}

/** Whether a path could lead out of the upstream's own: `..` and `.`, also encoded or with backslashes. */
function hasDotSegments(path: string): boolean {
  const [bare = ''] = path.split('?');
  return bare
    .replace(/%2e/gi, '.')
    .replace(/%2f|%5c|\\/gi, '/')
    .split('/')
    .some((segment) => /^\.{1,2}(;.*)?$/.test(segment));
}
