/** The agent port for callers without a token: one tool in four transports, and nothing else. */
import { afterEach, describe, expect, it } from 'vitest';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { WebSocketClientTransport } from '@modelcontextprotocol/sdk/client/websocket.js';
import { WebSocket } from 'ws';
import type { RegisterInput } from '#shared/enrolments/model.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import type { Caller } from '#core/caller.ts';
import { AGENT_HEADER, GATEWAY_HEADER } from '#shared/gateway/model.ts';
import { APPLICANT_BODY_BYTES, MAX_APPLICANTS } from './applicants.ts';
import type { TestDoors } from './testing/open-doors.ts';
import { openDoors, TOKENS } from './testing/open-doors.ts';

const open: TestDoors[] = [];
const clients: Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const doors of open.splice(0)) await doors.dispose();
});

const REGISTRATION = {
  status: 'pending' as const,
  agentId: null,
  projectId: null,
  token: null,
  requestId: 'qdr_x',
  check: 'A-1',
  heartbeatMs: null,
  next: 'Wait.',
};

async function opened(): Promise<{ doors: TestDoors; calls: { input: RegisterInput; caller: Caller }[] }> {
  const calls: { input: RegisterInput; caller: Caller }[] = [];
  const doors = await openDoors({
    enrolments: {
      register: (input, { caller }) => {
        calls.push({ input, caller });
        return Promise.resolve(REGISTRATION);
      },
    },
  });
  open.push(doors);
  return { doors, calls };
}

/** A request without a token. */
function post(doors: TestDoors, method: string, params: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(doors.info.agentMcpUrl, {
    method: 'POST',
    headers: { accept: 'application/json, text/event-stream', 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
}

type TransportName = 'http' | 'sse' | 'ws';

async function connected(doors: TestDoors, name: TransportName): Promise<Client> {
  const client = new Client({ name: 'outsider', version: '1' });
  clients.push(client);
  const { agentMcpUrl, agentSseUrl, agentWsUrl } = doors.info;
  await client.connect(
    name === 'http'
      ? new StreamableHTTPClientTransport(new URL(agentMcpUrl))
      : name === 'sse'
        ? new SSEClientTransport(new URL(agentSseUrl))
        : new WebSocketClientTransport(new URL(agentWsUrl)),
  );
  return client;
}

describe('a caller without a token', () => {
  it.each(['http', 'sse', 'ws'] as const)('finds register_agent over %s, and nothing else', async (name) => {
    const { doors, calls } = await opened();
    const client = await connected(doors, name);
    expect(client.getInstructions()).toContain('came without a token');
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['register_agent']);
    const answer = await client.callTool({ name: 'register_agent', arguments: { name: 'me' } });
    expect(answer.structuredContent).toEqual(REGISTRATION);
    expect(calls).toMatchObject([{ input: { name: 'me' }, caller: { role: 'applicant', door: 'agent-mcp' } }]);
    for (const tool of ['get_messages', 'send_message', 'discover_agents', 'whoami', 'spawn_agent', 'create_enrolment_code'])
      await expect(client.callTool({ name: tool, arguments: {} }), tool).rejects.toMatchObject({ code: -32602 });
    for (const asked of [client.listResources(), client.listPrompts(), client.listResourceTemplates()])
      await expect(asked).rejects.toThrow(/-32601|does not support/);
  });

  it('learns by no name which tools there are for others', async () => {
    const { doors } = await opened();
    const refused = async (tool: string): Promise<string> => {
      const answer = await post(doors, 'tools/call', { name: tool, arguments: {} });
      return (await answer.text()).replaceAll(tool, 'X');
    };
    expect(await refused('stop_all_agents')).toBe(await refused('no_such_tool'));
  });

  it('writes nothing into the journal by what it may not call', async () => {
    const { doors } = await opened();
    const events: JournalEvent[] = [];
    doors.test.journal.onCommitted((batch) => events.push(...batch));
    await post(doors, 'tools/call', { name: 'stop_all_agents', arguments: {} });
    await doors.test.store.write(() => undefined);
    expect(events).toEqual([]);
  });

  it('is nobody on the main port, and behind the gateway', async () => {
    const { doors, calls } = await opened();
    const json = { 'content-type': 'application/json' };
    expect(
      (await fetch(`${doors.info.apiUrl}/v1/enrolments:register`, { method: 'POST', headers: json, body: '{}' })).status,
    ).toBe(401);
    expect((await fetch(doors.info.mcpUrl, { method: 'POST', headers: json, body: '{}' })).status).toBe(401);
    for (const headers of [{ [AGENT_HEADER]: 'a1' }, { [GATEWAY_HEADER]: 'guess', [AGENT_HEADER]: 'a1' }])
      expect((await post(doors, 'tools/list', {}, headers as Record<string, string>)).status).toBe(403);
    expect((await post(doors, 'tools/list', {}, { authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await post(doors, 'tools/list', {}, { cookie: 'qd_session_1=x' })).status).toBe(401);
    expect((await fetch(doors.info.agentMcpUrl)).status).toBe(401);
    expect(calls).toEqual([]);
  });

  it('is refused a foreign Origin, as everybody is', async () => {
    const { doors } = await opened();
    expect((await post(doors, 'tools/list', {}, { origin: 'http://evil.example' })).status).toBe(403);
  });

  it('sends little: a large request is refused, and a large field is', async () => {
    const { doors, calls } = await opened();
    const large = await post(doors, 'tools/call', {
      name: 'register_agent',
      arguments: { name: 'x'.repeat(APPLICANT_BODY_BYTES) },
    });
    expect(large.status).toBe(413);
    const field = await post(doors, 'tools/call', { name: 'register_agent', arguments: { name: 'x'.repeat(1_000) } });
    expect(await field.text()).toContain('BAD_REQUEST');
    expect(calls).toEqual([]);
  });

  it('is one of few at once, and agents are not kept out by them', async () => {
    const { doors } = await opened();
    const sockets: WebSocket[] = [];
    for (let n = 0; n < MAX_APPLICANTS; n += 1) {
      const socket = new WebSocket(doors.info.agentWsUrl, 'mcp');
      sockets.push(socket);
      await new Promise((resolve, reject) => {
        socket.once('open', resolve);
        socket.once('error', reject);
      });
    }
    expect((await post(doors, 'tools/list', {})).status).toBe(429);
    expect((await post(doors, 'tools/list', {}, { authorization: `Bearer ${TOKENS.agent}` })).status).toBe(200);
    for (const socket of sockets) {
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.close();
      await closed;
    }
    await expect.poll(async () => (await post(doors, 'tools/list', {})).status, { timeout: 30_000 }).toBe(200);
  });
});
