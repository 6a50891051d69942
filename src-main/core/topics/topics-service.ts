/**
 * Topics: who subscribed to what, who gets what is published, what there is.
 * Invariants: memory holds exactly the subscriptions that are committed; whoever is removed has none.
 */
import type { ProjectId } from '#shared/kernel/ids.ts';
import { AppError } from '#shared/kernel/errors.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import type { topicsContract } from '#shared/topics/contract.ts';
import type { Subscription, Topic } from '#shared/topics/model.ts';
import { MAX_SUBSCRIPTIONS } from '#shared/topics/model.ts';
import type { Caller } from '#core/caller.ts';
import { CORE } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { AppStore } from '#core/reads.ts';
import type { Tx } from '#core/store/store.ts';
import { TopicMatcher } from './topic-matcher.ts';
import type { Owner } from './topics-repository.ts';
import { allSubscriptions, deleteSubscription, insertSubscription, patternsOf } from './topics-repository.ts';

/** What callers state, by procedure. */
type TopicInputs = { [K in keyof typeof topicsContract]: Parameters<HandlersOf<typeof topicsContract>[K]>[0] };

/** What of an agent decides about its subscriptions. */
export interface TopicAgent {
  readonly projectId: ProjectId;
  readonly isRemoved: boolean;
}

/** What the service needs. */
export interface TopicsOptions {
  readonly store: AppStore;
  /** An agent, removed ones included; undefined when there never was one. */
  readonly agentOf: (id: string) => TopicAgent | undefined;
  readonly isProject: (id: ProjectId) => boolean;
  /** The project opened last; undefined when there is none. */
  readonly defaultProject: () => ProjectId | undefined;
  readonly now: () => number;
}

/** What stands after a change, and what it changed. */
export interface Standing extends Owner {
  readonly patterns: string[];
  readonly changed: string[];
}

/** A page of topics, and the subscriptions of their project. */
export interface TopicList {
  readonly topics: Topic[];
  readonly next: string | null;
  readonly subscriptions: Subscription[];
  readonly subscriptionCount: number;
}

/** Most subscriptions in one answer. */
const MAX_LISTED = 1_000;

/** The subscriptions of one project. */
class ProjectTopics {
  readonly matcher = new TopicMatcher();
  /** When each pattern was subscribed to, by subscriber and pattern. */
  readonly bySubscriber = new Map<string, Map<string, number>>();

  add({ subscriber, pattern, subscribedAt }: Omit<Subscription, 'projectId'>): void {
    const own = this.bySubscriber.get(subscriber) ?? new Map<string, number>();
    own.set(pattern, subscribedAt);
    this.bySubscriber.set(subscriber, own);
    this.matcher.add(pattern, subscriber);
  }

  remove(subscriber: string, pattern: string): void {
    this.matcher.remove(pattern, subscriber);
    const own = this.bySubscriber.get(subscriber);
    own?.delete(pattern);
    if (own?.size === 0) this.bySubscriber.delete(subscriber);
  }
}

/** Topics and subscriptions. */
export class TopicsService {
  readonly #o: TopicsOptions;
  readonly #projects = new Map<ProjectId, ProjectTopics>();

  constructor(options: TopicsOptions) {
    this.#o = options;
  }

  /** Reads the subscriptions. What an agent left that was removed right before an end goes now. Once, after the store is open. */
  open(): void {
    for (const subscription of this.#o.store.peek(allSubscriptions)) this.#project(subscription.projectId).add(subscription);
  }

  /** Ends the subscriptions of agents that were removed: of one, or of all that there are. */
  async forgetRemoved(id?: string): Promise<void> {
    const owners = [...this.#projects].flatMap(([projectId, { bySubscriber }]) =>
      (id === undefined ? [...bySubscriber.keys()] : [id])
        .filter((subscriber) => bySubscriber.has(subscriber) && this.#isGone(subscriber))
        .map((subscriber) => ({ projectId, subscriber })),
    );
    await Promise.all(owners.map((owner) => this.#end(owner, undefined, CORE)));
  }

  /** The inboxes that get what is published to a topic, each once, sorted; removed agents are not there. */
  subscribersOf(projectId: ProjectId, topic: string): string[] {
    const subscribers = this.#projects.get(projectId)?.matcher.match(topic) ?? [];
    return subscribers.filter((subscriber) => !this.#isGone(subscriber));
  }

  /**
   * Subscribes the caller, or an agent for it. What stands already stays as it is. NOT_FOUND (agent, project), FORBIDDEN
   * (somebody else's, a caller without an inbox), BAD_REQUEST (no project, another one than the agent's), CONFLICT (too many):
   * nothing is changed then.
   */
  async subscribe(input: TopicInputs['subscribe'], caller: Caller): Promise<Standing> {
    const owner = this.#ownerOf(input, caller);
    return this.#o.store.write((tx) => {
      const before = new Set(patternsOf(tx, owner));
      const changed = [...new Set(input.patterns)].filter((pattern) => !before.has(pattern));
      if (before.size + changed.length > MAX_SUBSCRIPTIONS) throw tooMany(owner, before.size, changed.length);
      const subscribedAt = this.#o.now();
      for (const pattern of changed) insertSubscription(tx, { ...owner, pattern, subscribedAt });
      record(tx, owner, caller, 'topic.subscribed', changed);
      tx.afterCommit(() => {
        for (const pattern of changed)
          this.#project(owner.projectId).add({ subscriber: owner.subscriber, pattern, subscribedAt });
      });
      return { ...owner, patterns: [...before, ...changed].sort(), changed };
    });
  }

  /** Ends subscriptions of the caller, or of an agent for it; all when none is named. Fails as `subscribe` does. */
  async unsubscribe(input: TopicInputs['unsubscribe'], caller: Caller): Promise<Standing> {
    return this.#end(this.#ownerOf(input, caller), input.patterns, caller);
  }

  /** A page of a project's topics. NOT_FOUND (project), BAD_REQUEST (none is open), FORBIDDEN (an agent, of another project). */
  async list(input: TopicInputs['list'], caller: Caller): Promise<TopicList> {
    const projectId = this.#projectOf(input.projectId, caller);
    const project = this.#projects.get(projectId);
    const { subscriber } = input;
    const listed = [...(project?.bySubscriber ?? [])]
      .filter(([owner]) => (subscriber === undefined || owner === subscriber) && !this.#isGone(owner))
      .flatMap(([owner, patterns]) =>
        [...patterns].map(([pattern, subscribedAt]) => ({ projectId, subscriber: owner, pattern, subscribedAt })),
      )
      .sort((a, b) => compare(a.subscriber, b.subscriber) || compare(a.pattern, b.pattern));
    const page = await this.#o.store.read('topics.page', {
      projectId,
      after: input.after,
      limit: input.limit,
      filters: [
        ...(input.pattern === undefined ? [] : [[input.pattern]]),
        ...(subscriber === undefined ? [] : [listed.map(({ pattern }) => pattern)]),
      ],
    });
    return {
      topics: page.topics.map((topic) => ({ ...topic, subscribers: this.subscribersOf(projectId, topic.name) })),
      next: page.next,
      subscriptions: input.after === undefined ? listed.slice(0, MAX_LISTED) : [],
      subscriptionCount: listed.length,
    };
  }

  #end(owner: Owner, patterns: readonly string[] | undefined, caller: Caller): Promise<Standing> {
    return this.#o.store.write((tx) => {
      const before = patternsOf(tx, owner);
      const changed = before.filter((pattern) => patterns?.includes(pattern) ?? true);
      for (const pattern of changed) deleteSubscription(tx, owner, pattern);
      record(tx, owner, caller, 'topic.unsubscribed', changed);
      tx.afterCommit(() => {
        for (const pattern of changed) this.#project(owner.projectId).remove(owner.subscriber, pattern);
      });
      return { ...owner, patterns: before.filter((pattern) => !changed.includes(pattern)), changed };
    });
  }

  #ownerOf(input: { agentId?: string | undefined; projectId?: ProjectId | undefined }, caller: Caller): Owner {
    const { agentId } = input;
    if (caller.agentId !== undefined && agentId !== undefined && agentId !== caller.agentId)
      throw new AppError(
        'FORBIDDEN',
        `agentId: agent "${caller.agentId}" changes its own subscriptions only. Nothing was changed. Leave agentId out.`,
        { data: { field: 'agentId' } },
      );
    const subscriber = caller.agentId ?? agentId;
    if (subscriber === undefined) {
      if (caller.role !== 'operator')
        throw new AppError(
          'FORBIDDEN',
          `A token of role "${caller.role}" has no inbox that topics could come to. Nothing was changed. Name an agent in agentId.`,
          { data: { field: 'agentId' } },
        );
      return { projectId: this.#projectOf(input.projectId, caller), subscriber: OPERATOR };
    }
    const agent = this.#o.agentOf(subscriber);
    if (!agent || agent.isRemoved)
      throw new AppError(
        'NOT_FOUND',
        `Agent "${subscriber}" ${agent ? 'was removed' : 'does not exist'}. Nothing was changed. See who is there with list_agents.`,
        { data: { field: 'agentId' } },
      );
    if (input.projectId !== undefined && input.projectId !== agent.projectId)
      throw new AppError(
        'BAD_REQUEST',
        `projectId is ${input.projectId}, but agent "${subscriber}" belongs to ${agent.projectId}. Nothing was changed. Leave projectId out.`,
        { data: { field: 'projectId' } },
      );
    return { projectId: agent.projectId, subscriber };
  }

  #projectOf(stated: ProjectId | undefined, caller: Caller): ProjectId {
    const own = caller.agentId === undefined ? undefined : this.#o.agentOf(caller.agentId)?.projectId;
    if (own !== undefined && stated !== undefined && stated !== own)
      throw new AppError('FORBIDDEN', `Agent "${caller.agentId}" sees the topics of its own project only. Leave projectId out.`, {
        data: { field: 'projectId' },
      });
    const projectId = own ?? stated ?? this.#o.defaultProject();
    if (projectId === undefined)
      throw new AppError(
        'BAD_REQUEST',
        'No project is open, so there are no topics. Open one by spawning an agent in a folder, or state projectId.',
        { data: { field: 'projectId' } },
      );
    if (!this.#o.isProject(projectId))
      throw new AppError('NOT_FOUND', `There is no project ${projectId}. See list_projects.`, { data: { field: 'projectId' } });
    return projectId;
  }

  #isGone(subscriber: string): boolean {
    return subscriber !== OPERATOR && (this.#o.agentOf(subscriber)?.isRemoved ?? true);
  }

  #project(id: ProjectId): ProjectTopics {
    const project = this.#projects.get(id) ?? new ProjectTopics();
    this.#projects.set(id, project);
    return project;
  }
}

/** Writes down a change of subscriptions; one that changed nothing leaves no trace. */
function record(
  tx: Tx,
  { projectId, subscriber }: Owner,
  caller: Caller,
  kind: 'topic.subscribed' | 'topic.unsubscribed',
  patterns: readonly string[],
): void {
  if (patterns.length === 0) return;
  tx.record(event({ projectId, actor: caller.actor, door: caller.door, subject: subscriber }, kind, { patterns: [...patterns] }));
}

function tooMany({ subscriber }: Owner, present: number, added: number): AppError {
  return new AppError(
    'CONFLICT',
    `"${subscriber}" has ${present} subscriptions, and ${added} more would be over the ${MAX_SUBSCRIPTIONS} allowed. Nothing was changed. End some with unsubscribe_topics, or use patterns such as "health.*" for many topics at once.`,
    { data: { field: 'patterns', present, allowed: MAX_SUBSCRIPTIONS } },
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
