/** The core that owns the gateway, and whether its agent port can be reached. */
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { GatewayOwner } from '#shared/gateway/model.ts';

/** How long a port on this machine may take to accept a connection, in milliseconds. */
const CONNECT_MS = 2000;

/** A connection to the agent port of a core. */
export interface CoreConnection {
  readonly owner: GatewayOwner;
  /** Host and port, as in the Host header. */
  readonly host: string;
  readonly socket: Socket;
}

/** Knows the owner, and connects to it. */
export class CoreLink {
  readonly #probeMs: number;
  #owner: GatewayOwner | undefined;
  #waiters = new Set<() => void>();
  #probe: NodeJS.Timeout | undefined;
  #isProbing = false;
  /** Ends what was connected to an owner when another one comes. */
  #term = new AbortController();
  /** Streams on which the owner listens: they end with its process. */
  #holds = 0;
  /**
   * The owner listened and does not any more, so it is dead. The next one may have the same port already, and would be spoken
   * to with the word of this one: nobody is connected to before an owner has come.
   */
  #isOwnerGone = false;
  /** Calls that wait for a core now. */
  waiting = 0;

  constructor(probeMs: number) {
    this.#probeMs = probeMs;
  }

  get owner(): GatewayOwner | undefined {
    return this.#owner;
  }

  /** Aborted when another core takes over: what is connected to this one has to end. */
  get term(): AbortSignal {
    return this.#term.signal;
  }

  /** Whether an agent port can be meant by this text. */
  static isAgentUrl(text: string): boolean {
    const url = URL.parse(text);
    return url !== null && url.protocol === 'http:' && url.hostname !== '' && url.username === '' && url.password === '';
  }

  /** Takes a new owner, or the same again; waiting calls try it at once. */
  own(owner: GatewayOwner): void {
    const isAnother = this.#owner !== undefined && this.#owner.coreId !== owner.coreId;
    this.#owner = owner;
    this.#isOwnerGone = false;
    if (isAnother) {
      this.#holds = 0;
      this.#term.abort(new Error('Another core took over; call again.'));
      this.#term = new AbortController();
    }
    this.#wake();
  }

  /** The owner listens to what happens, until this is let go of. Undefined without an owner. */
  hold(): Disposable | undefined {
    const owner = this.#owner;
    if (owner === undefined) return undefined;
    this.#holds += 1;
    this.#isOwnerGone = false;
    this.#wake();
    return {
      dispose: () => {
        if (this.#owner?.coreId !== owner.coreId) return;
        this.#holds -= 1;
        if (this.#holds === 0) this.#isOwnerGone = true;
      },
    };
  }

  /** Connects to the core's agent port; waits for one at most `waitMs` (0: not at all). Undefined when there is none. */
  async reach(waitMs: number, signal: AbortSignal): Promise<CoreConnection | undefined> {
    const first = await this.#tryNow();
    if (first !== undefined || waitMs <= 0) return first;
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(waitMs)]);
    this.waiting += 1;
    try {
      while (!deadline.aborted) {
        await this.#untilWoken(deadline);
        if (deadline.aborted) return undefined;
        const connection = await this.#tryNow();
        if (connection !== undefined) return connection;
      }
      return undefined;
    } finally {
      this.waiting -= 1;
    }
  }

  /** Lets all who wait go. */
  dispose(): void {
    clearTimeout(this.#probe);
    this.#term.abort(new Error('The gateway is ending.'));
    this.#wake();
  }

  async #tryNow(): Promise<CoreConnection | undefined> {
    const owner = this.#owner;
    if (owner === undefined || this.#isOwnerGone) return undefined;
    const url = new URL(owner.agentUrl);
    const socket = await tryConnect(url);
    return socket === undefined ? undefined : { owner, host: url.host, socket };
  }

  async #untilWoken(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.#waiters.delete(wake);
        resolve();
      };
      this.#waiters.add(wake);
      signal.addEventListener('abort', wake);
      this.#startProbe();
    });
  }

  /** One probe for all who wait, however many they are. */
  #startProbe(): void {
    if (this.#isProbing || this.#waiters.size === 0) return;
    this.#isProbing = true;
    this.#probe = setTimeout(() => {
      this.#tryNow()
        .then((connection) => {
          this.#isProbing = false;
          connection?.socket.destroy();
          if (connection === undefined) this.#startProbe();
          else this.#wake();
        })
        .catch(() => (this.#isProbing = false));
    }, this.#probeMs);
  }

  #wake(): void {
    for (const wake of [...this.#waiters]) wake();
  }
}

async function tryConnect(url: URL): Promise<Socket | undefined> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return await new Promise<Socket | undefined>((resolve) => {
    const socket = connect({ host, port: Number(url.port || 80), noDelay: true });
    const settle = (result: Socket | undefined): void => {
      clearTimeout(timer);
      if (result === undefined) socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => settle(undefined), CONNECT_MS);
    // Stays: an error may come before somebody else listens.
    socket.on('error', () => settle(undefined));
    socket.once('connect', () => settle(socket));
  });
}
