import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import type { TestAgents } from '#core/agents/testing/open-agents.ts';
import { caller, openTestAgents, shortDir } from '#core/agents/testing/open-agents.ts';
import { OPERATOR_CALLER } from '#core/messages/testing/open-messages.ts';
import { SessionsService } from '#core/sessions/sessions-service.ts';
import { followAgentEnds } from './compose-messages.ts';
import { MessagesService } from './messages/messages-service.ts';

let t: TestAgents;
let messages: MessagesService;
const W1 = AgentId.parse('w1');

async function start(dir: string): Promise<void> {
  t = openTestAgents({ dir });
  const { registry, projects, store } = t;
  const sessions = new SessionsService({ store, version: '0' });
  await sessions.open();
  messages = new MessagesService({
    store,
    resolveAgent: (id) => {
      const agent = registry.find(id) ?? registry.findRemoved(id);
      return agent && { id, projectId: agent.projectId, boundary: agent.boundary, isRemoved: registry.find(id) === undefined };
    },
    agentsOfProject: (projectId) => registry.idsOf(projectId),
    membersOf: () => [],
    subscribersOf: () => [],
    currentSession: () => sessions.currentId(),
    defaultProject: () => projects.latest()?.id,
  });
  messages.open();
}

const follow = () => followAgentEnds({ messages, registry: t.registry, journal: t.journal, log: pino({ enabled: false }) });

beforeEach(() => start(shortDir()));

afterEach(async () => {
  messages.dispose();
  await t.dispose();
});

it('tells whoever asked an agent that it ended, once, and lets die what it was sent when it is removed', async () => {
  const following = follow();
  await t.agents.spawn({ id: W1, type: 'worker', start: true }, caller);
  const { messageId } = await messages.send(
    { to: W1, kind: 'request', body: 'Which port?', priority: 'normal' },
    OPERATOR_CALLER,
  );
  await t.agents.stop(W1, 5_000, caller);
  const told = await messages.wait({ timeoutMs: 55_000, limit: 5 }, OPERATOR_CALLER, new AbortController().signal);
  expect(told.messages).toMatchObject([
    { kind: 'event', inReplyTo: messageId, data: { reason: 'agent-stopped', agentId: 'w1' } },
  ]);
  await t.agents.remove(W1, caller);
  await expect
    .poll(async () => (await messages.get({ id: messageId })).deliveries, { timeout: 30_000 })
    .toMatchObject([{ recipient: 'w1', state: 'dead', deadReason: 'recipient-removed' }]);
  expect(messages.totals().unread).toBe(1);
  following.dispose();
});

it('tells at the next start what a core did not come to that ended right after the agent, once', async () => {
  await t.agents.spawn({ id: W1, type: 'worker', start: true }, caller);
  const ask = async (body: string) =>
    (await messages.send({ to: W1, kind: 'request', body, priority: 'normal' }, OPERATOR_CALLER)).messageId;
  const asked = await ask('Which port?');
  // Nobody follows: as if the core had been killed between the commit of the end and that of the notice.
  await t.agents.stop(W1, 5_000, caller);
  const { dir } = t;
  for (let starts = 0; starts < 2; starts += 1) {
    messages.dispose();
    await t.abandon();
    await start(dir);
    const following = follow();
    // What the start has to write stands before this.
    await t.store.write(() => undefined);
    following.dispose();
    const { messages: told } = await messages.inbox({ unreadOnly: true, limit: 5 }, OPERATOR_CALLER);
    expect(told).toMatchObject([{ kind: 'event', inReplyTo: asked, data: { reason: 'agent-stopped', agentId: 'w1' } }]);
  }
});
