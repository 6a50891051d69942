/**
 * `agent.sock`: the agent interface of the core, which may be away. Requests pass as they are, with the two headers that say
 * through whose socket they came.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer, request as httpRequest } from 'node:http';
import type { Duplex } from 'node:stream';
import { AGENT_HEADER, GATEWAY_HEADER } from '#shared/gateway/model.ts';
import type { GatewayError } from './answers.ts';
import { sendError, sendRawError } from './answers.ts';
import type { CoreConnection, CoreLink } from './core-link.ts';
import { forward } from './forward.ts';
import type { PassedHeaders } from './headers.ts';
import { headerValues, isPlainTarget, requestHeaders, responseHeaders } from './headers.ts';
import type { GatewayLimits } from './limits.ts';
import type { ServedAgent } from './served-agent.ts';

/** Calls on these paths decide whether something is allowed: they get no as an answer at once where nobody can say yes. */
const HOOKS = '/hook/';

/** Headers that only the gateway may set. */
const OWN_HEADERS: ReadonlySet<string> = new Set([AGENT_HEADER, GATEWAY_HEADER]);

const AWAY: GatewayError = {
  code: 'UNAVAILABLE',
  message: 'Quarterdeck is not running, so this call cannot be answered now. Nothing was done; call again later.',
};

/** What the door is made from. */
export interface AgentDoorOptions {
  readonly agent: ServedAgent;
  readonly core: CoreLink;
  readonly limits: GatewayLimits;
}

/** A server for one agent's `agent.sock` that does not listen yet. */
export function makeAgentServer(options: AgentDoorOptions): Server {
  const { limits, agent } = options;
  const server = createServer({
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headMs,
    requestTimeout: 300_000,
    connectionsCheckingInterval: Math.max(50, Math.floor(limits.headMs / 4)),
    insecureHTTPParser: false,
    keepAliveTimeout: 30_000,
  });
  server.maxConnections = limits.connections;
  server.on('connection', (socket) => agent.track(socket));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    serve(options, request, response).catch(() => response.destroy());
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    upgrade(options, request, socket, head).catch(() => socket.destroy());
  });
  server.on('clientError', (_error, socket) => {
    sendRawError(socket, { code: 'BAD_REQUEST', message: 'This is no HTTP request.' });
  });
  return server;
}

async function serve(
  { agent, core, limits }: AgentDoorOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const passed = admit(request);
  if (!passed.ok)
    return sendError(request, response, { code: 'BAD_REQUEST', message: `The request is refused: ${passed.reason}.` });
  if (Number(request.headers['content-length'] ?? 0) > limits.agentBodyBytes) {
    return sendError(request, response, {
      code: 'PAYLOAD_TOO_LARGE',
      message: `The request is larger than ${limits.agentBodyBytes} bytes. Put large things into a file of the workspace and send its name.`,
    });
  }
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const connection = await core.reach(waitFor(request, limits), AbortSignal.any([gone.signal, agent.ended]));
  if (connection === undefined) return sendError(request, response, AWAY);
  const headers = [...passed.headers, 'Host', connection.host, 'Connection', 'close', ...signature(agent, connection)];
  const upstream = httpRequest({
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers,
    createConnection: () => connection.socket,
  });
  await forward({
    request,
    response,
    upstream,
    maxBodyBytes: limits.agentBodyBytes,
    idleMs: 0,
    unreachable: () => ({
      code: 'BAD_GATEWAY',
      message:
        'Quarterdeck went away before it answered. Whether the call took effect is not known: call again with the same idempotency key.',
    }),
    signal: AbortSignal.any([agent.ended, core.term]),
  });
  connection.socket.destroy();
}

/** A WebSocket. Only after the core agreed bytes pass unseen: until then everything the agent sends is one request. */
async function upgrade(
  { agent, core, limits }: AgentDoorOptions,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const passed = admit(request);
  const isWebSocket = request.headers.upgrade?.toLowerCase() === 'websocket' && request.method === 'GET';
  if (!passed.ok || !isWebSocket || headerValues(request.rawHeaders, 'upgrade').length !== 1) {
    const reason = passed.ok ? 'only WebSockets can be upgraded to' : passed.reason;
    return sendRawError(socket, { code: 'BAD_REQUEST', message: `The request is refused: ${reason}.` });
  }
  const gone = new AbortController();
  socket.once('close', () => gone.abort());
  const connection = await core.reach(waitFor(request, limits), AbortSignal.any([gone.signal, agent.ended]));
  if (connection === undefined) return sendRawError(socket, AWAY);
  if (socket.destroyed) {
    connection.socket.destroy();
    return;
  }
  const upstream = httpRequest({
    method: 'GET',
    path: request.url ?? '/',
    headers: [
      ...passed.headers,
      'Host',
      connection.host,
      'Connection',
      'Upgrade',
      'Upgrade',
      'websocket',
      ...signature(agent, connection),
    ],
    createConnection: () => connection.socket,
  });
  const ended = AbortSignal.any([agent.ended, core.term]);
  const end = (): void => {
    socket.end();
    connection.socket.destroy();
  };
  ended.addEventListener('abort', end);
  socket.once('close', () => {
    ended.removeEventListener('abort', end);
    connection.socket.destroy();
  });
  let isAnswered = false;
  upstream.on('error', () => {
    if (isAnswered) socket.destroy();
    else sendRawError(socket, AWAY);
  });
  upstream.once('response', (answer) => {
    isAnswered = true;
    answer.once('error', () => socket.destroy());
    const lines = headLines(answer.statusCode ?? 502, answer.statusMessage ?? '', [
      ...responseHeaders(answer.rawHeaders, () => false),
      'connection',
      'close',
    ]);
    // The length is known or the end of the connection says it: chunks were taken apart on the way.
    socket.write(lines);
    answer.pipe(socket);
  });
  upstream.once('upgrade', (answer, inner, innerHead) => {
    isAnswered = true;
    inner.once('close', () => socket.end());
    socket.write(
      headLines(101, 'Switching Protocols', [
        ...responseHeaders(answer.rawHeaders, () => false),
        'Connection',
        'Upgrade',
        'Upgrade',
        'websocket',
      ]),
    );
    if (innerHead.length > 0) socket.write(innerHead);
    if (head.length > 0) inner.write(head);
    inner.on('error', () => socket.end());
    inner.pipe(socket);
    socket.pipe(inner);
  });
  upstream.end();
}

function admit(request: IncomingMessage): PassedHeaders {
  if (request.url?.startsWith('/') !== true || !isPlainTarget(request.url))
    return { ok: false, reason: 'its target is not a path' };
  return requestHeaders(request.rawHeaders, OWN_HEADERS);
}

function headLines(status: number, text: string, headers: readonly string[]): string {
  let lines = `HTTP/1.1 ${status} ${text}\r\n`;
  for (let at = 0; at < headers.length; at += 2) lines += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return `${lines}\r\n`;
}

function waitFor(request: IncomingMessage, limits: GatewayLimits): number {
  // A path that only looks like a hook's to somebody who decodes it waits like any other call, which harms nobody.
  return request.url?.startsWith(HOOKS) === true ? 0 : limits.coreWaitMs;
}

function signature(agent: ServedAgent, { owner }: CoreConnection): string[] {
  return [AGENT_HEADER, agent.config.id, GATEWAY_HEADER, owner.word];
}
