/** For tests: topics and messages on one real store, with agents that exist only in memory. */
import type { TestMessages } from '#core/messages/testing/open-messages.ts';
import { openMessages } from '#core/messages/testing/open-messages.ts';
import { TopicsService } from '#core/topics/topics-service.ts';

/** Both features, and what they stand on. */
export interface TestTopics extends TestMessages {
  readonly topics: TopicsService;
}

/** Opens both in `dir`, or in a new temporary folder. A folder that was used before keeps its project and subscriptions. */
export async function openTopics(
  options: Pick<NonNullable<Parameters<typeof openMessages>[0]>, 'dir' | 'now' | 'extend'> & {
    readonly agents?: TestMessages['agents'];
  } = {},
): Promise<TestTopics> {
  const { agents: _agents, ...rest } = options;
  const t = await openMessages({
    ...rest,
    subscribersOf: (projectId, topic) => topics.subscribersOf(projectId, topic),
  });
  for (const [id, agent] of options.agents ?? []) t.agents.set(id, agent);
  const topics = new TopicsService({
    store: t.test.store,
    agentOf: (id) => t.agents.get(id),
    isProject: (id) => t.test.store.peek((db) => db.prepare('SELECT 1 FROM projects WHERE id = ?').get(id)) !== undefined,
    defaultProject: () => t.projectId,
    now: Date.now,
  });
  topics.open();
  return { ...t, topics };
}
