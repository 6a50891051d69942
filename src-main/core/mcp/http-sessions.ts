/**
 * Sessions of Streamable HTTP, as the protocol had them up to 2025-11-25: made by `initialize`, named by a header, with a stream
 * for what the server says unasked. (From 2026-07-28 on there are none.)
 * Invariant: a session answers only the caller who opened it; to everybody else it does not exist.
 *
 * A session ends with the core. Whoever goes on with the id of one of an earlier core is answered without a session, so that an
 * agent that outlives the core need not notice; only unasked messages are missed, which are hints.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import type { Transport } from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { Caller } from '#core/caller.ts';
import { EventLog } from './event-log.ts';
import type { McpSession } from './server.ts';

const HEADER = 'mcp-session-id';
/** Of one caller. The one that was used longest ago makes room. */
const MAX_SESSIONS = 32;
/** Without a request and without an open stream a session ends after this long, in milliseconds. */
const IDLE_MS = 30 * 60_000;
const SWEEP_MS = 60_000;
/** How soon a client whose stream ended should come again, in milliseconds. */
const RETRY_MS = 1_000;

interface OpenSession {
  readonly id: string;
  readonly owner: string;
  readonly transport: NodeStreamableHTTPServerTransport;
  usedAt: number;
  /** Requests that are being answered, streams among them. */
  underWay: number;
}

/** What sessions are made with. */
export interface HttpSessionsOptions {
  /** Joins a session's transport to a server. */
  readonly connect: (transport: Transport, session: McpSession) => Promise<void>;
  /**
   * The server asks its client something, or tells how far it is, while it answers a call: then the answer is a stream. Else it
   * is one piece, of which nothing is sent before it is there, so that a call cut by the end of a core can be made again at once.
   */
  readonly asksClients?: boolean | undefined;
  readonly now?: () => number;
}

/** Who a session belongs to: a caller as its token says. */
function ownerOf({ actor }: Caller): string {
  return `${actor.kind} ${actor.id}`;
}

/** The sessions of all callers of one door. */
export class HttpSessions {
  /** Ids of this core begin so: others are of an earlier one. */
  readonly #prefix = `${randomUUID().slice(0, 8)}-`;
  readonly #sessions = new Map<string, OpenSession>();
  readonly #options: HttpSessionsOptions;
  readonly #now: () => number;
  readonly #sweeper: NodeJS.Timeout;

  constructor(options: HttpSessionsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  /** How many are open. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Whether a request is one of a session, or opens one. */
  isFor(request: IncomingMessage, message: unknown): boolean {
    const id = request.headers[HEADER];
    if (typeof id === 'string') return id.startsWith(this.#prefix);
    return isInitialize(message);
  }

  /** Answers such a request; `message` is its parsed body, if it has one. */
  async answer(request: IncomingMessage, response: ServerResponse, message: unknown, session: McpSession): Promise<void> {
    const id = request.headers[HEADER];
    const open = typeof id === 'string' ? this.#find(id, session) : await this.#open(session);
    if (open === undefined) return sendGone(response);
    open.underWay += 1;
    response.once('close', () => {
      open.underWay -= 1;
      open.usedAt = this.#now();
      if (!response.writableFinished) cancel(open.transport, message);
    });
    await open.transport.handleRequest(request, response, message);
  }

  /** Ends sessions that nobody used for long. A timer does so by itself. */
  sweep(): void {
    const before = this.#now() - IDLE_MS;
    for (const open of this.#sessions.values()) if (open.underWay === 0 && open.usedAt < before) this.#end(open);
  }

  /** Ends every session. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await Promise.all([...this.#sessions.values()].map(({ transport }) => transport.close()));
    this.#sessions.clear();
  }

  #find(id: string, { caller }: McpSession): OpenSession | undefined {
    const open = this.#sessions.get(id);
    return open?.owner === ownerOf(caller) ? open : undefined;
  }

  async #open(session: McpSession): Promise<OpenSession> {
    const owner = ownerOf(session.caller);
    this.#makeRoom(owner);
    const id = `${this.#prefix}${randomUUID()}`;
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      eventStore: new EventLog(),
      retryInterval: RETRY_MS,
      enableJsonResponse: this.#options.asksClients !== true,
    });
    const open = { id, owner, transport, usedAt: this.#now(), underWay: 0 };
    await this.#options.connect(transport, session);
    const { onclose } = transport;
    transport.onclose = () => {
      this.#sessions.delete(id);
      onclose?.();
    };
    this.#sessions.set(id, open);
    return open;
  }

  #makeRoom(owner: string): void {
    const own = [...this.#sessions.values()].filter((open) => open.owner === owner);
    if (own.length < MAX_SESSIONS) return;
    const oldest = own.toSorted((a, b) => a.usedAt - b.usedAt)[0];
    if (oldest !== undefined) this.#end(oldest);
  }

  #end({ id, transport }: OpenSession): void {
    this.#sessions.delete(id);
    transport.close().catch(() => undefined);
  }
}

const ENVELOPE_VERSION = 'io.modelcontextprotocol/protocolVersion';
const Initialize = z.object({
  method: z.literal('initialize'),
  params: z.object({ _meta: z.record(z.string(), z.unknown()).optional() }).optional(),
});

/** Whether it opens a session. A request that says of itself which revision it speaks is of those without sessions. */
function isInitialize(message: unknown): boolean {
  const { success, data } = Initialize.safeParse(message);
  return success && data.params?._meta?.[ENVELOPE_VERSION] === undefined;
}

/**
 * Ends a call whose caller went away. The protocol lets a server go on; a wait for mail that went on would take mail for nobody.
 */
function cancel(transport: Transport, message: unknown): void {
  if (typeof message !== 'object' || message === null || !('id' in message) || !('method' in message)) return;
  const { id } = message;
  if (typeof id !== 'string' && typeof id !== 'number') return;
  transport.onmessage?.({
    jsonrpc: '2.0',
    method: 'notifications/cancelled',
    params: { requestId: id, reason: 'The caller went away.' },
  });
}

/** The answer that tells a client to begin a new session. */
function sendGone(response: ServerResponse): void {
  const error = { code: -32001, message: 'There is no such session. Begin a new one with initialize.' };
  response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
}
