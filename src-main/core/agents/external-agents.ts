/**
 * Agents from outside: programs that nobody here started. They are rows like other agents, with a token; their state is what
 * is heard of them. Invariant: one of them is alive as long as it calls at least every third of its heartbeats, or is in a
 * call; then it is lost, until it calls again. Nothing is assumed at the start of a core: who was there has its full time.
 */
import type { Agent, ExternalFacts } from '#shared/agents/model.ts';
import { DEFAULT_HEARTBEAT_MS, isAlive, isExternal, MISSED_HEARTBEATS } from '#shared/agents/model.ts';
import type { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { boundaryOf } from '#shared/runtimes/model.ts';
import type { Caller } from '#core/caller.ts';
import type { Tx } from '#core/store/store.ts';
import { completeConfig } from './agent-draft.ts';
import type { AgentRegistry } from './agent-registry.ts';
import { boundaryNote } from './box-plan.ts';

/** What an agent from outside states of itself. */
export interface ExternalDraft {
  readonly name: string;
  readonly capabilities: readonly string[];
  readonly specialisations: readonly string[];
  readonly note: string;
  readonly heartbeatMs: number;
  /** What it may state at most; null: anything. */
  readonly allowed: readonly string[] | null;
}

/** What this needs. */
export interface ExternalAgentsOptions {
  readonly registry: AgentRegistry;
  /** Tasks and requests an agent has taken and not acknowledged. */
  readonly heldBy: (id: AgentId) => number;
  readonly now: () => number;
  /** A clock that goes on evenly, in milliseconds. */
  readonly steadyNow?: () => number;
  readonly log: (message: string, error: unknown) => void;
}

/** What was heard of one agent. */
interface Hearing {
  /** On the steady clock: the end of its last call, or when this core began to listen. */
  at: number;
  /** The same in ms since the epoch; undefined before its first call to this core. */
  calledAt: number | undefined;
  /** Calls under way. */
  open: number;
}

/** Owns the agents from outside. */
export class ExternalAgents {
  readonly #o: ExternalAgentsOptions;
  readonly #steadyNow: () => number;
  readonly #heard = new Map<AgentId, Hearing>();
  #timer: NodeJS.Timeout | undefined;
  #isDisposed = false;

  constructor(options: ExternalAgentsOptions) {
    this.#o = options;
    this.#steadyNow = options.steadyNow ?? (() => performance.now());
  }

  /** Begins to listen: from now on, whoever was there has its full time to be heard of. */
  open(): void {
    this.#arm();
  }

  /** Adds one. CONFLICT when its id was ever used. `also` is written in the same transaction. */
  async enrol(
    about: ExternalDraft & { readonly id: AgentId; readonly projectId: ProjectId },
    caller: Caller,
    also: (tx: Tx) => void,
  ): Promise<Agent> {
    const config = completeConfig(draftOf(about), about.id, about.projectId);
    const at = this.#o.now();
    this.#hear(about.id).calledAt = at;
    const agent = await this.#o.registry.add(
      {
        id: about.id,
        projectId: about.projectId,
        config,
        template: null,
        state: { status: 'idle', since: at, evidence: { source: 'interface', detail: 'it enrolled from outside', at } },
        says: null,
        run: null,
        boundary: boundaryOf(config),
        boundaryNote: boundaryNote({ config }, boundaryOf(config), undefined),
        starts: 0,
        createdAt: at,
      },
      caller,
      also,
    );
    this.#arm();
    return agent;
  }

  /** Takes over what one states of itself now; what it leaves out stays. */
  async change(id: AgentId, changes: Partial<ExternalDraft>, caller: Caller): Promise<Agent> {
    const { config } = this.#o.registry.get(id);
    const before: Omit<ExternalDraft, 'capabilities' | 'note'> = {
      ...{ name: id, specialisations: [], heartbeatMs: DEFAULT_HEARTBEAT_MS, allowed: null },
      ...config.external,
    };
    const { id: _id, projectId: _projectId, ...present } = config;
    const draft = draftOf({
      name: changes.name ?? before.name,
      specialisations: changes.specialisations ?? before.specialisations,
      capabilities: changes.capabilities ?? config.capabilities.filter((one) => !before.specialisations.includes(one)),
      note: changes.note ?? config.description,
      heartbeatMs: changes.heartbeatMs ?? before.heartbeatMs,
      allowed: changes.allowed === undefined ? before.allowed : changes.allowed,
    });
    const agent = await this.#o.registry.configure(id, completeConfig({ ...present, ...draft }, id, config.projectId), caller);
    this.#arm();
    return agent;
  }

  /** One of them calls. Returns what is to be called when the call is over. Of other agents nothing is noted. */
  onCall(id: AgentId): () => void {
    const agent = this.#o.registry.find(id);
    if (agent === undefined || !isExternal(agent)) return () => undefined;
    const hearing = this.#hear(id);
    hearing.open += 1;
    hearing.calledAt = this.#o.now();
    if (!isAlive(agent.state.status)) this.#found(id);
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      hearing.open -= 1;
      hearing.at = this.#steadyNow();
      hearing.calledAt = this.#o.now();
    };
  }

  /** Listens no more. */
  dispose(): void {
    this.#isDisposed = true;
    clearTimeout(this.#timer);
  }

  #hear(id: AgentId): Hearing {
    const known = this.#heard.get(id);
    if (known) return known;
    const hearing: Hearing = { at: this.#steadyNow(), calledAt: undefined, open: 0 };
    this.#heard.set(id, hearing);
    return hearing;
  }

  #found(id: AgentId): void {
    this.#o.registry
      .apply(id, { type: 'heard', held: this.#o.heldBy(id), detail: 'it calls on the agent interface again' })
      .then(() => this.#arm())
      .catch((error: unknown) => this.#o.log(`that agent ${id} is back could not be stored`, error));
  }

  /** Waits until the first of them could be missed. */
  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#isDisposed) return;
    const now = this.#steadyNow();
    const waits = this.#present().map(({ id, external }) => patienceOf(external) - (now - this.#hear(id).at));
    if (waits.length === 0) return;
    // At least some milliseconds: one that is in a call longer than its time is looked at again, not all the time.
    this.#timer = setTimeout(() => this.#look(), Math.max(Math.min(...waits), 50));
    this.#timer.unref();
  }

  #look(): void {
    const now = this.#steadyNow();
    for (const { id, external } of this.#present()) {
      const hearing = this.#hear(id);
      if (hearing.open > 0) hearing.at = now;
      const patience = patienceOf(external);
      if (now - hearing.at < patience) continue;
      const reason = `it has not called for ${patience / 1_000} s, though it said every ${external.heartbeatMs / 1_000} s`;
      const detail =
        hearing.calledAt === undefined
          ? 'nothing was heard of it since Quarterdeck started'
          : `its last call was at ${new Date(hearing.calledAt).toISOString()}`;
      // If that fails, it is looked at again after as long.
      hearing.at = now;
      this.#o.registry
        .apply(id, { type: 'silent', reason, detail })
        .catch((error: unknown) => this.#o.log(`that agent ${id} is lost could not be stored`, error));
    }
    this.#arm();
  }

  /** Those that are not lost. */
  #present(): readonly { readonly id: AgentId; readonly external: ExternalFacts }[] {
    return this.#o.registry.all().flatMap(({ id, config: { external }, state }) => {
      return external !== undefined && isAlive(state.status) ? [{ id, external }] : [];
    });
  }
}

/** How long one may be silent, in milliseconds. */
function patienceOf({ heartbeatMs }: ExternalFacts): number {
  return heartbeatMs * MISSED_HEARTBEATS;
}

function draftOf({ name, capabilities, specialisations, note, heartbeatMs, allowed }: ExternalDraft) {
  return {
    type: 'external' as const,
    // Never in one of ours.
    runtime: 'none' as const,
    // Found by both.
    capabilities: [...new Set([...capabilities, ...specialisations])],
    description: note === '' ? name : note,
    external: { name, specialisations: [...specialisations], heartbeatMs, allowed: allowed === null ? null : [...allowed] },
  };
}
