/** One agent that is served: what holds for it now, and what of it is open. */
import type { Socket } from 'node:net';
import type { GatewayAgent } from '#shared/gateway/model.ts';
import type { GatewayLimits } from './limits.ts';
import type { AgentRule } from './rules.ts';
import { readRules } from './rules.ts';

/** A connection of the agent to the outside, as far as a change of its rules concerns it. */
export interface OpenConnection {
  /** Whether it would be let through now. */
  readonly isAllowed: () => boolean;
  /** Ends it and says why. */
  readonly end: (reason: string) => void;
}

/** One agent that is served. */
export class ServedAgent {
  #config: GatewayAgent;
  #rules: readonly AgentRule[];
  readonly #connections = new Set<OpenConnection>();
  readonly #sockets = new Set<Socket>();
  readonly #ended = new AbortController();
  readonly #pace: Pace;

  constructor(config: GatewayAgent, limits: GatewayLimits) {
    this.#config = config;
    this.#rules = readRules(config.rules);
    this.#pace = new Pace(limits.requestsPerSecond, limits.burst);
  }

  /** What the core said last. */
  get config(): GatewayAgent {
    return this.#config;
  }

  get rules(): readonly AgentRule[] {
    return this.#rules;
  }

  /** Aborted when the agent is no longer served. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /** Takes what holds from now on, and ends what it does not allow. */
  change(config: GatewayAgent): void {
    this.#config = config;
    this.#rules = readRules(config.rules);
    this.review();
  }

  /** Ends every connection that is not allowed any more. */
  review(): void {
    for (const connection of this.#connections) {
      if (!connection.isAllowed()) connection.end('no rule allows it any more');
    }
  }

  /** Takes note of a connection outside; call what is returned when it is over. */
  add(connection: OpenConnection): () => void {
    this.#connections.add(connection);
    return () => this.#connections.delete(connection);
  }

  /** Takes note of a connection on one of its sockets. */
  track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
  }

  /** Resolves when the agent may begin one more request: at once, but for those that begin very many. */
  async turn(): Promise<void> {
    await this.#pace.turn();
  }

  /** Ends everything of it. */
  end(): void {
    this.#ended.abort(new Error('This agent is no longer served.'));
    for (const connection of this.#connections) connection.end('the agent is no longer served');
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** So many turns in a second, and `burst` at once after a rest; who asks for more waits until it is its turn. */
class Pace {
  readonly #perSecond: number;
  readonly #burst: number;
  /** When the next turn is free, on the clock of `performance`, in milliseconds; may be in the past by a burst. */
  #nextAt = 0;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  async turn(): Promise<void> {
    const interval = 1000 / this.#perSecond;
    const now = performance.now();
    this.#nextAt = Math.max(this.#nextAt, now - this.#burst * interval) + interval;
    const wait = this.#nextAt - now;
    if (wait > 0) await new Promise<void>((resolve) => setTimeout(resolve, wait));
  }
}
