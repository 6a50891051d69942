/**
 * Presence: what becomes of the agents of a project is published on its topics `agents.*`, by the core, to whoever subscribed.
 * It follows the journal, so what it tells was committed, and it holds up nobody. News of one agent are gathered for a quarter
 * of a second and told together, each sort once, in order; what came back to where it was is no news. Nothing is told of the
 * time before a start: discover_agents says how things are.
 */
import type { Agent, AgentStatus } from '#shared/agents/model.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import type { Disposable } from '#shared/kernel/disposable.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import type { PresenceData } from '#shared/topics/model.ts';
import { PRESENCE_TOPICS } from '#shared/topics/model.ts';

/** How long news of an agent are gathered, in milliseconds from the first on. */
const GATHER_MS = 250;

/** Something to be published. */
export interface PresenceNews {
  readonly projectId: ProjectId;
  readonly topic: string;
  /** A sentence that says the same as the data. */
  readonly body: string;
  readonly data: PresenceData;
}

/** What presence stands on. */
export interface PresenceOptions {
  /** The agents there are at the start. */
  readonly agents: readonly Agent[];
  readonly onCommitted: (listener: (events: readonly JournalEvent[]) => void) => Disposable;
  /** Who would get what is published to a topic. */
  readonly subscribersOf: (projectId: ProjectId, topic: string) => readonly string[];
  readonly publish: (news: PresenceNews) => Promise<unknown>;
  readonly log: (message: string, error: unknown) => void;
}

interface Facts {
  readonly projectId: ProjectId;
  readonly status: AgentStatus;
  readonly capabilities: readonly string[];
}

interface Gathered {
  /** As last told; undefined for an agent that is new. */
  readonly before: Facts | undefined;
  /** As it was made: told as joining, whatever became of it since. */
  readonly joined: { readonly agent: Agent; readonly at: number } | undefined;
  stateAt: number;
  capabilitiesAt: number;
  leftAt: number | undefined;
  readonly timer: NodeJS.Timeout;
}

/** Tells of agents that join, leave and change. */
export class Presence implements Disposable {
  readonly #o: PresenceOptions;
  readonly #known = new Map<string, Facts>();
  readonly #gathered = new Map<string, Gathered>();
  /** The last sending of each agent's news that is under way: later news wait for it. */
  readonly #sending = new Map<string, Promise<void>>();
  readonly #following: Disposable;

  constructor(options: PresenceOptions) {
    this.#o = options;
    for (const agent of options.agents) this.#known.set(agent.id, factsOf(agent));
    this.#following = options.onCommitted((events) => {
      for (const event of events) this.#take(event);
    });
  }

  /** Stops following; what was gathered is not told any more. */
  dispose(): void {
    this.#following.dispose();
    for (const { timer } of this.#gathered.values()) clearTimeout(timer);
    this.#gathered.clear();
  }

  #take(event: JournalEvent): void {
    const id = event.subject;
    const known = this.#known.get(id);
    switch (event.kind) {
      case 'agent.created':
        this.#gather(id, { agent: event.data.agent, at: event.at });
        this.#known.set(id, factsOf(event.data.agent));
        return;
      case 'agent.state-changed':
        if (!known || known.status === event.data.state.status) return;
        this.#gather(id).stateAt = event.at;
        this.#known.set(id, { ...known, status: event.data.state.status });
        return;
      case 'agent.config-changed':
        if (!known || isSame(known.capabilities, event.data.config.capabilities)) return;
        this.#gather(id).capabilitiesAt = event.at;
        this.#known.set(id, { ...known, capabilities: event.data.config.capabilities });
        return;
      case 'agent.removed':
        if (known) this.#gather(id).leftAt = event.at;
        return;
      default:
        return;
    }
  }

  #gather(id: string, joined?: Gathered['joined']): Gathered {
    const present = this.#gathered.get(id);
    if (present) return present;
    const timer = setTimeout(() => this.#flush(id), GATHER_MS);
    timer.unref();
    const before = this.#known.get(id);
    const gathered = { before, joined, stateAt: 0, capabilitiesAt: 0, leftAt: undefined, timer };
    this.#gathered.set(id, gathered);
    return gathered;
  }

  #flush(id: string): void {
    const gathered = this.#gathered.get(id);
    const now = this.#known.get(id);
    this.#gathered.delete(id);
    if (!gathered || !now) return;
    if (gathered.leftAt !== undefined) this.#known.delete(id);
    const news = newsOf(id, gathered, now).filter(({ projectId, topic }) =>
      // An agent knows of itself.
      this.#o.subscribersOf(projectId, topic).some((subscriber) => subscriber !== id),
    );
    if (news.length === 0) return;
    const sending = (this.#sending.get(id) ?? Promise.resolve())
      .then(async () => {
        for (const one of news) await this.#o.publish(one);
      })
      .catch((error: unknown) => this.#o.log(`news of agent ${id} could not be published`, error))
      .finally(() => {
        if (this.#sending.get(id) === sending) this.#sending.delete(id);
      });
    this.#sending.set(id, sending);
  }
}

function factsOf({ projectId, state, config }: Agent): Facts {
  return { projectId, status: state.status, capabilities: config.capabilities };
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}

/** What is to be said of an agent, in the order in which it happened. */
function newsOf(id: string, { before, joined, stateAt, capabilitiesAt, leftAt }: Gathered, now: Facts): PresenceNews[] {
  const from = before ?? (joined && factsOf(joined.agent)) ?? now;
  const { projectId } = now;
  const agent = `Agent "${id}"`;
  const news: PresenceNews[] = [];
  const add = (topic: string, body: string, data: Omit<PresenceData, 'agentId'>): void => {
    news.push({ projectId, topic, body, data: { agentId: id, ...data } });
  };
  if (joined) {
    const can = from.capabilities.length === 0 ? '' : `, can ${from.capabilities.join(', ')}`;
    add(PRESENCE_TOPICS.joined, `${agent} joined: type ${joined.agent.config.type}${can}.`, {
      from: null,
      to: from.status,
      at: joined.at,
    });
  }
  if (!isSame(from.capabilities, now.capabilities))
    add(PRESENCE_TOPICS.capabilities, `${agent} can now: ${now.capabilities.join(', ') || 'nothing special'}.`, {
      from: [...from.capabilities],
      to: [...now.capabilities],
      at: capabilitiesAt,
    });
  if (from.status !== now.status)
    add(PRESENCE_TOPICS.state, `${agent} is ${now.status} (was ${from.status}).`, {
      from: from.status,
      to: now.status,
      at: stateAt,
    });
  if (leftAt !== undefined) add(PRESENCE_TOPICS.left, `${agent} left.`, { from: now.status, to: null, at: leftAt });
  return news;
}
