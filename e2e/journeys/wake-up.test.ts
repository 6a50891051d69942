/**
 * An agent that stays connected and does not wait is told of mail by the composed core: over a session of Streamable HTTP, over
 * the older streams and over a WebSocket; once until it looks, and not while it has work in hand.
 */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { WebSocket } from 'ws';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { Registration } from '#shared/enrolments/model.ts';

/** Every wait for something that has to come. */
const LONG = { timeout: 60_000, interval: 50 };
const MAIL = 'notifications/quarterdeck/mail';
const Hint = z.object({ method: z.string(), params: z.object({ unread: z.number() }) });
const Mail = z.object({ structuredContent: z.object({ messages: z.array(z.object({ id: z.string(), kind: z.string() })) }) });

let core: TestCore;
let rest: RestClient;
const ends: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  core = await startCore({ dataDir: makeDataDir() });
  rest = new RestClient(core);
  await rest.ok('POST', '/projects', { folder: core.dataDir });
}, 60_000);

afterAll(async () => {
  for (const end of ends.reverse()) await end();
  await core.stop();
  removeDataDir(core.dataDir);
}, 60_000);

/** What one connection was told, in order: how much was unread. */
type Heard = number[];

function note(heard: Heard, notification: unknown): void {
  const hint = Hint.safeParse(notification);
  if (hint.success && hint.data.method === MAIL) heard.push(hint.data.params.unread);
}

/** A client of the SDK on a transport; notes what it is told. */
async function connected(transport: unknown, heard: Heard): Promise<Client> {
  const client = new Client({ name: 'agent', version: '1' });
  client.fallbackNotificationHandler = async (notification) => note(heard, notification);
  // The SDK's transports predate exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<typeof client.connect>[0]);
  ends.push(() => client.close());
  return client;
}

async function listening(token: string, heard: Heard): Promise<void> {
  const socket = new WebSocket(core.run.agentWsUrl, 'mcp', { headers: { authorization: `Bearer ${token}` } });
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  ends.push(async () => socket.terminate());
  socket.on('message', (data: Buffer) => note(heard, JSON.parse(data.toString('utf8'))));
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'agent', version: '1' } };
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }));
}

it('tells of mail once, on every connection, and not between an agent and its work', { timeout: 240_000 }, async () => {
  const { secret } = z.object({ secret: z.string() }).parse(await rest.ok('POST', '/enrolments/codes', {}));
  const stranger = await connected(new StreamableHTTPClientTransport(new URL(core.run.agentMcpUrl)), []);
  const { structuredContent } = await stranger.callTool({
    name: 'register_agent',
    arguments: { code: secret, name: 'Hera', id: 'hera' },
  });
  const { token } = Registration.parse(structuredContent);
  if (token === null) throw new Error('no token');
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  const heard = { session: [] as Heard, sse: [] as Heard, ws: [] as Heard };
  const agent = await connected(new StreamableHTTPClientTransport(new URL(core.run.agentMcpUrl), { requestInit }), heard.session);
  await connected(new SSEClientTransport(new URL(core.run.agentSseUrl), { requestInit }), heard.sse);
  await listening(token, heard.ws);
  const send = (body: string, kind = 'note') => rest.ok('POST', '/messages', { to: 'hera', kind, body });
  const acknowledgeAll = async (): Promise<void> => {
    const { messages } = Mail.parse(await agent.callTool({ name: 'get_messages', arguments: {} })).structuredContent;
    if (messages.length === 0) return;
    await agent.callTool({ name: 'mark_messages_read', arguments: { messageIds: messages.map(({ id }) => id) } });
  };
  const expectHeard = (hints: Heard): Promise<void> =>
    vi.waitFor(() => expect(heard).toEqual({ session: hints, sse: hints, ws: hints }), LONG);

  // A session's stream opens a moment after its client is connected: until then a hint reaches nobody there.
  await vi.waitFor(async () => {
    await acknowledgeAll();
    await send('Are you there?');
    for (const hints of Object.values(heard)) expect(hints.length).toBeGreaterThan(0);
  }, LONG);
  await acknowledgeAll();

  // Work in hand: what comes meanwhile is told of at once when it is done, and not before.
  await send('Work.', 'task');
  const taken = Mail.parse(await agent.callTool({ name: 'wait_for_messages', arguments: {} })).structuredContent;
  expect(taken.messages.map(({ kind }) => kind)).toEqual(['task']);
  await send('four');
  await send('five');
  await agent.callTool({ name: 'mark_messages_read', arguments: { messageIds: taken.messages.map(({ id }) => id) } });
  await vi.waitFor(() => {
    for (const hints of Object.values(heard)) expect(hints.at(-1)).toBe(2);
  }, LONG);
  // Until then there was one unread at most: while it worked it would have been two or three.
  for (const hints of Object.values(heard)) expect(Math.max(...hints.slice(0, -1))).toBe(1);
  await acknowledgeAll();
  for (const hints of Object.values(heard)) hints.length = 0;

  await send('one');
  await expectHeard([1]);
  await send('two');
  await agent.callTool({ name: 'get_messages', arguments: {} });
  await send('three');
  // Nothing was told of the second: it came before the agent had looked.
  await expectHeard([1, 3]);
});
