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

beforeEach(async () => {
  t = openTestAgents({ dir: shortDir() });
  const sessions = new SessionsService({ store: t.store, version: '0' });
  await sessions.open();
  messages = new MessagesService({
    store: t.store,
    resolveAgent: (id) => {
      const agent = t.registry.find(id) ?? t.registry.findRemoved(id);
      return agent && { id, projectId: agent.projectId, boundary: agent.boundary, isRemoved: t.registry.find(id) === undefined };
    },
    agentsOfProject: (projectId) => t.registry.idsOf(projectId),
    membersOf: () => [],
    subscribersOf: () => [],
    currentSession: () => sessions.currentId(),
    defaultProject: () => t.projects.latest()?.id,
  });
  messages.open();
});

afterEach(async () => {
  messages.dispose();
  await t.dispose();
});

it('tells whoever asked an agent that it ended, once, and lets die what it was sent when it is removed', async () => {
  const following = followAgentEnds({ messages, registry: t.registry, journal: t.journal, log: pino({ enabled: false }) });
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
