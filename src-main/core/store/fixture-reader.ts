/** For ./reader.test.ts: a reader's thread with queries that misbehave. */
import type { Db } from './database.ts';
import { serveReads } from './read-thread.ts';

/** Queries that misbehave, and some that do not. */
export const oddReads = {
  count: (db: Db, _args: object): number => (db.prepare('SELECT count(*) AS n FROM facts').get() as { n: number }).n,
  page: (db: Db, args: { after: string; limit: number }): string[] =>
    (
      db.prepare('SELECT name FROM facts WHERE name > ? ORDER BY name LIMIT ?').all(args.after, args.limit) as { name: string }[]
    ).map((row) => row.name),
  fails: (db: Db, _args: object): unknown => db.prepare('SELECT * FROM nowhere').all(),
  writes: (db: Db, _args: object): unknown => db.prepare('DELETE FROM facts').run(),
  unsendable:
    (_db: Db, _args: object): unknown =>
    () =>
      1,
  dies: (_db: Db, _args: object): unknown => process.exit(1),
  throwsLater: (_db: Db, _args: object): null => {
    setImmediate(() => {
      throw new Error('out of nowhere');
    });
    return null;
  },
};

serveReads(oddReads);
