/** The control socket: orders of the core that owns the gateway, as `#shared/gateway/model.ts` says. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import * as z from 'zod';
import { CORE_HEADER, GatewayAgent, GatewayModelApi, GatewayOwner } from '#shared/gateway/model.ts';
import type { GatewayStatus } from '#shared/gateway/model.ts';
import type { ErrorCode } from '#shared/kernel/errors.ts';
import { AppError } from '#shared/kernel/errors.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import { sendError } from './answers.ts';

/** Largest order in bytes: 500 rules of 300 characters fit easily. */
const MAX_ORDER_BYTES = 4_194_304;

/** What the orders are carried out by. */
export interface Orders {
  status(): GatewayStatus;
  /** Fails with CONFLICT while a core that came later owns it. */
  own(owner: GatewayOwner): void;
  /** Fails with CONFLICT when the core of this id does not own it. */
  requireOwner(coreId: string | undefined): void;
  putAgent(agent: GatewayAgent): Promise<void>;
  deleteAgent(id: AgentId): Promise<void>;
  setModelApis(apis: readonly GatewayModelApi[]): void;
  /** The log after `after`, as lines; ends when another core takes over. Fails with CONFLICT when it does not reach that far. */
  follow(after: number, signal: AbortSignal): AsyncIterable<string>;
  shutdown(): void;
}

/** A server for the control socket that does not listen yet. */
export function makeControlServer(orders: Orders): Server {
  const server = createServer({ insecureHTTPParser: false, requestTimeout: 30_000, keepAliveTimeout: 60_000 });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer(orders, request, response).catch((error: unknown) => {
      const known = error instanceof AppError ? error : undefined;
      const code: ErrorCode = known?.code ?? 'INTERNAL';
      // What failed unexpectedly may have been about a key: its message is not repeated.
      sendError(request, response, { code, message: known?.message ?? 'The gateway failed to do this.' });
      if (known === undefined) process.emitWarning(error instanceof Error ? error : 'an order failed');
    });
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  return server;
}

async function answer(orders: Orders, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://gateway');
  const order = `${request.method} ${url.pathname}`;
  if (order === 'GET /status') return send(response, orders.status());
  if (order === 'PUT /owner') {
    orders.own(await readOrder(request, GatewayOwner));
    return send(response, orders.status());
  }
  const core = request.headers[CORE_HEADER];
  orders.requireOwner(typeof core === 'string' ? core : undefined);
  const id = /^\/agents\/([^/]+)$/.exec(url.pathname)?.[1];
  if (id !== undefined && request.method === 'PUT') {
    const agent = await readOrder(request, GatewayAgent);
    if (agent.id !== decodeURIComponent(id))
      throw new AppError('BAD_REQUEST', `The order is for agent "${id}", its body for "${agent.id}".`);
    await orders.putAgent(agent);
    return send(response, {});
  }
  if (id !== undefined && request.method === 'DELETE') {
    await orders.deleteAgent(parse(AgentId, decodeURIComponent(id)));
    return send(response, {});
  }
  if (order === 'PUT /model-apis') {
    orders.setModelApis(await readOrder(request, z.array(GatewayModelApi)));
    return send(response, {});
  }
  if (order === 'GET /events') {
    const after = parse(z.coerce.number().int().min(0), url.searchParams.get('after') ?? '0');
    return await stream(orders, after, response);
  }
  if (order === 'POST /shutdown') {
    send(response, {});
    response.once('close', () => orders.shutdown());
    return;
  }
  throw new AppError('NOT_FOUND', `The gateway knows no order "${order}".`);
}

async function stream(orders: Orders, after: number, response: ServerResponse): Promise<void> {
  const ended = new AbortController();
  response.once('close', () => ended.abort());
  const lines = orders.follow(after, ended.signal);
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  response.flushHeaders();
  for await (const text of lines) {
    if (response.destroyed) return;
    // A reader that takes nothing is waited for here, and holds up nobody else.
    if (!response.write(text)) await drained(response, ended.signal);
  }
  response.end();
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      response.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    response.once('drain', done);
    signal.addEventListener('abort', done);
  });
}

function send(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function readOrder<T extends z.ZodType>(request: IncomingMessage, schema: T): Promise<z.output<T>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    if (!(chunk instanceof Buffer)) continue;
    size += chunk.length;
    if (size > MAX_ORDER_BYTES) throw new AppError('PAYLOAD_TOO_LARGE', `An order has at most ${MAX_ORDER_BYTES} bytes.`);
    chunks.push(chunk);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    // Without what the parser says: it repeats a part of the text, which may hold a key.
    throw new AppError('BAD_REQUEST', 'The order is not valid JSON.');
  }
  return parse(schema, value);
}

function parse<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, 5).map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`);
  throw new AppError('BAD_REQUEST', `The order is not valid: ${issues.join('; ')}.`);
}
