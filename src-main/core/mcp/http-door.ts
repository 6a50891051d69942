/** MCP over HTTP: Streamable HTTP in both protocol eras on one path, and the older HTTP+SSE pair for clients that know no other. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import type { AuthInfo, Transport } from '@modelcontextprotocol/server';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { SSEServerTransport } from '@modelcontextprotocol/server-legacy/sse';
import { AppError } from '#shared/kernel/errors.ts';
import { APPLICANT_BODY_BYTES } from '#core/http/applicants.ts';
import { MAX_BODY_BYTES, readJson } from '#core/http/body.ts';
import { sendJson } from '#core/http/respond.ts';
import type { BugLog } from '#core/rpc/errors.ts';
import { invalidMessage, parseError } from './json-rpc.ts';
import { HttpSessions } from './http-sessions.ts';
import type { McpServerFactory, McpSession, UnaskedOptions } from './server.ts';
import { serveConnection } from './server.ts';
import { answerAlone, plainToolCall } from './single-answers.ts';

/** How often an idle SSE stream gets a comment, in milliseconds: below the idle limits of common clients and proxies. */
const KEEP_ALIVE_MS = 15_000;

interface SseSession {
  readonly transport: SSEServerTransport;
  readonly session: McpSession;
}

/** What the door needs. */
export interface McpHttpOptions extends UnaskedOptions {
  readonly log: BugLog;
  readonly createServer: McpServerFactory;
  /** Its servers ask clients something while they answer. The product's do not. */
  readonly asksClients?: boolean;
}

/** Serves MCP over HTTP. */
export class McpHttpDoor {
  readonly #options: McpHttpOptions;
  readonly #sessions = new WeakMap<AuthInfo, McpSession>();
  readonly #sse = new Map<string, SseSession>();
  readonly #serve: ReturnType<typeof toNodeHandler>;
  readonly #close: () => Promise<void>;
  readonly #httpSessions: HttpSessions;

  constructor(options: McpHttpOptions) {
    this.#options = options;
    this.#httpSessions = new HttpSessions({
      connect: (transport, session) => this.#connect(transport, session),
      asksClients: options.asksClients,
    });
    const handler = createMcpHandler(
      ({ authInfo }) => {
        const session = authInfo === undefined ? undefined : this.#sessions.get(authInfo);
        if (session === undefined) throw new Error('An MCP request without a session.');
        return options.createServer(session);
      },
      // Rejected requests are answered; what is thrown by a bug is logged by the router.
      { keepAliveMs: KEEP_ALIVE_MS, maxRequestBodySize: MAX_BODY_BYTES },
    );
    this.#serve = toNodeHandler(handler, {
      maxRequestBodySize: MAX_BODY_BYTES,
      onerror: (error) => options.log.error({ err: error }, 'An MCP request failed'),
    });
    // From 2026-07-28 on streams of subscriptions are of no session: all hear it, and look again.
    const changes = options.toolChanges?.registerForAll(() => handler.notify.toolsChanged());
    this.#close = () => {
      changes?.dispose();
      return handler.close();
    };
  }

  /** Answers a request on the Streamable HTTP path. GET and DELETE are for sessions: without one they are answered with 405. */
  async streamable(request: IncomingMessage, response: ServerResponse, session: McpSession): Promise<void> {
    const auth: AuthInfo = { token: '', clientId: session.caller.actor.id, scopes: [] };
    this.#sessions.set(auth, session);
    const isPost = request.method === 'POST';
    if (isPost && isJson(request)) {
      const message = await this.#readMessage(request, response, session);
      if (message === undefined) return;
      if (this.#isOfSession(request, message, session)) return this.#httpSessions.answer(request, response, message, session);
      const call = this.#options.asksClients === true ? undefined : plainToolCall(request, message);
      if (call === undefined) await this.#serve(Object.assign(request, { auth }), response, message);
      else await answerAlone(this.#options.createServer(session), response, call);
      return;
    }
    if (this.#isOfSession(request, undefined, session)) return this.#httpSessions.answer(request, response, undefined, session);
    if (!isPost) response.setHeader('allow', 'POST');
    await this.#serve(Object.assign(request, { auth }), response);
  }

  /** Opens a stream of the older transport. */
  async openStream(request: IncomingMessage, response: ServerResponse, session: McpSession): Promise<void> {
    const transport = new SSEServerTransport('/messages', response);
    this.#sse.set(transport.sessionId, { transport, session });
    const timer = setInterval(() => response.write(': keep-alive\n\n'), KEEP_ALIVE_MS);
    response.on('close', () => {
      clearInterval(timer);
      this.#sse.delete(transport.sessionId);
    });
    request.socket.setNoDelay(true);
    await this.#connect(transport, session);
  }

  /** Takes a message for a stream of the older transport: only from the token that opened it. */
  async postMessage(request: IncomingMessage, response: ServerResponse, url: URL, session: McpSession): Promise<void> {
    const open = this.#sse.get(url.searchParams.get('sessionId') ?? '');
    if (open === undefined)
      throw new AppError('NOT_FOUND', 'There is no such stream. Open one with GET /sse; it names the address to post to.');
    if (open.session.caller.actor.id !== session.caller.actor.id)
      throw new AppError('FORBIDDEN', 'This stream belongs to another token.');
    const message = await this.#readMessage(request, response, session);
    if (message !== undefined) await open.transport.handlePostMessage(request, response, message);
  }

  /** Ends every stream and session. */
  async close(): Promise<void> {
    await this.#close();
    await this.#httpSessions.close();
    for (const { transport } of this.#sse.values()) await transport.close();
  }

  /** Whoever only asks to be let in gets no session: those of all who do would be one caller's. */
  #isOfSession(request: IncomingMessage, message: unknown, { caller }: McpSession): boolean {
    return caller.role !== 'applicant' && this.#httpSessions.isFor(request, message);
  }

  #connect(transport: Transport, session: McpSession): Promise<void> {
    return serveConnection(this.#options.createServer(session), transport, this.#options, session);
  }

  /** The message, or undefined after it was answered with a JSON-RPC error. */
  async #readMessage(request: IncomingMessage, response: ServerResponse, { caller }: McpSession): Promise<unknown> {
    let message: unknown;
    try {
      message = await readJson(request, response, caller.role === 'applicant' ? APPLICANT_BODY_BYTES : MAX_BODY_BYTES);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'BAD_REQUEST') throw error;
      sendJson(response, 400, parseError(error.message));
      return undefined;
    }
    const invalid = invalidMessage(message);
    if (invalid !== undefined) {
      sendJson(response, 400, invalid);
      return undefined;
    }
    return message;
  }
}

function isJson(request: IncomingMessage): boolean {
  return request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() === 'application/json';
}
