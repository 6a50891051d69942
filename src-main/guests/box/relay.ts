/**
 * The relay: three ports on the box's own loopback, each a pipe to one of the gateway's sockets. It understands nothing of what
 * passes. A box has no network; this is all that an agent inside can connect to.
 */
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import type { Disposable } from '#shared/kernel/disposable.ts';

/** One port and the socket behind it. */
export interface RelayRoute {
  /** On 127.0.0.1; 0 is any. */
  readonly port: number;
  /** Path of the Unix socket. */
  readonly socketPath: string;
}

/** What is answered while the gateway is away: a port that speaks HTTP should not just hang up. */
const AWAY = 'The gateway of this box does not answer. It is outside of it; the agent cannot change that.\n';
const AWAY_RESPONSE = [
  'HTTP/1.1 502 Bad Gateway',
  'content-type: text/plain; charset=utf-8',
  `content-length: ${Buffer.byteLength(AWAY)}`,
  'connection: close',
  '',
  AWAY,
].join('\r\n');

/** The relay of a box. */
export class Relay implements Disposable {
  readonly #routes: readonly RelayRoute[];
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(routes: readonly RelayRoute[]) {
    this.#routes = routes;
  }

  /** Listens on all ports; resolves to the ports in the order of the routes. Rejects when one cannot be had. */
  async listen(): Promise<number[]> {
    return Promise.all(this.#routes.map((route) => this.#listenOn(route)));
  }

  /** Ends all connections. */
  dispose(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #listenOn(route: RelayRoute): Promise<number> {
    // Half-open, because a client that has said everything still waits for the answer; paused until the other side is there.
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) =>
      this.#join(client, route.socketPath),
    );
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: '127.0.0.1', port: route.port }, () => {
        server.off('error', reject);
        // A connection that cannot be accepted (too many open files) is refused, and the relay goes on.
        server.on('error', () => undefined);
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : route.port);
      });
    });
  }

  #join(client: Socket, socketPath: string): void {
    const gateway = connect({ path: socketPath, allowHalfOpen: true });
    let isJoined = false;
    for (const socket of [client, gateway]) {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    }
    gateway.once('connect', () => {
      isJoined = true;
      // `pipe` waits for a side that is slow, and passes on that one side has said everything.
      client.pipe(gateway);
      gateway.pipe(client);
    });
    // A side that broke breaks the other: half of something must not look like all of it.
    client.on('error', () => gateway.destroy());
    gateway.on('error', () => {
      if (isJoined) client.resetAndDestroy();
      else refuse(client);
    });
    client.once('close', () => gateway.destroy());
    gateway.once('close', (hadError) => {
      if (isJoined && !hadError) client.destroySoon();
    });
  }
}

/** Answers one who came while the gateway is away, and hangs up without cutting the answer off. */
function refuse(client: Socket): void {
  client.end(AWAY_RESPONSE);
  // What it still says must be read, or the kernel answers with a reset that overtakes the answer.
  client.resume();
  client.setTimeout(5000, () => client.destroy());
}
