/**
 * Where contained agents may connect to, and what they connected to.
 * Invariants: a rule is stored before it is told to the gateway, and told again with every connection to it; a key leaves the
 * core only to the gateway; what is not served reaches nothing.
 */
import { randomUUID } from 'node:crypto';
import type { Agent } from '#shared/agents/model.ts';
import type { EgressMode, EgressProposal, EgressRule, ModelApi } from '#shared/egress/model.ts';
import { NO_RULE } from '#shared/egress/model.ts';
import type { GatewayLine, GatewayModelApi } from '#shared/gateway/model.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AppError, messageOf } from '#shared/kernel/errors.ts';
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { AgentId as AgentIdSchema } from '#shared/kernel/ids.ts';
import { canonicalJson } from '#shared/kernel/json.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { AppStore } from '#core/reads.ts';
import { egressEnvironment } from './egress-environment.ts';
import { EgressLog } from './egress-log.ts';
import type { ConnectionsArgs } from './egress-repository.ts';
import { readModelApis, saveModelApis } from './egress-repository.ts';
import type { CoreAddress, GatewayLog, GatewayState, GatewayTimings } from './gateway-client.ts';
import { GatewayClient } from './gateway-client.ts';
import type { GatewayProgram } from './gateway-process.ts';

/** How long a change of rules waits to be confirmed, in milliseconds. It is stored by then, and told later if need be. */
const CHANGE_MS = 5_000;

/** What the service is made of. */
export interface EgressOptions {
  readonly store: AppStore;
  readonly program: GatewayProgram;
  /** Minted by each core; tests name theirs. */
  readonly coreId?: string;
  /** What comes from the gateway brings it: known to the cores of this data folder and their gateway, and to nobody else. */
  readonly word: string;
  readonly agentOf: (id: AgentId) => Agent | undefined;
  readonly agents: () => readonly Agent[];
  /** Whether a process of the agent exists, is being made, or may exist (it is lost). */
  readonly isRunning: (id: AgentId) => boolean;
  /** Stores another configuration of an agent, with its events, and returns the agent as it is then. */
  readonly configure: (id: AgentId, egress: Agent['config']['egress'], caller: Caller) => Promise<Agent>;
  /** The value of a secret as a project sees it; undefined when there is none. May fail. */
  readonly reveal: (name: string, projectId: ProjectId) => string | undefined;
  /** What was committed: changes of secrets and of agents' rules are heard there, whoever made them. */
  readonly onCommitted: (listener: (events: readonly JournalEvent[]) => void) => Disposable;
  readonly log: GatewayLog;
  readonly now?: () => number;
  readonly timings?: Partial<GatewayTimings>;
}

/** How an agent is to be served. */
export interface ServeOptions {
  /** Folder of its sockets, absolute; it is there, 0700. */
  readonly socketDir: string;
  /** Whose the sockets are to be; null: the core's own user. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  /** The line into its container, where its sockets cannot be reached by themselves. */
  readonly line?: GatewayLine | undefined;
}

/** What holds for one agent now. */
export interface AgentEgress {
  readonly id: AgentId;
  readonly mode: EgressMode;
  readonly rules: EgressRule[];
  readonly isServed: boolean;
}

/** A model API as it is shown: whether its key is stored, never which. */
export type ShownModelApi = ModelApi & { readonly hasKey: boolean };

/** Owns the gateway's client and the log of connections. */
export class EgressService {
  readonly #o: EgressOptions;
  readonly #client: GatewayClient;
  readonly #log: EgressLog;
  readonly #committed: Disposable;
  /** Problems with keys that were told: each once. */
  readonly #toldProblems = new Set<string>();
  #keysOf = '';

  constructor(options: EgressOptions) {
    this.#o = options;
    this.#log = new EgressLog({ store: options.store, log: options.log });
    this.#client = new GatewayClient({
      program: options.program,
      coreId: options.coreId ?? randomUUID(),
      modelApis: () => this.#withKeys(),
      isRunning: options.isRunning,
      events: this.#log,
      log: options.log,
      ...(options.now ? { now: options.now } : {}),
      ...(options.timings ? { timings: options.timings } : {}),
    });
    this.#committed = options.onCommitted((events) => this.#hear(events));
  }

  /** How the gateway is reached. */
  get gateway(): GatewayState {
    return this.#client.state;
  }

  /** Takes over the gateway that an earlier core left. After the agent port is open: calls that wait there come at once. */
  async open({ agentUrl }: Pick<CoreAddress, 'agentUrl'>): Promise<void> {
    this.#log.open();
    await this.#client.open({ agentUrl, word: this.#o.word });
  }

  /**
   * Has a contained agent served: before its launch, and when it is adopted. Resolves when its sockets are there; fails with
   * UNAVAILABLE, and then it must not be started. Rules, mode and model APIs are those of its configuration. When it has
   * stopped or failed, also before it was started, it is served no more.
   */
  async serve(agent: Agent, options: ServeOptions): Promise<void> {
    if (agent.boundary === 'host')
      throw new AppError('INTERNAL', `Agent "${agent.id}" is in no box: it reaches everything by itself.`);
    const known = new Set(this.#modelApis().map((api) => api.name));
    const unknown = agent.config.modelApis.find((name) => !known.has(name));
    if (unknown !== undefined)
      throw new AppError(
        'BAD_REQUEST',
        `Agent "${agent.id}" is to use the model API "${unknown}", and there is none of that name; there are: ${[...known].join(', ') || 'none'}.`,
        { data: { id: agent.id, modelApi: unknown } },
      );
    await this.#put(agent, options);
  }

  /**
   * Has an agent that is served reached by a line. Resolves when the gateway knows; what is said there afterwards comes through
   * as soon as the line is made. Fails with UNAVAILABLE.
   */
  async openLine(id: AgentId, line: GatewayLine): Promise<void> {
    const served = this.#client.wanted(id);
    if (served === undefined) throw new AppError('UNAVAILABLE', `Agent "${id}" ended before its line was made.`);
    await this.#client.put({ ...served, line });
  }

  /** Ends serving an agent: its sockets go, its connections are closed. Never fails. */
  drop(id: AgentId): Promise<void> {
    return this.#client.drop(id);
  }

  /** What goes into a contained agent's environment. */
  environmentOf(agent: Pick<Agent, 'boundary' | 'config'>): Record<string, string> {
    return egressEnvironment(agent, this.#modelApis());
  }

  /** What holds for one agent. */
  get(id: AgentId): AgentEgress {
    return this.#shown(this.#agent(id));
  }

  /** Changes what is stated. Stored first; when the gateway cannot be told now, it is with the next connection to it. */
  async set(
    id: AgentId,
    changes: { mode?: EgressMode | undefined; rules?: EgressRule[] | undefined },
    caller: Caller,
  ): Promise<AgentEgress> {
    const agent = this.#agent(id);
    if (agent.boundary === 'host')
      throw new AppError(
        'CONFLICT',
        `Agent "${id}" is not contained: it reaches everything your user reaches, and no rule would hold it. Rules are for agents in containers or bubblewrap.`,
        { data: { id, boundary: agent.boundary } },
      );
    const { egress } = agent.config;
    const rules = [...new Set(changes.rules ?? egress.rules)];
    const after = await this.#o.configure(id, { mode: changes.mode ?? egress.mode, rules }, caller);
    await this.#repeat(after);
    return this.#shown(this.#agent(id));
  }

  /** A page of connections. */
  connections(args: ConnectionsArgs) {
    return this.#o.store.read('egress.connections', args);
  }

  /** Rules that learning agents could use. */
  proposals(agentId?: AgentId): Promise<EgressProposal[]> {
    const learners = this.#o
      .agents()
      .filter((agent) => agent.config.egress.mode === 'learn' && (agentId === undefined || agent.id === agentId))
      .map((agent) => ({ id: agent.id, rules: agent.config.egress.rules }));
    return this.#o.store.read('egress.proposals', { learners, reason: NO_RULE });
  }

  /** The model APIs, and whether each has a key for all projects or for one. */
  modelApis(): ShownModelApi[] {
    return this.#withKeys().map(({ key, projectKeys, ...api }) => ({
      ...api,
      hasKey: key !== null || Object.keys(projectKeys).length > 0,
    }));
  }

  /** Replaces the list of model APIs. CONFLICT when a running agent uses one that would go. */
  async setModelApis(apis: readonly ModelApi[], caller: Caller): Promise<ShownModelApi[]> {
    checkDistinct(apis);
    await this.#o.store.write((tx) => {
      if (canonicalJson(readModelApis(tx)) === canonicalJson(apis)) return;
      const names = new Set(apis.map((api) => api.name));
      for (const agent of this.#o.agents()) {
        const missing = agent.config.modelApis.find((name) => !names.has(name));
        if (missing !== undefined && this.#o.isRunning(agent.id))
          throw new AppError('CONFLICT', `Agent "${agent.id}" runs and uses the model API "${missing}". Stop it first.`, {
            data: { id: agent.id, modelApi: missing },
          });
      }
      saveModelApis(tx, apis);
      tx.record(
        event(
          { projectId: SYSTEM_PROJECT_ID, actor: caller.actor, door: caller.door, subject: 'model-apis' },
          'egress.model-apis-changed',
          { names: apis.map((api) => api.name) },
        ),
      );
    });
    await this.#client.putModelApis();
    return this.modelApis();
  }

  /** Lets go of the gateway: it goes on while it serves agents, else it ends. */
  async close(): Promise<void> {
    this.#committed.dispose();
    this.#log.dispose();
    await this.#client.close();
  }

  #agent(id: AgentId): Agent {
    const agent = this.#o.agentOf(id);
    if (!agent)
      throw new AppError('NOT_FOUND', `There is no agent "${id}". List the agents with list_agents (quarterdeck agents).`, {
        data: { id },
      });
    return agent;
  }

  #shown(agent: Agent): AgentEgress {
    const { mode, rules } = agent.config.egress;
    return { id: agent.id, mode, rules, isServed: this.#client.isServed(agent.id) };
  }

  #modelApis(): readonly ModelApi[] {
    return this.#o.store.peek(readModelApis);
  }

  /** Tells the gateway an agent; before it the keys of its project, when that was not among those told. */
  #put(agent: Agent, { socketDir, owner, line }: ServeOptions, waitMs?: number): Promise<void> {
    const projects = [...new Set([...this.#client.projects(), agent.projectId])].sort().join(' ');
    if (projects !== this.#keysOf) {
      this.#keysOf = projects;
      background(this.#client.putModelApis());
    }
    return this.#client.put(
      {
        id: agent.id,
        projectId: agent.projectId,
        socketDir,
        owner,
        mode: agent.config.egress.mode,
        rules: agent.config.egress.rules,
        modelApis: agent.config.modelApis,
        ...(line === undefined ? {} : { line }),
      },
      waitMs,
    );
  }

  /** Tells the gateway what an agent's configuration says now. What cannot be told is told with the next connection. */
  async #repeat(agent: Agent): Promise<void> {
    const served = this.#client.wanted(agent.id);
    const { egress, modelApis } = agent.config;
    if (served === undefined) return;
    // The same is wanted already, and told by itself as soon as that is possible.
    if (canonicalJson([served.mode, served.rules, served.modelApis]) === canonicalJson([egress.mode, egress.rules, modelApis]))
      return;
    await this.#put(agent, served, CHANGE_MS).catch((error: unknown) =>
      this.#o.log.warn(
        { agent: agent.id, problem: messageOf(error) },
        'changed rules are stored, and could not be told to the gateway yet',
      ),
    );
  }

  #hear(events: readonly JournalEvent[]): void {
    const agents = new Set<AgentId>();
    let areKeysOther = false;
    for (const { kind, subject } of events) {
      if (kind === 'secret.set' || kind === 'secret.removed') areKeysOther = true;
      else if (kind === 'agent.config-changed' || kind === 'agent.state-changed' || kind === 'agent.removed') {
        const id = AgentIdSchema.safeParse(subject);
        if (id.success) agents.add(id.data);
      }
    }
    if (!areKeysOther && agents.size === 0) return;
    // After the commit's own effects: what is read then is what was stored.
    setImmediate(() => {
      if (areKeysOther) background(this.#client.putModelApis());
      for (const id of agents) {
        const agent = this.#o.agentOf(id);
        if (!agent || !this.#o.isRunning(id)) background(this.#client.drop(id));
        else background(this.#repeat(agent));
      }
    });
  }

  /** The model APIs with the keys there are: the one for all, and those of the projects whose agents are served. */
  #withKeys(): GatewayModelApi[] {
    const projects = new Set([...this.#client.projects(), ...this.#o.agents().map((agent) => agent.projectId)]);
    return this.#modelApis().map((api) => {
      const key = this.#reveal(api.secret, SYSTEM_PROJECT_ID) ?? null;
      const projectKeys: Record<string, string> = {};
      for (const projectId of projects) {
        const own = this.#reveal(api.secret, projectId);
        if (own !== undefined && own !== key) projectKeys[projectId] = own;
      }
      return { ...api, key, projectKeys };
    });
  }

  #reveal(name: string, projectId: ProjectId): string | undefined {
    try {
      return this.#o.reveal(name, projectId);
    } catch (error) {
      const problem = `${name}: ${messageOf(error)}`;
      if (!this.#toldProblems.has(problem))
        this.#o.log.warn({ problem }, 'a key of a model API cannot be opened; agents get no answer from it');
      this.#toldProblems.add(problem);
      return undefined;
    }
  }
}

/** What runs beside the caller: it reports its own failures. */
function background(done: Promise<void>): void {
  done.catch(() => undefined);
}

/** Two APIs of one name, or told in one variable, could not be told apart by an agent. */
function checkDistinct(apis: readonly ModelApi[]): void {
  for (const field of ['name', 'variable', 'placeholder'] as const) {
    const values = apis.flatMap((api) => api[field] ?? []);
    const twice = values.find((value, at) => values.indexOf(value) !== at);
    if (twice !== undefined)
      throw new AppError('BAD_REQUEST', `modelApis: two of them have the ${field} "${twice}". Give each its own.`, {
        data: { field: 'modelApis' },
      });
  }
}
