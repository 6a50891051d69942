import { useEffect } from 'react';
import type { CoreClient } from '#renderer/connection/line.ts';
import { Coalescer } from '#renderer/store/coalesce.ts';
import { useProject, useProjects } from '#renderer/store/project-scope.ts';
import { useSession } from '#renderer/store/session-context.tsx';
import type { Asked } from '#renderer/store/use-asked.ts';
import { useAsked } from '#renderer/store/use-asked.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';

/** The list is at most this old when something was published, in milliseconds: presence publishes often. */
const TOPICS_EVERY_MS = 1_000;
/** So many topics are listed, by name. */
const LISTED = 500;

/** Topics and subscriptions of a project. */
export type TopicsAnswer = Awaited<ReturnType<CoreClient['topics']['list']>>;

/** The project whose topics are meant: the one that is shown; else the one opened last; undefined where there is none. */
export function useTopicProject(): ProjectId | undefined {
  const shown = useProject();
  const [newest] = useProjects();
  return (shown ?? newest)?.id;
}

/** The topics of the project and who subscribed to what; asked for again when something is published or subscribed to. */
export function useTopics(): Asked<TopicsAnswer> {
  const session = useSession();
  const projectId = useTopicProject();
  const asked = useAsked<TopicsAnswer>(`topics ${projectId ?? ''}`, (client) =>
    projectId === undefined
      ? Promise.resolve({ topics: [], next: null, subscriptions: [], subscriptionCount: 0 })
      : client.topics.list({ projectId, limit: LISTED }),
  );
  const { ask } = asked;
  useEffect(() => {
    const soon = new Coalescer(TOPICS_EVERY_MS, () => Promise.resolve(ask()));
    const events = session.onEvents((all) => {
      if (all.some(({ kind }) => kind.startsWith('topic.'))) ask();
      else if (all.some((event) => event.kind === 'message.sent' && event.data.message.topic !== null)) soon.ask();
    });
    return () => {
      events.dispose();
      soon.dispose();
    };
  }, [session, ask]);
  return asked;
}
