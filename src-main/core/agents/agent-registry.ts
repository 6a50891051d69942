/**
 * The registry: every agent, in memory and in the table. The only writer of agents' rows.
 * Invariant: memory holds exactly what was committed, and every change has its journal row.
 */
import type { AgentFact } from './state-machine.ts';
import { nextState } from './state-machine.ts';
import type { Agent, AgentRun, SelfReport } from '#shared/agents/model.ts';
import { isAlive } from '#shared/agents/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { Emitter } from '#shared/kernel/emitter.ts';
import { AppError } from '#shared/kernel/errors.ts';
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { AgentId as AgentIdSchema } from '#shared/kernel/ids.ts';
import { canonicalJson } from '#shared/kernel/json.ts';
import type { PendingEvent } from '#shared/journal/model.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import { allAgents, findAgent, insertAgent, markRemoved, updateAgent } from './agents-repository.ts';

/** A state that changed. */
export interface StateChange {
  readonly before: Agent;
  readonly after: Agent;
}

/** Owns the agents' rows. */
export class AgentRegistry {
  readonly #store: AppStore;
  readonly #now: () => number;
  readonly #agents = new Map<AgentId, Agent>();
  /** Agents that were removed: their ids stay taken, their mail stays readable. */
  readonly #removed = new Map<AgentId, Agent>();
  readonly #stateChanges = new Emitter<StateChange>();

  constructor(options: { store: AppStore; now: () => number }) {
    this.#store = options.store;
    this.#now = options.now;
  }

  /** Reads the agents from the store. */
  open(): void {
    for (const { agent, isRemoved } of this.#store.peek(allAgents)) {
      (isRemoved ? this.#removed : this.#agents).set(agent.id, agent);
    }
  }

  /** State changes, after their commit. */
  onStateChange(listener: (change: StateChange) => void): Disposable {
    return this.#stateChanges.on(listener);
  }

  /** All agents, ordered by id. */
  all(): Agent[] {
    return [...this.#agents.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** One agent, or undefined. */
  find(id: AgentId): Agent | undefined {
    return this.#agents.get(id);
  }

  /** The agent of that name, if the text is one's id. */
  findByName(text: string): Agent | undefined {
    const id = AgentIdSchema.safeParse(text);
    return id.success ? this.#agents.get(id.data) : undefined;
  }

  /** An agent that was removed. */
  findRemoved(id: AgentId): Agent | undefined {
    return this.#removed.get(id);
  }

  /** One agent; NOT_FOUND when there is none. */
  get(id: AgentId): Agent {
    const agent = this.#agents.get(id);
    if (!agent)
      throw new AppError('NOT_FOUND', `There is no agent "${id}". List the agents with list_agents (quarterdeck agents).`, {
        data: { id },
      });
    return agent;
  }

  /** Whether an id is taken, by an agent that is there or by one that was. */
  isTaken(id: AgentId): boolean {
    return this.#agents.has(id) || this.#removed.has(id);
  }

  /** Whether a process of the agent exists, is being made, or may exist without being reached. */
  mayRun(id: AgentId): boolean {
    const status = this.#agents.get(id)?.state.status;
    return status !== undefined && (isAlive(status) || status === 'lost');
  }

  /** Ids of the agents of one project. */
  idsOf(projectId: ProjectId): AgentId[] {
    return this.all()
      .filter((agent) => agent.projectId === projectId)
      .map((agent) => agent.id);
  }

  /** Adds an agent. CONFLICT when its id was ever used. `also` is written in the same transaction. */
  async add(agent: Agent, caller: Caller, also?: (tx: Tx) => void): Promise<Agent> {
    return this.#store.write((tx) => {
      if (this.isTaken(agent.id))
        throw new AppError('CONFLICT', `The id "${agent.id}" was used before, and ids are never used again. Choose another.`, {
          data: { id: agent.id },
        });
      insertAgent(tx, agent);
      tx.record(event(envelope(agent, caller), 'agent.created', { agent }));
      also?.(tx);
      tx.afterCommit(() => {
        this.#agents.set(agent.id, agent);
      });
      return agent;
    });
  }

  /** Puts a fact to the state machine. Returns the agent as it is afterwards, changed or not. */
  async apply(id: AgentId, fact: AgentFact, caller: Caller = CORE): Promise<Agent> {
    return this.#change(id, (agent) => {
      const state = nextState(agent.state, fact, this.#now());
      if (!state) return undefined;
      return { agent: { ...agent, state }, events: [event(envelope(agent, caller), 'agent.state-changed', { state })] };
    });
  }

  /** Notes a new run, together with the fact that it started. */
  async startRun(id: AgentId, run: AgentRun, fact: AgentFact): Promise<Agent> {
    return this.#change(id, (agent) => {
      const starts = agent.starts + 1;
      const state = nextState(agent.state, fact, this.#now()) ?? agent.state;
      return {
        agent: { ...agent, run, starts, says: null, state },
        events: [
          event(envelope(agent, CORE), 'agent.run-started', { run, starts }),
          event(envelope(agent, CORE), 'agent.state-changed', { state }),
        ],
      };
    });
  }

  /** Notes what an agent says of itself. */
  async report(id: AgentId, says: SelfReport, caller: Caller): Promise<Agent> {
    return this.#change(id, (agent) => ({
      agent: { ...agent, says },
      events: [event(envelope(agent, caller), 'agent.reported', { says })],
    }));
  }

  /** Replaces the configuration. Other rules of what it may connect to are an event of their own besides. */
  async configure(id: AgentId, config: Agent['config'], caller: Caller): Promise<Agent> {
    return this.#change(id, (agent) => ({
      agent: { ...agent, config },
      events: [
        event(envelope(agent, caller), 'agent.config-changed', { config }),
        ...(canonicalJson(config.egress) === canonicalJson(agent.config.egress)
          ? []
          : [event(envelope(agent, caller), 'egress.rules-changed', config.egress)]),
      ],
    }));
  }

  /** Notes what confines it and how that is held. Without an event when it is as before. */
  async describe(id: AgentId, boundary: Agent['boundary'], note: string, caller: Caller = CORE): Promise<Agent> {
    return this.#change(id, (agent) => {
      if (agent.boundary === boundary && agent.boundaryNote === note) return undefined;
      return {
        agent: { ...agent, boundary, boundaryNote: note },
        events: [event(envelope(agent, caller), 'agent.boundary-changed', { boundary, note })],
      };
    });
  }

  /** Notes that its memory was used up. */
  async noteMemoryRefused(id: AgentId): Promise<void> {
    await this.#change(id, (agent) => ({
      agent,
      events: [event(envelope(agent, CORE), 'agent.memory-refused', { limit: agent.config.resourceLimits.memory })],
    }));
  }

  /** Takes an agent off the list; its row and its id stay. */
  async remove(id: AgentId, caller: Caller): Promise<void> {
    await this.#store.write((tx) => {
      const agent = findAgent(tx, id);
      if (!agent) return;
      markRemoved(tx, id, this.#now());
      tx.record(event(envelope(agent, caller), 'agent.removed', {}));
      tx.afterCommit(() => {
        this.#agents.delete(id);
        this.#removed.set(id, agent);
      });
    });
  }

  dispose(): void {
    this.#stateChanges.dispose();
  }

  /** Changes one agent. The row is read inside the transaction: of two changes in one batch the second sees the first. */
  #change(id: AgentId, change: (agent: Agent) => { agent: Agent; events: readonly PendingEvent[] } | undefined): Promise<Agent> {
    return this.#store.write((tx) => {
      const before = findAgent(tx, id);
      if (!before) throw new AppError('NOT_FOUND', `There is no agent "${id}" any more.`, { data: { id } });
      const result = change(before);
      if (!result) return before;
      const after = result.agent;
      updateAgent(tx, after);
      for (const entry of result.events) tx.record(entry);
      tx.afterCommit(() => {
        this.#agents.set(id, after);
        if (after.state !== before.state) this.#stateChanges.fire({ before, after });
      });
      return after;
    });
  }
}

function envelope(agent: Agent, caller: Caller) {
  return { projectId: agent.projectId, actor: caller.actor, door: caller.door, subject: agent.id };
}
