/** For the kill test: sends, acknowledges and mirrors on a real store until this process is killed. Run by Node with the folder of the store. */
import { mkdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { AgentId } from '#shared/kernel/ids.ts';
import { openMessages } from '#core/messages/testing/open-messages.ts';
import { Mirror } from '../mirror.ts';

/** Small, so that files are put aside all the time. */
const ROTATE_BYTES = 20_000;

const dir = process.argv[2] ?? '.';
const t = await openMessages({ dir });
const ada = t.addAgent('ada');
const bob = t.addAgent('bob');
mkdirSync(join(dir, 'sessions'), { recursive: true });
const mirror = new Mirror({
  store: t.test.store,
  sessionsDir: join(dir, 'sessions'),
  projectFolder: () => undefined,
  warn: (message) => writeSync(2, `${message}\n`),
  rotateBytes: ROTATE_BYTES,
  gatherMs: 0,
});
t.test.journal.onCommitted(() => mirror.nudge());
mirror.open();
writeSync(1, 'ready\n');
for (;;) {
  await Promise.all(
    Array.from({ length: 5 }, () =>
      t.service.send({ to: AgentId.parse('bob'), body: 'x'.repeat(200), kind: 'note', priority: 'normal' }, ada),
    ),
  );
  const { messages } = await t.service.inbox({ unreadOnly: true, limit: 3 }, bob);
  if (messages.length > 0) await t.service.markRead({ messageIds: messages.map(({ id }) => id) }, bob);
}
