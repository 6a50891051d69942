/** A gateway in the test's process with real sockets, a network that the test decides, and what a core and an agent do with it. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders, RequestOptions } from 'node:http';
import { request } from 'node:http';
import type { Server, Socket } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayAgent, GatewayModelApi } from '#shared/gateway/model.ts';
import { CONTROL_SOCKET, CORE_HEADER, GatewayEvent } from '#shared/gateway/model.ts';
import { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import type { Clock } from '../clock.ts';
import { Gateway } from '../gateway.ts';
import type { GatewayLimits } from '../limits.ts';
import type { Network } from '../network.ts';

/** An answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** A network of names and addresses that the test makes up; connections end at servers on the loopback. */
export class TestNetwork implements Network {
  /** Answers for each name, one for each time it is asked; the last one stays. */
  readonly names = new Map<string, string[][]>();
  /** Where `address:port` leads: a port of the loopback. */
  readonly routes = new Map<string, number>();
  readonly asked: string[] = [];
  readonly connected: string[] = [];
  own: string[] = [];
  /** Connections that are never accepted. */
  silent = new Set<string>();

  async resolve(name: string): Promise<readonly string[]> {
    this.asked.push(name);
    const answers = this.names.get(name) ?? [];
    return (answers.length > 1 ? answers.shift() : answers[0]) ?? [];
  }

  connect(address: string, port: number): Socket {
    const target = `${address}:${port}`;
    this.connected.push(target);
    return connect({ host: '127.0.0.1', port: this.routes.get(target) ?? 1 });
  }

  ownAddresses(): readonly string[] {
    return this.own;
  }

  /** A name with one public address that leads to a server. */
  serve(name: string, port: number, server: Server, address = '93.184.216.34'): void {
    this.names.set(name, [[address]]);
    this.routes.set(`${address}:${port}`, portOf(server));
  }
}

/** A gateway, and a core that owns it. */
export class GatewayBench {
  readonly dir: string;
  readonly network = new TestNetwork();
  readonly projectId = ProjectId.parse('prj_01890000-0000-7000-8000-000000000001');
  coreId = 'core-1';
  gateway: Gateway;

  private constructor(dir: string, gateway: Gateway, network: TestNetwork) {
    this.dir = dir;
    this.gateway = gateway;
    this.network = network;
  }

  static async open(limits: Partial<GatewayLimits> = {}, clock?: Clock): Promise<GatewayBench> {
    const dir = mkdtempSync(join(tmpdir(), 'qd-gw-'));
    const network = new TestNetwork();
    const gateway = await Gateway.start({
      socketDir: dir,
      log: join(dir, 'log', 'connections.jsonl'),
      version: '1.2.3',
      network,
      limits: { socketCheckMs: 20, coreProbeMs: 10, ...limits },
      ...(clock === undefined ? {} : { clock }),
    });
    return new GatewayBench(dir, gateway, network);
  }

  async close(): Promise<void> {
    await this.gateway.end('the test is over');
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Gives an order. */
  async order(method: string, path: string, body?: unknown, coreId: string | undefined = this.coreId): Promise<Answer> {
    return await ask(join(this.dir, CONTROL_SOCKET), {
      method,
      path,
      headers: coreId === undefined ? {} : { [CORE_HEADER]: coreId },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** Makes this core the owner. */
  async own(agentUrl = 'http://127.0.0.1:1', startedAt = 1000): Promise<Answer> {
    return await this.order('PUT', '/owner', { coreId: this.coreId, startedAt, agentUrl, word: 'a word only they two know' });
  }

  /** Serves an agent; returns the paths of its sockets. */
  async serve(
    id: string,
    facts: Partial<Pick<GatewayAgent, 'rules' | 'modelApis'>> = {},
  ): Promise<{ agent: string; egress: string }> {
    const socketDir = join(this.dir, id);
    mkdirSync(socketDir, { recursive: true, mode: 0o700 });
    const answer = await this.order('PUT', `/agents/${id}`, {
      id: AgentId.parse(id),
      projectId: this.projectId,
      socketDir,
      owner: null,
      mode: 'deny',
      rules: [],
      modelApis: [],
      ...facts,
    });
    if (answer.status !== 200) throw new Error(answer.text);
    return { agent: join(socketDir, 'agent.sock'), egress: join(socketDir, 'egress.sock') };
  }

  async modelApis(apis: readonly Partial<GatewayModelApi>[]): Promise<Answer> {
    const rest = { header: 'x-api-key', secret: 'THE_SECRET', variable: 'BASE_URL', key: null };
    return await this.order(
      'PUT',
      '/model-apis',
      apis.map((api) => ({ ...rest, ...api })),
    );
  }

  /** Follows the log until `isEnough` says so; returns what there was. */
  async events(isEnough: (events: readonly GatewayEvent[]) => boolean, after = 0): Promise<GatewayEvent[]> {
    return await followEvents(join(this.dir, CONTROL_SOCKET), this.coreId, isEnough, after);
  }
}

/** Reads a gateway's log until `isEnough` says so. */
export async function followEvents(
  socketPath: string,
  coreId: string,
  isEnough: (events: readonly GatewayEvent[]) => boolean,
  after = 0,
): Promise<GatewayEvent[]> {
  return await new Promise<GatewayEvent[]>((resolve, reject) => {
    const events: GatewayEvent[] = [];
    let rest = '';
    const outgoing = request({ socketPath, path: `/events?after=${after}`, headers: { [CORE_HEADER]: coreId } }, (answer) => {
      answer.setEncoding('utf8');
      answer.on('data', (text: string) => {
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        events.push(...lines.map((line) => GatewayEvent.parse(JSON.parse(line))));
        if (!isEnough(events)) return;
        resolve(events);
        outgoing.destroy();
      });
      answer.on('error', () => undefined);
      answer.on('end', () => reject(new Error(`the events ended: ${JSON.stringify(events)} ${rest}`)));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

/** Asks over a Unix socket and reads the whole answer. */
export async function ask(
  socketPath: string,
  { body, ...options }: RequestOptions & { readonly body?: string | Buffer },
): Promise<Answer> {
  return await new Promise<Answer>((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const outgoing = request(
      // No connection of an earlier call: it may lead to a server that is gone from the path.
      {
        ...options,
        socketPath,
        agent: false,
        ...(Array.isArray(options.headers) ? {} : { headers: { ...length, ...options.headers } }),
      },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Sends raw bytes, part by part, each as a segment of its own; resolves with all that came back when the connection ends. */
export async function sendRaw(socketPath: string, ...parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = connect(socketPath);
  socket.setNoDelay(true);
  return await new Promise<string>((resolve) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    const next = (index: number): void => {
      const part = parts[index];
      if (part !== undefined && socket.writable) socket.write(part, () => setImmediate(() => next(index + 1)));
    };
    next(0);
  });
}

/** Opens a tunnel; resolves with the status line's number and the socket behind it. */
export async function openTunnel(
  socketPath: string,
  target: string,
): Promise<{ readonly status: number; readonly text: string; readonly socket: Socket }> {
  return await new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method: 'CONNECT', path: target, headers: { host: target } });
    outgoing.on('error', reject);
    outgoing.on('connect', (answer, socket: Socket, head) => {
      if (answer.statusCode === 200) {
        if (head.length > 0) socket.unshift(head);
        socket.on('error', () => undefined);
        resolve({ status: 200, text: '', socket });
        return;
      }
      let text = head.toString('utf8');
      const settle = (): void => resolve({ status: answer.statusCode ?? 0, text, socket });
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      socket.on('error', () => undefined);
      socket.on('close', settle);
      if (socket.destroyed) settle();
    });
    outgoing.end();
  });
}

/** The port of a server that listens on the loopback. */
export function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('it does not listen');
  return address.port;
}

/** Makes a server listen on any port of the loopback. */
export async function listenAnywhere<T extends Server>(server: T, port = 0): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
