/**
 * The agent port: the agents' MCP interface in four transports. Only agents' own tokens are accepted, in a header; who comes
 * without any finds `register_agent` and nothing else.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { audienceOf } from '#shared/auth/authorise.ts';
import type { Actor } from '#shared/auth/model.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId } from '#shared/kernel/ids.ts';
import { CORE } from '#core/caller.ts';
import type { McpHttpDoor } from '#core/mcp/http-door.ts';
import type { McpOptions, McpSession } from '#core/mcp/server.ts';
import { createMcpServer, serveConnection } from '#core/mcp/server.ts';
import { SocketTransport } from '#core/mcp/socket-transport.ts';
import type { BugLog } from '#core/rpc/errors.ts';
import type { Refusals } from '#core/rpc/refusals.ts';
import type { Gatekeeper, GatewayGate, Visitor } from './access.ts';
import { Applicants, isApplication } from './applicants.ts';
import { authenticate, callerOf, refusalOfWay, wayOf } from './access.ts';
import { MAX_BODY_BYTES } from './body.ts';
import { sendHttpError, sendMethodError } from './respond.ts';
import { Sockets } from './sockets.ts';
import type { Visits } from './visits.ts';
import type { WebRoutes } from './web-server.ts';

/** What the agent port is made from. */
export interface AgentOptions extends McpOptions {
  readonly gatekeeper: Gatekeeper;
  readonly visits: Visits;
  readonly mcp: McpHttpDoor;
  readonly log: BugLog;
  readonly gate: GatewayGate;
  /** Journals who came a way that is not his. */
  readonly refusals: Refusals;
}

/** Who was let in, and what is to be called when it has left. */
interface Admitted {
  readonly visitor: Visitor;
  readonly leave: () => void;
}

/** Answers the agent port's requests and upgrades. */
export class AgentRoutes implements WebRoutes {
  readonly #options: AgentOptions;
  readonly #applicants = new Applicants();
  readonly sockets: Sockets;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.sockets = new Sockets({ maxPayload: MAX_BODY_BYTES, subprotocol: 'mcp', visits: options.visits });
  }

  async request(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { visitor, leave } = this.#admit(request, url);
    response.once('close', leave);
    const session = sessionOf(visitor, request, url);
    const visit = this.#options.visits.add(visitor, () => response.destroy());
    response.once('close', () => visit.dispose());
    const { mcp } = this.#options;
    if (url.pathname === '/mcp') await mcp.streamable(request, response, session);
    else if (url.pathname === '/sse' && request.method === 'GET') await mcp.openStream(request, response, session);
    else if (url.pathname === '/messages' && request.method === 'POST') await mcp.postMessage(request, response, url, session);
    else if (url.pathname === '/sse' || url.pathname === '/messages')
      sendMethodError(response, request.method, [url.pathname === '/sse' ? 'GET' : 'POST']);
    else if (url.pathname === '/ws')
      sendHttpError(response, 426, 'UPGRADE_REQUIRED', '/ws is a WebSocket: connect to it as one, with subprotocol "mcp".');
    else
      throw new AppError(
        'NOT_FOUND',
        `There is no "${url.pathname.slice(0, 200)}" on the agent port; there are /mcp, /sse, /messages and /ws.`,
      );
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): void {
    if (url.pathname !== '/ws')
      throw new AppError(
        'NOT_FOUND',
        `There is no WebSocket at "${url.pathname.slice(0, 200)}" on the agent port; there is /ws.`,
      );
    const { visitor, leave } = this.#admit(request, url);
    socket.once('close', leave);
    const session = sessionOf(visitor, request, url);
    this.sockets.accept(request, socket, head, visitor, (opened) => {
      serveConnection(createMcpServer(this.#options, session), new SocketTransport(opened), this.#options, session).catch(
        (error: unknown) => this.#options.log.error({ err: error }, 'An MCP socket could not be served'),
      );
    });
  }

  /** Lets agents in, each by its own way: one in a box through the gateway, by its own socket and with its own token. */
  #admit(request: IncomingMessage, url: URL): Admitted {
    const { gate, gatekeeper } = this.#options;
    const way = wayOf(request, gate);
    // Who claims to be the gateway and is not learns nothing about the token he brings.
    if (way.via === 'impostor') throw this.#refuse(CORE.actor, way.reason);
    // Whoever is in a box has a token: without it, it is nobody.
    if (way.via === 'port' && isApplication(request, url)) return this.#applicants.enter(request);
    const visitor = authenticate(request, gatekeeper, { cookie: false, side: 'agent' });
    const { principal } = visitor;
    const refusal = refusalOfWay(way, principal, gate);
    if (refusal !== undefined)
      throw this.#refuse(way.via === 'gateway' ? { kind: 'agent', id: way.agentId } : principal.actor, refusal);
    if (audienceOf(principal.role) === 'agent') return { visitor, leave: this.#heard(principal.agentId) };
    throw new AppError('FORBIDDEN', `This port is for agents; a token with role "${principal.role}" belongs on the main port.`);
  }

  /** Notes that an agent called. */
  #heard(id: AgentId | undefined): () => void {
    if (id !== undefined) this.#options.onAgentCall?.(id)();
    return () => undefined;
  }

  /** Writes down who came a way that is not his. */
  #refuse(actor: Actor, reason: string): AppError {
    const { refusals, log } = this.#options;
    refusals
      .record({ actor, role: 'agent', door: 'agent-mcp' }, 'agent-port', reason)
      .catch((error: unknown) => log.error({ err: error }, 'a refusal could not be recorded'));
    return new AppError('FORBIDDEN', `Refused: ${reason}. Contained agents call through their own socket, with their own token.`);
  }
}

function sessionOf(visitor: Visitor, request: IncomingMessage, url: URL): McpSession {
  // An applicant has one tool in all, and agents do without it.
  const isFull = visitor.principal.role === 'applicant' || url.searchParams.get('tools') === 'full';
  const toolset = isFull ? 'full' : 'core';
  return { caller: callerOf(visitor, 'agent-mcp', request), toolset };
}
