/** Topics: the service, what messages ask it, and presence on top of both. Only composes. */
import type { Logger } from 'pino';
import type { Disposable } from '#shared/kernel/disposable.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import type { AgentRegistry } from './agents/agent-registry.ts';
import { CORE } from './caller.ts';
import type { Journal } from './journal/journal.ts';
import type { MessagesService } from './messages/messages-service.ts';
import type { ProjectsService } from './projects/projects-service.ts';
import type { AppStore } from './reads.ts';
import { Presence } from './topics/presence.ts';
import { TopicsService } from './topics/topics-service.ts';

/** News of an agent are of use for this long, in milliseconds: an hour. Later, discover_agents says how things are. */
const NEWS_TTL_MS = 60 * 60 * 1_000;

/** What they are made of. */
export interface TopicsParts {
  readonly store: AppStore;
  readonly registry: AgentRegistry;
  readonly projects: ProjectsService;
  readonly journal: Journal;
  readonly log: Logger;
}

/** Topics, and what they announce. */
export interface Topics {
  readonly service: TopicsService;
  /** Begins to publish what becomes of agents, and to forget those that are removed. Once, when messages can be sent. */
  announce(messages: MessagesService): Disposable;
}

/** Makes them; subscriptions are read at once. */
export function composeTopics({ store, registry, projects, journal, log }: TopicsParts): Topics {
  const warn = (message: string, error: unknown): void => log.warn({ err: error }, message);
  const service = new TopicsService({
    store,
    agentOf: (text) => {
      const id = AgentId.safeParse(text);
      if (!id.success) return undefined;
      const agent = registry.find(id.data);
      const known = agent ?? registry.findRemoved(id.data);
      return known && { projectId: known.projectId, isRemoved: !agent };
    },
    isProject: (id) => projects.list().some((project) => project.id === id),
    defaultProject: () => projects.latest()?.id,
    now: Date.now,
  });
  service.open();
  const forget = (id?: string): void => {
    service.forgetRemoved(id).catch((error: unknown) => warn('subscriptions of a removed agent could not be ended', error));
  };
  return {
    service,
    announce: (messages) => {
      forget();
      const forgetting = journal.onCommitted((events) => {
        for (const { kind, subject } of events) if (kind === 'agent.removed') forget(subject);
      });
      const presence = new Presence({
        agents: registry.all(),
        onCommitted: (listener) => journal.onCommitted(listener),
        subscribersOf: (projectId, topic) => service.subscribersOf(projectId, topic),
        publish: ({ projectId, topic, body, data }) =>
          messages.send(
            { to: `topic:${topic}`, projectId, kind: 'event', priority: 'low', body, data, ttlMs: NEWS_TTL_MS },
            CORE,
          ),
        log: warn,
      });
      return {
        dispose: () => {
          forgetting.dispose();
          presence.dispose();
        },
      };
    },
  };
}
