/**
 * `egress.sock`: the one way out of a box. Three kinds of request come here: CONNECT (a tunnel), an absolute URL (the HTTP
 * proxy), and a path (a model API). Requests are read by Node's parser in its strict mode, which refuses what parsers could
 * read in two ways, and are written anew for the outside: nothing an agent sends is passed as it is before it was judged.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { sendError, sendRawError } from './answers.ts';
import type { EgressContext } from './egress-context.ts';
import { serveHttp } from './http-proxy.ts';
import type { ModelApis } from './model-apis.ts';
import { serveConnect } from './tunnel.ts';

/** What the door is made from. */
export interface EgressDoorOptions extends EgressContext {
  readonly modelApis: ModelApis;
}

/** A server for one agent's `egress.sock` that does not listen yet. */
export function makeEgressServer(options: EgressDoorOptions): Server {
  const { limits, agent } = options;
  const server = createServer({
    maxHeaderSize: limits.headBytes,
    headersTimeout: limits.headMs,
    // Bodies may take long (a large prompt over a slow line); a body that stands still is ended as idle.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.max(50, Math.floor(limits.headMs / 4)),
    insecureHTTPParser: false,
    keepAliveTimeout: 30_000,
  });
  server.maxConnections = limits.connections;
  server.on('connection', (socket) => agent.track(socket));
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    serveRequest(options, request, response).catch(() => response.destroy());
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    tunnel(options, request, socket, head).catch(() => socket.destroy());
  });
  server.on('clientError', (_error, socket) => {
    sendRawError(socket, { code: 'BAD_REQUEST', message: 'This is no HTTP request, or one that could be read in two ways.' });
  });
  return server;
}

const BLOCKED = {
  code: 'UNAVAILABLE',
  message:
    'Nothing is let through now, because the log of connections cannot be written. The operator has to make room on the disk.',
} as const;

async function serveRequest(options: EgressDoorOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  await options.agent.turn();
  if (response.destroyed) return;
  if (options.book.isBlocked) return sendError(request, response, BLOCKED);
  if (request.url?.startsWith('/') === true) await options.modelApis.serve(options, request, response);
  else await serveHttp(options, request, response);
}

async function tunnel(options: EgressDoorOptions, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  await options.agent.turn();
  if (socket.destroyed) return;
  if (options.book.isBlocked) return sendRawError(socket, BLOCKED);
  await serveConnect(options, request, socket, head);
}
