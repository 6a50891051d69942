/** The main port: the window, REST, the contract over WebSocket, terminals, management MCP. Agents' tokens are refused here. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Registry } from 'prom-client';
import type { WebSocket } from 'ws';
import { audienceOf } from '#shared/auth/authorise.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { Caller } from '#core/caller.ts';
import type { McpHttpDoor } from '#core/mcp/http-door.ts';
import type { McpOptions, McpSession } from '#core/mcp/server.ts';
import { createMcpServer, serveConnection } from '#core/mcp/server.ts';
import { SocketTransport } from '#core/mcp/socket-transport.ts';
import type { BugLog } from '#core/rpc/errors.ts';
import { isWireError } from '#core/rpc/errors.ts';
import type { Refusals } from '#core/rpc/refusals.ts';
import type { Rpc } from '#core/rpc/router.ts';
import type { Gatekeeper, Visitor } from './access.ts';
import { authenticate, callerOf, doorOf } from './access.ts';
import { AgentFlowDoor } from './agentflow.ts';
import type { AttachmentFiles } from './attachment-door.ts';
import { AttachmentDoor } from './attachment-door.ts';
import { MAX_BODY_BYTES } from './body.ts';
import { DOCS_FILES } from './docs-page.ts';
import { EXPORT_PATH, serveExport } from './export-door.ts';
import { requireSameOrigin } from './hosts.ts';
import { LoginDoor } from './login.ts';
import { OpenApiDocument } from './openapi.ts';
import { sendError, sendHttpError, sendJson, sendMethodError } from './respond.ts';
import { API_PREFIX, RestDoor } from './rest.ts';
import { RpcSockets } from './rpc-socket.ts';
import { Sockets } from './sockets.ts';
import { StaticFiles } from './static-files.ts';
import type { Visits } from './visits.ts';
import type { WebRoutes } from './web-server.ts';

/** What the main port is made from. */
export interface MainOptions extends McpOptions {
  readonly rpc: Rpc;
  readonly gatekeeper: Gatekeeper;
  readonly visits: Visits;
  readonly mcp: McpHttpDoor;
  readonly metrics: Registry;
  readonly rendererDir: string | undefined;
  readonly log: BugLog;
  readonly refusals: Refusals;
  /** What keeps the files that go with messages. */
  readonly attachments: AttachmentFiles | undefined;
  /** Takes over a socket of a terminal viewer. */
  readonly onTerminalSocket: (socket: WebSocket, caller: Caller, url: URL) => void;
}

/** Paths that are WebSockets only. */
const SOCKET_PATHS: ReadonlySet<string> = new Set(['/rpc', '/terminals', '/mcp/ws']);

/** Answers the main port's requests and upgrades. */
export class MainRoutes implements WebRoutes {
  readonly #options: MainOptions;
  readonly #rest: RestDoor;
  readonly #agentFlow: AgentFlowDoor;
  readonly #attachments: AttachmentDoor | undefined;
  readonly #login: LoginDoor;
  readonly #openApi: OpenApiDocument;
  readonly #files: StaticFiles;
  readonly #rpcSockets: RpcSockets;
  /** Every socket of this port, by what is spoken on it. */
  readonly sockets: { readonly plain: Sockets; readonly mcp: Sockets };

  constructor(options: MainOptions) {
    this.#options = options;
    this.#rest = new RestDoor(options.rpc);
    this.#agentFlow = new AgentFlowDoor(options.rpc);
    this.#attachments = options.attachments && new AttachmentDoor(options.attachments);
    this.#login = new LoginDoor(options.gatekeeper);
    this.#openApi = new OpenApiDocument(options.version);
    this.#files = new StaticFiles(options.rendererDir);
    this.#rpcSockets = new RpcSockets(options.rpc.router);
    const { visits } = options;
    this.sockets = {
      plain: new Sockets({ maxPayload: MAX_BODY_BYTES, visits }),
      mcp: new Sockets({ maxPayload: MAX_BODY_BYTES, subprotocol: 'mcp', visits, goesByRole: true }),
    };
  }

  async request(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const path = url.pathname;
    if (path === '/mcp') await this.#serveMcp(request, response, url);
    else if (SOCKET_PATHS.has(path))
      sendHttpError(response, 426, 'UPGRADE_REQUIRED', `${path} is a WebSocket: connect to it as one.`);
    else if (path === '/login' && request.method === 'POST') await this.#login.serve(request, response);
    else if (path === '/metrics') await this.#serveMetrics(request, response);
    else if (path === '/api' || path.startsWith('/api/')) await this.#serveApi(request, response, url);
    else if (path.startsWith('/hooks/')) sendError(response, new AppError('NOT_FOUND', 'This version takes no webhooks.'));
    else if (request.method === 'GET' || request.method === 'HEAD') await this.#files.serve(request, response, path);
    else sendMethodError(response, request.method, ['GET', 'HEAD']);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): void {
    if (!SOCKET_PATHS.has(url.pathname))
      throw new AppError('NOT_FOUND', `There is no WebSocket at "${url.pathname.slice(0, 200)}".`);
    if (url.pathname === '/mcp/ws') {
      const visitor = this.#admit(request, { cookie: false });
      this.sockets.mcp.accept(request, socket, head, visitor, (opened) =>
        this.#openMcp(opened, this.#sessionOf(visitor, request, url)),
      );
      return;
    }
    const visitor = this.#admit(request, { cookie: true });
    if (visitor.isBrowser) requireSameOrigin(request);
    const caller = callerOf(visitor, doorOf(visitor, request), request);
    this.sockets.plain.accept(request, socket, head, visitor, (opened) => {
      if (url.pathname === '/terminals') this.#options.onTerminalSocket(opened, caller, url);
      else
        this.#rpcSockets
          .serve(opened, caller)
          .catch((error: unknown) => this.#options.log.error({ err: error }, 'A socket could not be served'));
    });
  }

  async #serveApi(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const path = url.pathname;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    const file = DOCS_FILES.get(path);
    if (file !== undefined || path === '/api/openapi.json' || path === '/api/health') {
      if (!isRead) sendMethodError(response, request.method, ['GET', 'HEAD']);
      else if (file !== undefined) sendText(response, file.type, file.text);
      else if (path === '/api/health') sendJson(response, 200, { status: 'ok', version: this.#options.version });
      else sendText(response, 'application/json', await this.#openApi.text());
      return;
    }
    const visitor = this.#admit(request, { cookie: true });
    if (visitor.isBrowser && !isRead) requireSameOrigin(request);
    const visit = this.#options.visits.add(visitor, () => response.destroy());
    response.once('close', () => visit.dispose());
    const caller = callerOf(visitor, doorOf(visitor, request), request);
    if (this.#attachments?.knows(request, url)) await this.#attachments.serve(request, response, url, caller);
    else if (path === EXPORT_PATH) await serveExport(this.#options.rpc, request, response, url, caller);
    else if (path === API_PREFIX || path.startsWith(`${API_PREFIX}/`)) await this.#rest.serve(request, response, url, caller);
    else if (path === '/api/stats') await this.#serveStats(request, response, caller);
    else if (this.#agentFlow.knows(path)) await this.#agentFlow.serve(request, response, url, caller);
    else throw new AppError('NOT_FOUND', `There is no "${path.slice(0, 200)}". GET /api/openapi.json lists what there is.`);
  }

  async #serveStats(request: IncomingMessage, response: ServerResponse, caller: Caller): Promise<void> {
    if (request.method !== 'GET') {
      sendMethodError(response, request.method, ['GET']);
      return;
    }
    try {
      sendJson(response, 200, await this.#options.rpc.invoke('system.stats', {}, caller));
    } catch (error) {
      if (!isWireError(error)) throw error;
      sendJson(response, error.status, error.toJSON());
    }
  }

  async #serveMetrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#admit(request, { cookie: true });
    if (request.method !== 'GET') sendMethodError(response, request.method, ['GET']);
    else sendText(response, this.#options.metrics.contentType, await this.#options.metrics.metrics());
  }

  async #serveMcp(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const visitor = this.#admit(request, { cookie: false });
    const visit = this.#options.visits.add(visitor, () => response.destroy(), true);
    response.once('close', () => visit.dispose());
    await this.#options.mcp.streamable(request, response, this.#sessionOf(visitor, request, url));
  }

  #openMcp(socket: WebSocket, session: McpSession): void {
    serveConnection(createMcpServer(this.#options, session), new SocketTransport(socket), this.#options, session).catch(
      (error: unknown) => this.#options.log.error({ err: error }, 'An MCP socket could not be served'),
    );
  }

  /** A session that goes by the role that its token has at the moment: it stays when that changes. */
  #sessionOf(visitor: Visitor, request: IncomingMessage, url: URL): McpSession {
    const { gatekeeper } = this.#options;
    const { tokenId } = visitor.principal;
    return {
      get caller() {
        const principal = gatekeeper.principalOf(visitor.secret) ?? visitor.principal;
        return callerOf({ ...visitor, principal }, 'mcp', request);
      },
      tokenId: tokenId ?? undefined,
      toolset: url.searchParams.get('tools') === 'full' ? 'full' : 'core',
    };
  }

  /** Lets in whoever manages. */
  #admit(request: IncomingMessage, allow: { readonly cookie: boolean }): Visitor {
    const visitor = authenticate(request, this.#options.gatekeeper, { ...allow, side: 'manage' });
    const { role, actor } = visitor.principal;
    if (audienceOf(role) === 'manage') return visitor;
    const { refusals, log } = this.#options;
    refusals
      .record({ actor, role, door: doorOf(visitor, request) }, 'main-port', "an agent's token was used on the operator's port")
      .catch((error: unknown) => log.error({ err: error }, 'A refusal could not be recorded'));
    throw new AppError('FORBIDDEN', "This is an agent's token: it is accepted on the agent port only (QUARTERDECK_AGENT_URL).");
  }
}

function sendText(response: ServerResponse, type: string, text: string): void {
  response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
