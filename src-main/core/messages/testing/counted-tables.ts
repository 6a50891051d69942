/** For the model-based test of messages: the counts by counting, from the tables. */
import * as z from 'zod';
import type { TestMessages } from './open-messages.ts';
import { IS_DEAD_LETTER } from '#core/messages/messages-repository.ts';

const One = z.object({ n: z.number() });

/** What `counts` answers, counted: of one project, or of all. */
export function countedTables({ test }: Pick<TestMessages, 'test'>, projectId?: string) {
  return test.store.peek((db) => {
    const count = (sql: string, ...params: string[]): number =>
      One.parse(db.prepare(sql).get(...params, ...(projectId === undefined ? [] : [projectId]))).n;
    const project = (alias: string): string => (projectId === undefined ? '' : `AND ${alias}.project_id = ?`);
    const queues = db
      .prepare(
        `SELECT recipient, sum(delivered_at IS NULL AND held_until IS NULL) AS queued, min(iif(delivered_at IS NULL AND held_until IS NULL, message_seq, NULL)) AS first,
           sum(held_until IS NOT NULL) AS delayed, sum(held_until IS NULL) AS unread
         FROM deliveries d WHERE read_at IS NULL AND dead_at IS NULL ${project('d')} GROUP BY recipient`,
      )
      .all(...(projectId === undefined ? [] : [projectId]))
      .map((row) =>
        z
          .object({
            recipient: z.string(),
            queued: z.number(),
            delayed: z.number(),
            first: z.number().nullable(),
            unread: z.number(),
          })
          .parse(row),
      )
      .map(({ first, ...queue }) => ({
        ...queue,
        oldestQueuedAt:
          first === null ? null : One.parse(db.prepare('SELECT sent_at AS n FROM messages WHERE seq = ?').get(first)).n,
      }));
    return {
      total: count(`SELECT count(*) AS n FROM messages m WHERE true ${project('m')}`),
      requests: count(`SELECT count(*) AS n FROM messages m WHERE kind = 'request' ${project('m')}`),
      dead: count(`SELECT count(DISTINCT message_seq) AS n FROM deliveries d WHERE ${IS_DEAD_LETTER} ${project('d')}`),
      forOperator: queues.find(({ recipient }) => recipient === 'operator')?.unread ?? 0,
      queues: new Set(queues),
    };
  });
}
