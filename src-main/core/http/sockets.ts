/** WebSockets of one server: accepts upgrades, keeps them alive, and closes them when their token or the core ends. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { Visitor } from './access.ts';
import type { Visits } from './visits.ts';

/** How often a socket is asked whether it lives, in milliseconds; one that missed an answer is dropped. */
const PING_MS = 30_000;
/** "Policy violation" and "service restart", RFC 6455 section 7.4.1 and the IANA registry of close codes. */
const CLOSE_REVOKED = 1008;
const CLOSE_ENDING = 1012;

/** What sockets are accepted with. */
export interface SocketOptions {
  readonly maxPayload: number;
  /** The one subprotocol that is spoken; a client that offers others only is refused by the handshake's own rules. */
  readonly subprotocol?: string;
  readonly visits: Visits;
  /** What is spoken asks for the caller's role at each call: sockets stay open when it changes. */
  readonly goesByRole?: boolean;
}

/** The sockets of one kind. */
export class Sockets {
  readonly #server: WebSocketServer;
  readonly #visits: Visits;
  readonly #goesByRole: boolean;
  readonly #alive = new WeakSet<WebSocket>();
  readonly #timer: NodeJS.Timeout;

  constructor({ maxPayload, subprotocol, visits, goesByRole = false }: SocketOptions) {
    this.#visits = visits;
    this.#goesByRole = goesByRole;
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: true,
      perMessageDeflate: false,
      maxPayload,
      handleProtocols: (offered) => (subprotocol !== undefined && offered.has(subprotocol) ? subprotocol : false),
    });
    this.#timer = setInterval(() => this.#ping(), PING_MS);
    this.#timer.unref();
  }

  /** How many are open. */
  get size(): number {
    return this.#server.clients.size;
  }

  /** Completes an upgrade for a visitor that was let in. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, visitor: Visitor, onOpen: (socket: WebSocket) => void): void {
    request.socket.setNoDelay(true);
    this.#server.handleUpgrade(request, socket, head, (opened) => {
      this.#alive.add(opened);
      opened.on('pong', () => this.#alive.add(opened));
      // A broken peer is closed by ws itself; without a listener its error would end the process.
      opened.on('error', () => undefined);
      const goodbye = (): void => opened.close(CLOSE_REVOKED, 'the token is no longer valid, or has another role now');
      const visit = this.#visits.add(visitor, goodbye, this.#goesByRole);
      opened.on('close', () => visit.dispose());
      onOpen(opened);
    });
  }

  /** Says goodbye to all. */
  closeAll(): void {
    clearInterval(this.#timer);
    for (const socket of this.#server.clients) socket.close(CLOSE_ENDING, 'Quarterdeck is ending; connect again in a moment');
  }

  /** Drops those that did not say goodbye. */
  dropAll(): void {
    for (const socket of this.#server.clients) socket.terminate();
    this.#server.close();
  }

  #ping(): void {
    for (const socket of this.#server.clients) {
      if (!this.#alive.has(socket)) {
        socket.terminate();
        continue;
      }
      this.#alive.delete(socket);
      socket.ping();
    }
  }
}
