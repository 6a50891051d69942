/**
 * What the gateway is to hold, and how much of it was told: agents, and the model APIs. Pure: says what to tell next.
 * Invariant: an order that was overtaken by a later wish counts as told only when that one is.
 */
import type { GatewayAgent } from '#shared/gateway/model.ts';
import type { AgentId } from '#shared/kernel/ids.ts';

/** The next thing to tell. */
export type GatewayOrder = { readonly round: number } & (
  | { readonly kind: 'model-apis'; readonly version: number }
  | { readonly kind: 'put'; readonly agent: GatewayAgent; readonly version: number }
  | { readonly kind: 'remove'; readonly id: AgentId }
);

/** What became of a wish. */
export type Outcome = 'told' | 'too-late' | 'given-up' | { readonly problem: string };

interface Wish {
  readonly agent: GatewayAgent;
  readonly version: number;
  state: 'new' | 'told' | 'refused';
}

interface Waiter {
  readonly id: AgentId;
  readonly version: number;
  readonly settle: (outcome: Outcome) => void;
}

/** Keeps wishes. */
export class WantedAgents {
  readonly #agents = new Map<AgentId, Wish>();
  readonly #removals = new Set<AgentId>();
  /** What the gateway holds and nobody asked for yet: agents of an earlier core that run. */
  readonly #strays = new Set<AgentId>();
  readonly #waiters = new Set<Waiter>();
  #version = 0;
  /** Counts connections: what an earlier one answers late tells nothing about this one. */
  #round = 0;
  #modelApis = { version: 0, told: -1 };

  /** How many agents are to be served. */
  get size(): number {
    return this.#agents.size;
  }

  /** Whether the gateway serves agents that this core did not come to adopt. */
  get hasStrays(): boolean {
    return this.#strays.size > 0;
  }

  all(): readonly GatewayAgent[] {
    return [...this.#agents.values()].map((wish) => wish.agent);
  }

  get(id: AgentId): GatewayAgent | undefined {
    return this.#agents.get(id)?.agent;
  }

  /** Whether the last wish for an agent was told. */
  isTold(id: AgentId): boolean {
    return this.#agents.get(id)?.state === 'told';
  }

  put(agent: GatewayAgent): void {
    this.#removals.delete(agent.id);
    this.#strays.delete(agent.id);
    this.#agents.set(agent.id, { agent, version: ++this.#version, state: 'new' });
  }

  /** False when it was not wanted, and the gateway does not hold it either. */
  drop(id: AgentId): boolean {
    const isStray = this.#strays.delete(id);
    if (!this.#agents.delete(id) && !isStray) return false;
    this.#removals.add(id);
    for (const waiter of this.#waiters) if (waiter.id === id) waiter.settle({ problem: 'the agent ended meanwhile' });
    return true;
  }

  /** The model APIs changed. */
  touchModelApis(): void {
    this.#modelApis.version += 1;
  }

  /** A new connection: everything is told again, and what the gateway holds beyond it goes, unless it belongs to a running agent. */
  tellAllAgain(held: readonly AgentId[], isRunning: (id: AgentId) => boolean): void {
    this.#round += 1;
    this.#modelApis.told = -1;
    for (const wish of this.#agents.values()) wish.state = 'new';
    for (const id of this.#removals) if (!held.includes(id)) this.#removals.delete(id);
    this.#strays.clear();
    for (const id of held)
      if (!this.#agents.has(id) && !this.#removals.has(id)) (isRunning(id) ? this.#strays : this.#removals).add(id);
  }

  /** What to tell next: the model APIs before the agents that use them. */
  next(): GatewayOrder | undefined {
    const round = this.#round;
    if (this.#modelApis.told !== this.#modelApis.version) return { kind: 'model-apis', version: this.#modelApis.version, round };
    for (const id of this.#removals) return { kind: 'remove', id, round };
    for (const { agent, version, state } of this.#agents.values())
      if (state === 'new') return { kind: 'put', agent, version, round };
    return undefined;
  }

  /** The gateway confirmed an order. */
  told(order: GatewayOrder): void {
    this.#finish(order, 'told');
  }

  /** The gateway refused an order: it is not repeated before the next connection or the next wish. */
  refused(order: GatewayOrder, problem: string): void {
    this.#finish(order, { problem });
  }

  /** Resolves when the present wish for an agent was told or refused, at the latest after `ms`. */
  whenTold(id: AgentId, ms: number): Promise<Outcome> {
    const wish = this.#agents.get(id);
    if (wish === undefined) return Promise.resolve('given-up');
    return new Promise((resolve) => {
      const timer = setTimeout(() => waiter.settle('too-late'), ms);
      const waiter: Waiter = {
        id,
        version: wish.version,
        settle: (outcome) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(outcome);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /** Nobody will be told: those who wait hear it. */
  giveUp(): void {
    for (const waiter of this.#waiters) waiter.settle('given-up');
  }

  #finish(order: GatewayOrder, outcome: Outcome): void {
    if (order.round !== this.#round) return;
    if (order.kind === 'model-apis') {
      this.#modelApis.told = order.version;
      return;
    }
    if (order.kind === 'remove') {
      this.#removals.delete(order.id);
      return;
    }
    const wish = this.#agents.get(order.agent.id);
    if (wish?.version === order.version) wish.state = outcome === 'told' ? 'told' : 'refused';
    for (const waiter of this.#waiters)
      if (waiter.id === order.agent.id && waiter.version <= order.version) waiter.settle(outcome);
  }
}
