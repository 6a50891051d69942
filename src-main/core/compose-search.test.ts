import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { expect, it } from 'vitest';
import { KEEP_EVERYTHING } from '#shared/retention/model.ts';
import { composeSearch } from './compose-search.ts';
import { openMessages, OPERATOR_CALLER } from './messages/testing/open-messages.ts';
import { pathsOf } from './paths.ts';
import { RetentionService } from './retention/retention-service.ts';
import { sessionOf } from './search/testing/open-search.ts';
import { Mirror } from './sessions/mirror.ts';
import { openDatabase } from './store/database.ts';

it('finds no message that retention removed, and takes its words out of the index without being asked', async () => {
  const t = await openMessages();
  const ends: (() => void | Promise<void>)[] = [() => t.dispose()];
  try {
    const paths = pathsOf(t.test.dir, {});
    const search = composeSearch({
      paths,
      readerModule: new URL('./read-worker.ts', import.meta.url),
      journal: t.test.journal,
      currentSession: () => sessionOf(t),
      log: pino({ enabled: false }),
      onEnd: (end) => ends.push(end),
    });
    const found = async (query: string): Promise<string[]> =>
      (await search.search({ query, rank: 'newest', limit: 20 }, OPERATOR_CALLER)).results.map(({ messageId }) => messageId);
    const indexed = (): number => {
      const index = openDatabase(join(t.test.dir, 'search.db'), { readOnly: true });
      try {
        return (index.prepare('SELECT count(*) AS n FROM entries_docsize').get() as { n: number }).n;
      } finally {
        index.close();
      }
    };
    const ben = t.addAgent('ben');
    const ids = [];
    for (const body of ['the old word', 'the new word']) {
      const { messageId } = await t.service.send({ to: 'ben' as never, body, kind: 'note', priority: 'normal' }, OPERATOR_CALLER);
      await t.service.wait({ timeoutMs: 0, limit: 9 }, ben, new AbortController().signal);
      await t.service.markRead({ messageIds: [messageId] }, ben);
      ids.unshift(messageId);
    }
    await expect.poll(() => found('word'), { timeout: 30_000 }).toEqual(ids);
    expect(indexed()).toBe(2);

    mkdirSync(paths.sessions);
    const warn = (message: string): void => {
      throw new Error(message);
    };
    const mirror = new Mirror({ store: t.test.store, sessionsDir: paths.sessions, projectFolder: () => undefined, warn });
    await mirror.flush();
    mirror.dispose();
    const retention = new RetentionService({
      store: t.test.store,
      sessionsDir: paths.sessions,
      isProject: () => true,
      onRemoving: () => undefined,
      onCounts: () => undefined,
      warn,
    });
    ends.push(() => retention.dispose());
    await retention.set(t.projectId, { ...KEEP_EVERYTHING, maxMessages: 1 }, OPERATOR_CALLER);
    expect(await retention.apply(t.projectId, OPERATOR_CALLER)).toMatchObject({ messages: 1 });
    expect(await found('word')).toEqual(ids.slice(0, 1));
    expect(await found('old')).toEqual([]);
    await expect.poll(indexed, { timeout: 30_000 }).toBe(1);
  } finally {
    for (const end of ends.toReversed()) await end();
  }
});
