/**
 * Programs that Quarterdeck did not start, with nothing but an MCP client: they enrol with a code, or ask the operator, answer
 * mail, go away, are lost, and come back with their token after the core was killed.
 */
import { afterEach, expect, it } from 'vitest';
import { Client as Client2, StreamableHTTPClientTransport as Transport2 } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { Agent } from '#shared/agents/model.ts';
import { EnrolmentCode, EnrolmentRequest, Registration } from '#shared/enrolments/model.ts';

/** Long enough for a machine that does much else: nothing here is judged by its time. */
const WAIT = { timeout: 60_000, interval: 100 };
/** Short, so that it is missed soon. */
const HEARTBEAT_MS = 1_000;

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function started(dataDir: string, args: readonly string[] = []): Promise<{ core: TestCore; rest: RestClient }> {
  const core = await startCore({ dataDir, args });
  ends.push(() => core.stop());
  return { core, rest: new RestClient(core) };
}

/** One tool call as a program outside makes it. */
interface Outsider {
  call(name: string, args: object): Promise<Record<string, unknown>>;
  tools(): Promise<string[]>;
  close(): Promise<void>;
}

/** What a call answered; fails with the text of a tool's error. */
function structured(answer: unknown): Record<string, unknown> {
  const { isError, structuredContent, content } = z
    .object({
      isError: z.boolean().optional(),
      structuredContent: z.record(z.string(), z.unknown()).optional(),
      content: z.array(z.object({ text: z.string() })),
    })
    .parse(answer);
  if (isError === true) throw new Error(content.map(({ text }) => text).join(' '));
  return structuredContent ?? {};
}

const CLIENTS = {
  'SDK 1.x': async (url: string, token?: string): Promise<Outsider> => {
    const client = new Client1({ name: 'outsider', version: '1' });
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    await client.connect(new Transport1(new URL(url), { requestInit: { headers } }));
    return {
      call: async (name, args) => structured(await client.callTool({ name, arguments: { ...args } })),
      tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
      close: () => client.close(),
    };
  },
  'SDK 2.x': async (url: string, token?: string): Promise<Outsider> => {
    const client = new Client2({ name: 'outsider', version: '2' });
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    await client.connect(new Transport2(new URL(url), { requestInit: { headers } }));
    return {
      call: async (name, args) => structured(await client.callTool({ name, arguments: { ...args } })),
      tools: async () => (await client.listTools()).tools.map((tool) => tool.name),
      close: () => client.close(),
    };
  },
} as const;

const agentOf = async (rest: RestClient, id: string): Promise<Agent> => Agent.parse(await rest.ok('GET', `/agents/${id}`));

const Inbox = z.object({ messages: z.array(z.object({ id: z.string(), body: z.string() })) });

/** Enrols with a code, answers one request, waits longer than it may be silent, and goes. Resolves with its token. */
async function comeAndGo(
  { core, rest }: { core: TestCore; rest: RestClient },
  kind: keyof typeof CLIENTS,
  id: string,
): Promise<string> {
  const connect = CLIENTS[kind];
  const made = z
    .object({ code: EnrolmentCode, secret: z.string(), agentMcpUrl: z.string() })
    .parse(await rest.ok('POST', '/enrolments/codes', { capabilities: ['shouting'] }));
  expect(made.agentMcpUrl).toBe(core.run.agentMcpUrl);

  // Without a token there is one tool, and it takes the code.
  const stranger = await connect(made.agentMcpUrl);
  expect(await stranger.tools()).toEqual(['register_agent']);
  const { token, agentId, projectId } = Registration.parse(
    await stranger.call('register_agent', { code: made.secret, id, name: 'Shouter', heartbeatMs: HEARTBEAT_MS }),
  );
  await expect(stranger.call('register_agent', { code: made.secret, name: 'Second' })).rejects.toThrow('FORBIDDEN');
  await stranger.close();
  if (token === null) throw new Error('no token');
  expect(agentId).toBe(id);
  expect(await agentOf(rest, id)).toMatchObject({
    projectId,
    boundary: 'host',
    boundaryNote: expect.stringContaining('not contained, not controlled') as string,
    config: { type: 'external', capabilities: ['shouting'] },
  });

  // With it, it is an agent like others: it gets mail and answers.
  const agent = await connect(core.run.agentMcpUrl, token);
  const sent = z
    .object({ messageId: z.string() })
    .parse(await rest.ok('POST', '/messages', { to: id, kind: 'request', body: 'be loud' }));
  const { messages } = Inbox.parse(await agent.call('wait_for_messages', { timeoutMs: 30_000 }));
  expect(messages.map((message) => [message.id, message.body])).toEqual([[sent.messageId, 'be loud']]);
  await agent.call('send_message', { to: 'operator', kind: 'reply', body: `BE LOUD ${id}`, inReplyTo: sent.messageId });
  await agent.call('mark_messages_read', { messageIds: [sent.messageId] });
  // It runs nobody knows where: no file of this machine is its to send, and so to read.
  const file = { to: 'operator', body: 'a file', attachments: [{ path: 'operator-token' }] };
  await expect(agent.call('send_message', file)).rejects.toThrow(/no workspace here/);

  // A call that waits is a sign of life, however long; when it is gone, it is lost.
  await agent.call('wait_for_messages', { timeoutMs: 4 * HEARTBEAT_MS });
  const leftAt = Date.now();
  await agent.close();
  await expect
    .poll(async () => (await agentOf(rest, id)).state, WAIT)
    .toMatchObject({ status: 'lost', evidence: { source: 'clock' } });
  expect((await agentOf(rest, id)).state.since).toBeGreaterThanOrEqual(leftAt);
  expect((await rest.call('POST', `/agents/${id}/start`, {})).status).toBe(409);
  expect((await rest.call('POST', `/agents/${id}/stop`, {})).status).toBe(409);
  return token;
}

/** Comes back with its token, finds the mail that was kept for it, and is removed. */
async function comeBack(
  { core, rest }: { core: TestCore; rest: RestClient },
  kind: keyof typeof CLIENTS,
  id: string,
  token: string,
): Promise<void> {
  expect((await agentOf(rest, id)).state.status).toBe('lost');
  const back = await CLIENTS[kind](core.run.agentMcpUrl, token);
  const again = Registration.parse(await back.call('register_agent', { capabilities: [] }));
  expect(again).toMatchObject({ status: 'enrolled', agentId: id, token: null, heartbeatMs: HEARTBEAT_MS });
  expect(Inbox.parse(await back.call('get_messages', {})).messages.map(({ body }) => body)).toEqual(['kept']);
  expect((await agentOf(rest, id)).config.capabilities).toEqual([]);
  await expect
    .poll(async () => {
      await back.call('get_messages', {});
      return (await agentOf(rest, id)).state.status;
    }, WAIT)
    .toBe('idle');
  // Removed, its token opens nothing any more.
  await rest.ok('DELETE', `/agents/${id}`);
  await expect(back.call('get_messages', {})).rejects.toThrow(/not known|401/);
  await back.close().catch(() => undefined);
  await expect(CLIENTS[kind](core.run.agentMcpUrl, token)).rejects.toThrow(/not known|401/);
}

it(
  'plain clients enrol by code, answer, are lost when they are gone, and come back after kill -9 of the core',
  { timeout: 240_000 },
  async () => {
    const dataDir = makeDataDir();
    ends.push(() => Promise.resolve(removeDataDir(dataDir)));
    const first = await started(dataDir);
    await first.rest.ok('POST', '/projects', { folder: dataDir });
    const [one, two] = await Promise.all([comeAndGo(first, 'SDK 1.x', 'one'), comeAndGo(first, 'SDK 2.x', 'two')]);
    const answers = z
      .object({ messages: z.array(z.object({ from: z.object({ kind: z.string(), id: z.string() }), body: z.string() })) })
      .parse(await first.rest.ok('GET', '/inbox'));
    expect(answers.messages.map(({ from, body }) => `${from.kind} ${from.id}: ${body}`).sort()).toEqual([
      'agent one: BE LOUD one',
      'agent two: BE LOUD two',
    ]);
    for (const id of ['one', 'two']) await first.rest.ok('POST', '/messages', { to: id, kind: 'note', body: 'kept' });
    await first.core.kill();
    const next = await started(dataDir, ['--agent-mcp-port', new URL(first.core.run.agentMcpUrl).port]);
    expect(next.core.run.agentMcpUrl).toBe(first.core.run.agentMcpUrl);
    await Promise.all([comeBack(next, 'SDK 1.x', 'one', one), comeBack(next, 'SDK 2.x', 'two', two)]);
  },
);

it('a client without a code asks the operator, and comes in when it is approved', { timeout: 240_000 }, async () => {
  const dataDir = makeDataDir();
  ends.push(() => Promise.resolve(removeDataDir(dataDir)));
  const { core, rest } = await started(dataDir);
  await rest.ok('POST', '/projects', { folder: dataDir });
  const stranger = await CLIENTS['SDK 1.x'](core.run.agentMcpUrl);
  ends.push(() => stranger.close());
  const asked = Registration.parse(await stranger.call('register_agent', { name: 'Guest', note: 'from the door', waitMs: 0 }));
  const { requests } = z.object({ requests: z.array(EnrolmentRequest) }).parse(await rest.ok('GET', '/enrolments'));
  expect(requests).toMatchObject([{ wish: { name: 'Guest', note: 'from the door' }, check: asked.check, address: '127.0.0.1' }]);
  const waiting = stranger.call('register_agent', { requestId: asked.requestId, waitMs: 50_000 });
  await rest.ok('POST', `/enrolments/requests/${requests[0]?.id ?? ''}/decision`, { isApproved: true });
  const answer = Registration.parse(await waiting);
  expect(answer).toMatchObject({ status: 'enrolled', agentId: 'guest-1' });
  const guest = await CLIENTS['SDK 1.x'](core.run.agentMcpUrl, answer.token ?? '');
  ends.push(() => guest.close());
  expect(await guest.tools()).toContain('wait_for_messages');
  expect((await agentOf(rest, 'guest-1')).config.external?.name).toBe('Guest');
});
