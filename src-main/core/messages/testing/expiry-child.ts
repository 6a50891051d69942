/** For the test of expiry: sends messages that expire a minute after the time given, says so, and waits to be killed. */
import { writeSync } from 'node:fs';
import { AgentId } from '#shared/kernel/ids.ts';
import { openMessages } from './open-messages.ts';

const [dir = '.', now = '0'] = process.argv.slice(2);
const t = await openMessages({ dir, now: () => Number(now) });
const ada = t.addAgent('ada');
t.addAgent('ben');
for (const kind of ['task', 'note'] as const) {
  await t.service.send({ to: AgentId.parse('ben'), body: 'text', kind, priority: 'normal', ttlMs: 60_000 }, ada);
}
await t.service.send({ to: AgentId.parse('ben'), body: 'lasting', kind: 'note', priority: 'normal' }, ada);
writeSync(1, 'sent\n');
// The kill ends it; nothing else does.
setInterval(() => undefined, 60_000);
