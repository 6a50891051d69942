/**
 * What both servers have in common: limits, the check of Host and Origin on every request and upgrade, one form of error,
 * and an end that takes at most `END_MS`.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { AppError } from '#shared/kernel/errors.ts';
import { endingError } from '#core/rpc/calls.ts';
import type { BugLog } from '#core/rpc/errors.ts';
import { refuseQueryTokens } from './access.ts';
import { HostRule } from './hosts.ts';
import { refuseUpgrade, sendError, setCommonHeaders } from './respond.ts';

/** Times and sizes that keep slow or greedy clients from holding the server. Times in milliseconds, sizes in bytes. */
export interface WebLimits {
  /** Until the headers of a request must be there. */
  readonly headersMs: number;
  /** Until a whole request must be there. */
  readonly requestMs: number;
  /** How long an idle connection is kept. */
  readonly keepAliveMs: number;
  /** How often the first two are looked at. */
  readonly checkMs: number;
  readonly headerBytes: number;
  /** Connections open at once. */
  readonly connections: number;
}

/** Generous for programs on the same machine, short for anything that stalls. */
export const DEFAULT_LIMITS: WebLimits = {
  headersMs: 10_000,
  requestMs: 30_000,
  keepAliveMs: 30_000,
  checkMs: 2_000,
  headerBytes: 16_384,
  connections: 4_096,
};

/** The longest the end of a server takes, in milliseconds: 2 s, less some room for the rest of the core. */
const END_MS = 1_500;

/** Answers requests and upgrades that passed the checks. */
export interface WebRoutes {
  request(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void>;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, url: URL): void;
}

/** One HTTP server. */
export class WebServer {
  readonly server: Server;
  readonly #routes: WebRoutes;
  readonly #log: BugLog;
  readonly #allowedHosts: readonly string[];
  readonly #connections = new Set<Socket>();
  /** Those with a request under way. */
  readonly #busy = new Set<Socket>();
  #hosts: HostRule | undefined;
  #isEnding = false;

  constructor(options: {
    readonly routes: WebRoutes;
    readonly log: BugLog;
    readonly limits: WebLimits;
    readonly allowedHosts: readonly string[];
  }) {
    const { limits } = options;
    this.#routes = options.routes;
    this.#log = options.log;
    this.#allowedHosts = options.allowedHosts;
    this.server = createServer({
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: limits.checkMs,
      maxHeaderSize: limits.headerBytes,
      noDelay: true,
      // Some clients offer HTTP/2 with every request ("Upgrade: h2c", Java's among them). An offer that is not taken up is an
      // ordinary request (RFC 9110 section 7.8).
      shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
    });
    this.server.maxConnections = limits.connections;
    this.server.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
    this.server.on('request', (request, response) => {
      this.#busy.add(request.socket);
      response.once('close', () => this.#busy.delete(request.socket));
      this.#answer(request, response).catch((error: unknown) => {
        this.#log.error({ err: error, path: request.url?.split('?')[0] }, 'A request failed unexpectedly');
        response.destroy();
      });
    });
    this.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => answerBrokenRequest(error, socket));
  }

  /** States the port, once it is known: the names in Host and Origin follow from it. */
  openAt(port: number): void {
    this.#hosts = new HostRule(port, this.#allowedHosts);
  }

  /** Refuses what is new. What is under way may end. */
  stopAccepting(): void {
    this.#isEnding = true;
    this.server.close();
    this.#dropIdle();
  }

  /** Waits for the requests under way, at most `END_MS`, then drops them too. */
  async close(): Promise<void> {
    if (!this.server.listening && !this.#isEnding) return;
    this.stopAccepting();
    const deadline = performance.now() + END_MS;
    while (this.#busy.size > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    for (const socket of this.#connections) socket.destroy();
  }

  #dropIdle(): void {
    for (const socket of this.#connections) if (!this.#busy.has(socket)) socket.destroy();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    setCommonHeaders(request, response);
    try {
      if (this.#isEnding) {
        response.setHeader('connection', 'close');
        throw endingError();
      }
      await this.#routes.request(request, response, this.#check(request));
    } catch (error) {
      if (response.destroyed) return;
      if (error instanceof AppError) sendError(response, error);
      else {
        this.#log.error({ err: error, path: request.url?.split('?')[0] }, 'A request failed unexpectedly');
        sendError(
          response,
          new AppError('INTERNAL', 'Quarterdeck failed at this request. This is a bug; the log of the core holds the details.'),
        );
      }
    }
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    // From here on it is a WebSocket's, and closed with those.
    this.#connections.delete(request.socket);
    try {
      if (this.#isEnding) throw endingError();
      this.#routes.upgrade(request, socket, head, this.#check(request));
    } catch (error) {
      if (!(error instanceof AppError))
        this.#log.error({ err: error, path: request.url?.split('?')[0] }, 'An upgrade failed unexpectedly');
      refuseUpgrade(socket, error instanceof AppError ? error : new AppError('INTERNAL', 'Quarterdeck failed at this request.'));
    }
  }

  /** What every request and upgrade must pass. Returns its address. */
  #check(request: IncomingMessage): URL {
    const hosts = this.#hosts;
    if (hosts === undefined) throw new AppError('UNAVAILABLE', 'Quarterdeck is starting. Try again in a moment.');
    refuseRepeated(request);
    hosts.check(request);
    const target = request.url ?? '/';
    if (!target.startsWith('/') || !URL.canParse(target, 'http://localhost'))
      throw new AppError('BAD_REQUEST', 'The address of this request is not valid.');
    const url = new URL(`http://localhost${target}`);
    refuseQueryTokens(url);
    return url;
  }
}

/** Headers that say who calls and from where. Of one that comes twice Node takes the first, and something in front might take the other. */
const SINGLE_HEADERS = ['host', 'origin', 'authorization'];

/** Fails when one of those headers comes more than once (RFC 9112 section 3.2 for Host). */
function refuseRepeated(request: IncomingMessage): void {
  const repeated = SINGLE_HEADERS.find((name) => (request.headersDistinct[name]?.length ?? 0) > 1);
  if (repeated !== undefined) throw new AppError('BAD_REQUEST', `The header "${repeated}" may come only once.`);
}

/** Answers what could not be read as a request at all. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, code, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'BAD_REQUEST', 'The headers of this request are too large.']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'TIMEOUT', 'The request took too long to arrive.']
        : ['400 Bad Request', 'BAD_REQUEST', 'This is not a valid HTTP request.'];
  const body = JSON.stringify({ code, message });
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
