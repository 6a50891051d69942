/** For ./crash.test.ts: writes into the store in the folder named on the command line and says what was acknowledged, until it is killed. */
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import { CORE } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import { openTestStore } from '#core/testing/open-store.ts';

const [dir = '', round = ''] = process.argv.slice(2);
const { store } = openTestStore({ dir });

/** Some writes at once, so that kills fall into batches. */
for (let n = 0; ; n += 1) {
  await Promise.all(
    [0, 1, 2].map(async (part) => {
      const name = `${round}.${n}.${part}`;
      await store.write((tx) => {
        tx.prepare('INSERT INTO facts (project_id, name, value) VALUES (?, ?, ?)').run(
          SYSTEM_PROJECT_ID,
          name,
          'x'.repeat(n % 3_000),
        );
        tx.record(event({ projectId: SYSTEM_PROJECT_ID, actor: CORE.actor, door: 'core', subject: name }, 'core.stopped', {}));
      });
      process.stdout.write(`${name}\n`);
    }),
  );
}
