/** For tests: a gateway that does as the test says, on a control socket in this process. What the real one does is tested with it. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { mintId, AgentId, ProjectId } from '#shared/kernel/ids.ts';
import type { EgressConnection } from '#shared/egress/model.ts';
import type { GatewayEvent, GatewayStatus } from '#shared/gateway/model.ts';
import {
  CONTROL_SOCKET,
  CORE_HEADER,
  GATEWAY_PROTOCOL,
  GatewayAgent,
  GatewayModelApi,
  GatewayOwner,
} from '#shared/gateway/model.ts';

/** What a scripted gateway pretends. */
export interface Script {
  readonly version?: string;
  readonly protocol?: number;
  /** Agents that it serves from the start. */
  readonly agents?: readonly string[];
  /** Its log. */
  readonly events?: readonly GatewayEvent[];
}

/** One order that came in. */
export interface SeenOrder {
  readonly method: string;
  readonly path: string;
  readonly coreId: string | undefined;
  readonly body: unknown;
}

/** A gateway that does as it is told. */
export class ScriptedGateway {
  readonly orders: SeenOrder[] = [];
  readonly agents = new Map<string, GatewayAgent | undefined>();
  modelApis: GatewayModelApi[] = [];
  owner: GatewayOwner | undefined;
  /** Answers instead of the usual; undefined lets the usual happen. */
  intercept: ((order: SeenOrder) => { status: number; body?: unknown } | undefined) | undefined;
  /** Whether it is asked and says nothing. */
  isSilent = false;
  isEnded = false;
  readonly events: GatewayEvent[];
  readonly #script: Script;
  readonly #socketPath: string;
  readonly #sockets = new Set<Socket>();
  readonly #streams = new Set<{ coreId: string; response: ServerResponse }>();
  #server: Server | undefined;

  constructor(socketDir: string, script: Script = {}) {
    this.#script = script;
    this.#socketPath = join(socketDir, CONTROL_SOCKET);
    this.events = [...(script.events ?? [])];
    for (const id of script.agents ?? []) this.agents.set(id, undefined);
  }

  /** Listens. */
  async start(): Promise<this> {
    const server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy());
    });
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(this.#socketPath, resolve));
    return this;
  }

  /** Goes away at once, as if killed. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    this.#streams.clear();
    await closed;
  }

  /** Adds to the log; who follows gets it. */
  add(...events: readonly GatewayEvent[]): void {
    this.events.push(...events);
    for (const { response } of this.#streams) for (const event of events) response.write(`${JSON.stringify(event)}\n`);
  }

  /** How many follow the log. */
  get followers(): number {
    return this.#streams.size;
  }

  /** What was asked of one path, for example `PUT /agents/a1`. */
  seen(what: string): SeenOrder[] {
    return this.orders.filter(({ method, path }) => `${method} ${path}` === what);
  }

  status(): GatewayStatus {
    return {
      pid: process.pid,
      version: this.#script.version ?? '1.0.0',
      protocol: this.#script.protocol ?? GATEWAY_PROTOCOL,
      gatewayId: 'scripted',
      startedAt: 1,
      owner: this.owner ? { coreId: this.owner.coreId, startedAt: this.owner.startedAt } : null,
      agents: [...this.agents.keys()].map((id) => AgentId.parse(id)),
      lastEvent: this.events.at(-1)?.n ?? 0,
      waiting: 0,
    };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const coreId = request.headers[CORE_HEADER];
    const order: SeenOrder = {
      method: request.method ?? '',
      path: request.url ?? '',
      coreId: typeof coreId === 'string' ? coreId : undefined,
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
    if (this.isSilent) return;
    if (order.method !== 'GET' || order.path.startsWith('/events')) this.orders.push(order);
    const send = (status: number, body: unknown = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    const answer = this.intercept?.(order);
    if (answer) {
      send(answer.status, answer.body);
      return;
    }
    if (order.path === '/status') {
      send(200, this.status());
      return;
    }
    if (order.path === '/owner') {
      this.#own(GatewayOwner.parse(order.body), send);
      return;
    }
    if (order.coreId === undefined || order.coreId !== this.owner?.coreId) {
      send(409, { message: 'another core gives the orders' });
      return;
    }
    this.#obey(order, response, send);
  }

  #own(owner: GatewayOwner, send: (status: number, body?: unknown) => void): void {
    if (this.owner && this.owner.coreId !== owner.coreId && this.owner.startedAt > owner.startedAt) {
      send(409, { message: `core ${this.owner.coreId} came later` });
      return;
    }
    this.owner = owner;
    for (const stream of this.#streams) {
      if (stream.coreId === owner.coreId) continue;
      stream.response.end();
      this.#streams.delete(stream);
    }
    send(200, this.status());
  }

  #obey(order: SeenOrder, response: ServerResponse, send: (status: number, body?: unknown) => void): void {
    const [, group = '', id = ''] = order.path.split('/');
    if (group === 'agents' && order.method === 'PUT') this.agents.set(id, GatewayAgent.parse(order.body));
    else if (group === 'agents') this.agents.delete(id);
    else if (group === 'model-apis') this.modelApis = GatewayModelApi.array().parse(order.body);
    else if (group === 'shutdown') {
      this.isEnded = true;
      send(200);
      response.once('close', () => void this.stop());
      return;
    } else {
      const after = Number(new URL(order.path, 'http://gateway').searchParams.get('after'));
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.flushHeaders();
      for (const event of this.events) if (event.n > after) response.write(`${JSON.stringify(event)}\n`);
      const stream = { coreId: order.coreId ?? '', response };
      this.#streams.add(stream);
      response.once('close', () => this.#streams.delete(stream));
      return;
    }
    send(200);
  }
}

const PROJECT = ProjectId.parse(mintId('prj'));

/** An entry of a log. */
export function entry(n: number, about: Partial<EgressConnection> = {}, count = 1): GatewayEvent {
  return {
    n,
    count,
    connection: {
      id: n,
      projectId: PROJECT,
      agentId: AgentId.parse('a1'),
      via: 'connect',
      host: 'example.org',
      port: 443,
      protocol: 'tls',
      address: null,
      outcome: 'refused',
      reason: 'no rule allows it',
      at: 1_750_000_000_000 + n,
      durationMs: 0,
      sentBytes: 0,
      receivedBytes: 0,
      ...about,
    },
  };
}
