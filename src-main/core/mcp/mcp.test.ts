/** MCP as its clients see it: both SDKs, both protocol eras, four transports, and what malformed messages get. */
import { Client as ModernClient, StreamableHTTPClientTransport as ModernHttp } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { WebSocketClientTransport } from '@modelcontextprotocol/sdk/client/websocket.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { AppError } from '#shared/kernel/errors.ts';
import type { SomeHandlers, TestDoors } from '#core/http/testing/open-doors.ts';
import { offering } from './testing/offering.ts';
import { TOKENS, bearer, openDoors, tokenId } from '#core/http/testing/open-doors.ts';

const open: TestDoors[] = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const doors of open.splice(0)) {
    expect(doors.bugs).toEqual([]);
    await doors.dispose();
  }
});

const SOME: SomeHandlers = {
  agents: {
    list: async () => ({ agents: [], total: 0 }),
    get: async ({ id }) => Promise.reject(new AppError('NOT_FOUND', `There is no agent "${id}".`, { data: { id } })),
    discover: async (_input, { caller }) => ({
      agents: [
        {
          id: (caller.agentId ?? 'none') as never,
          type: 'worker',
          status: 'idle',
          capabilities: [],
          description: caller.door,
          says: null,
          load: { unread: 0, held: 0, slots: 1 },
          boundary: 'host',
        },
      ],
      total: 1,
    }),
  },
};

async function opened(some: SomeHandlers = SOME): Promise<TestDoors> {
  const doors = await openDoors(some);
  open.push(doors);
  return doors;
}

/** The SDK's WebSocket transport sends no headers; this gives its socket one. */
function socketsWithToken(token: string): void {
  vi.stubGlobal(
    'WebSocket',
    class extends WebSocket {
      constructor(url: string | URL, protocol: string) {
        super(url, protocol, { headers: bearer(token) });
      }
    },
  );
}

async function connected(transport: Transport): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  return client;
}

async function connectedHttp(doors: TestDoors, side: 'manage' | 'agent', query = ''): Promise<Client> {
  const url = side === 'manage' ? doors.info.mcpUrl : doors.info.agentMcpUrl;
  const headers = bearer(side === 'manage' ? TOKENS.operator : TOKENS.agent);
  return await connected(new StreamableHTTPClientTransport(new URL(`${url}${query}`), { requestInit: { headers } }) as Transport);
}

describe('the tools', () => {
  it('are those of the role: few by default, all when asked for, at most 25 in the core set', async () => {
    const doors = await opened();
    const names = async (client: Client): Promise<string[]> => (await client.listTools()).tools.map(({ name }) => name);
    const manage = await connectedHttp(doors, 'manage');
    const few = await names(manage);
    const all = await names(await connectedHttp(doors, 'manage', '?tools=full'));
    const agent = await names(await connectedHttp(doors, 'agent'));
    expect(few).toEqual(
      expect.arrayContaining(['spawn_agent', 'list_agents', 'get_agent', 'stop_agent', 'send_message', 'get_messages']),
    );
    expect(few.length).toBeLessThanOrEqual(25);
    expect(all).toEqual(expect.arrayContaining([...few, 'list_audit', 'whoami']));
    expect(agent.toSorted()).toEqual([
      'discover_agents',
      'extend_lease',
      'get_attachment',
      'get_messages',
      'list_topics',
      'mark_messages_read',
      'release_messages',
      'report_status',
      'request_reply',
      'send_message',
      'subscribe_topics',
      'unsubscribe_topics',
      'verify_message',
      'wait_for_messages',
    ]);
    expect(manage.getInstructions()).toContain('spawn_agent');
    const { tools } = await manage.listTools();
    const spawn = tools.find(({ name }) => name === 'spawn_agent');
    expect(spawn?.inputSchema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      properties: { type: { enum: ['worker', 'command', 'external'] } },
    });
    expect(tools.find(({ name }) => name === 'remove_agent')?.annotations).toMatchObject({
      destructiveHint: true,
      readOnlyHint: false,
    });
    expect(tools.find(({ name }) => name === 'list_agents')?.annotations).toMatchObject({
      destructiveHint: false,
      readOnlyHint: true,
    });
    for (const tool of tools) expect(tool.description?.length).toBeGreaterThan(20);
    const observer = await connected(
      new StreamableHTTPClientTransport(new URL(doors.info.mcpUrl), {
        requestInit: { headers: bearer(TOKENS.observer) },
      }) as Transport,
    );
    expect(await names(observer)).not.toContain('spawn_agent');
  });

  it('answer with structure and text, and say what was wrong in a way a model can use', async () => {
    const doors = await opened();
    const client = await connectedHttp(doors, 'manage');
    expect(await client.callTool({ name: 'list_agents' })).toMatchObject({
      structuredContent: { agents: [], total: 0 },
      content: [{ type: 'text', text: '{"agents":[],"total":0}' }],
    });
    expect(await client.callTool({ name: 'get_agent', arguments: { id: 'x' } })).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: containing('NOT_FOUND: There is no agent "x".') }],
      structuredContent: { error: { code: 'NOT_FOUND', data: { id: 'x' } } },
    });
    expect(await client.callTool({ name: 'spawn_agent', arguments: { type: 'robot' } })).toMatchObject({
      isError: true,
      content: [{ text: matching(/BAD_REQUEST.*"type".*worker/) }],
    });
    await expect(client.callTool({ name: 'no_such_tool' })).rejects.toMatchObject({
      code: -32602,
      message: containing('no_such_tool'),
    });
    // A tool of the full set may be called without being listed; one of the other side may not.
    expect(await client.callTool({ name: 'whoami' })).toMatchObject({
      isError: true,
      structuredContent: { error: { code: 'NOT_FOUND' } },
    });
    await expect(client.callTool({ name: 'report_status', arguments: {} })).rejects.toMatchObject({ code: -32602 });
  });
});

describe('every transport', () => {
  it('serves an agent as itself: Streamable HTTP, SSE and WebSocket, with the SDK 1.x and an old revision', async () => {
    const doors = await opened();
    socketsWithToken(TOKENS.agent);
    const init = { requestInit: { headers: bearer(TOKENS.agent) } };
    const transports: Transport[] = [
      new StreamableHTTPClientTransport(new URL(doors.info.agentMcpUrl), init) as Transport,
      offering(new StreamableHTTPClientTransport(new URL(doors.info.agentMcpUrl), init) as Transport, '2025-03-26'),
      offering(new StreamableHTTPClientTransport(new URL(doors.info.agentMcpUrl), init) as Transport, '2024-11-05'),
      new SSEClientTransport(new URL(doors.info.agentSseUrl), init),
      offering(new SSEClientTransport(new URL(doors.info.agentSseUrl), init), '2024-11-05'),
      offering(new WebSocketClientTransport(new URL(doors.info.agentWsUrl)), '2024-11-05'),
      new WebSocketClientTransport(new URL(doors.info.agentWsUrl)),
    ];
    for (const transport of transports) {
      const client = await connected(transport);
      expect(client.getInstructions()).toContain('wait_for_messages');
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain('send_message');
      expect(await client.callTool({ name: 'discover_agents' })).toMatchObject({
        structuredContent: { agents: [{ id: 'a1', description: 'agent-mcp' }] },
      });
      await expect(client.callTool({ name: 'spawn_agent', arguments: {} })).rejects.toMatchObject({ code: -32602 });
      await client.close();
    }
    await expect.poll(() => doors.doors.counts()).toEqual({ calls: 0, sockets: 0 });
  });

  it('serves management over a WebSocket too', async () => {
    const doors = await opened();
    socketsWithToken(TOKENS.operator);
    const url = new URL(`${doors.info.mcpUrl.replace('http', 'ws')}/ws?tools=full`);
    const client = await connected(new WebSocketClientTransport(url));
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('list_audit');
    await client.close();
  });

  it('serves the SDK 2.x in both eras', async () => {
    const doors = await opened();
    for (const mode of ['legacy', 'auto', { pin: '2026-07-28' }] as const) {
      const client = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
      await client.connect(new ModernHttp(new URL(doors.info.mcpUrl), { requestInit: { headers: bearer(TOKENS.operator) } }));
      expect(client.getInstructions()).toContain('spawn_agent');
      expect((await client.listTools()).tools.length).toBeGreaterThan(5);
      expect(await client.callTool({ name: 'list_agents', arguments: {} })).toMatchObject({
        structuredContent: { agents: [], total: 0 },
      });
      expect(await client.callTool({ name: 'get_agent', arguments: { id: 'x' } })).toMatchObject({ isError: true });
      await expect(client.callTool({ name: 'no_such_tool', arguments: {} })).rejects.toMatchObject({ code: -32602 });
      await client.close();
    }
  });
});

describe('a caller that goes away', () => {
  it('ends what it waited for, in every transport', async () => {
    const reasons: string[] = [];
    const wait = async (_input: unknown, { signal }: { signal: AbortSignal }): Promise<never> =>
      await new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reasons.push('aborted');
          reject(new Error('aborted'));
        });
      });
    const doors = await opened({ messages: { wait } });
    socketsWithToken(TOKENS.agent);
    const init = { requestInit: { headers: bearer(TOKENS.agent) } };
    const modern = new ModernClient({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } });
    await modern.connect(new ModernHttp(new URL(doors.info.agentMcpUrl), init));
    const clients = [
      await connected(new StreamableHTTPClientTransport(new URL(doors.info.agentMcpUrl), init) as Transport),
      await connected(new SSEClientTransport(new URL(doors.info.agentSseUrl), init)),
      await connected(new WebSocketClientTransport(new URL(doors.info.agentWsUrl))),
      modern,
    ];
    let expected = 0;
    for (const client of clients) {
      const waiting = client.callTool({ name: 'wait_for_messages', arguments: {} });
      waiting.catch(() => undefined);
      await expect.poll(() => doors.doors.counts().calls).toBe(1);
      await client.close();
      expected += 1;
      await expect.poll(() => reasons.length).toBe(expected);
      await expect.poll(() => doors.doors.counts().calls).toBe(0);
    }
  });

  it('and one that cancels a call ends only that call', async () => {
    let aborted = 0;
    const doors = await opened({
      ...SOME,
      messages: {
        wait: async (_input, { signal }) =>
          await new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              aborted += 1;
              reject(new Error('aborted'));
            });
          }),
      },
    });
    socketsWithToken(TOKENS.agent);
    const client = await connected(new WebSocketClientTransport(new URL(doors.info.agentWsUrl)));
    const stop = new AbortController();
    const waiting = client.callTool({ name: 'wait_for_messages', arguments: {} }, undefined, { signal: stop.signal });
    waiting.catch(() => undefined);
    await expect.poll(() => doors.doors.counts().calls).toBe(1);
    stop.abort();
    await expect.poll(() => aborted).toBe(1);
    expect(await client.callTool({ name: 'discover_agents' })).toMatchObject({ structuredContent: { agents: [{ id: 'a1' }] } });
    await client.close();
  });
});

describe('malformed messages', () => {
  it('get the errors of JSON-RPC', async () => {
    const doors = await opened();
    const post = async (body: string, headers: Record<string, string> = {}): Promise<{ status: number; body: unknown }> => {
      const answer = await fetch(doors.info.mcpUrl, {
        method: 'POST',
        body,
        headers: {
          ...bearer(TOKENS.operator),
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          ...headers,
        },
      });
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? null : (JSON.parse(text.replace(/^.*data: /s, '')) as unknown) };
    };
    for (const body of ['{"jsonrpc"', 'nonsense', '"'])
      expect(await post(body)).toMatchObject({ status: 400, body: { jsonrpc: '2.0', id: null, error: { code: -32700 } } });
    for (const body of [
      '{}',
      '5',
      'null',
      '""',
      '[]',
      '{"jsonrpc":"1.0","id":1,"method":"ping"}',
      '{"jsonrpc":"2.0","id":{},"method":"ping"}',
      '{"jsonrpc":"2.0","method":5}',
    ]) {
      expect([body, await post(body)]).toMatchObject([body, { status: 400, body: { jsonrpc: '2.0', error: { code: -32600 } } }]);
    }
    expect(await post('')).toMatchObject({ status: 400, body: { error: { code: -32600 } } });
    expect((await post('{}', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await post(`{"jsonrpc":"2.0","id":1,"method":"${'x'.repeat(1_100_000)}"}`)).status).toBe(413);
    expect(await post('{"jsonrpc":"2.0","id":7,"method":"no/such"}')).toMatchObject({ body: { id: 7, error: { code: -32601 } } });
    expect(await post('{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":5}}')).toMatchObject({
      body: { id: 8, error: { code: -32602 } },
    });
    for (const method of ['GET', 'DELETE', 'PUT']) {
      const answer = await fetch(doors.info.mcpUrl, { method, headers: bearer(TOKENS.operator) });
      expect([method, answer.status, answer.headers.get('allow')]).toEqual([method, 405, 'POST']);
    }
  });

  it('do not end a WebSocket', async () => {
    const doors = await opened();
    const socket = new WebSocket(doors.info.agentWsUrl, 'mcp', { headers: bearer(TOKENS.agent) });
    const answers: unknown[] = [];
    socket.on('message', (data: Buffer) => answers.push(JSON.parse(data.toString())));
    await new Promise((resolve) => socket.once('open', resolve));
    for (const frame of ['{', '{}', '{"jsonrpc":"2.0","id":3,"method":"ping"}']) socket.send(frame);
    await expect
      .poll(() => answers)
      .toMatchObject([{ id: null, error: { code: -32700 } }, { error: { code: -32600 } }, { id: 3, result: {} }]);
    socket.close();
  });

  it('and the wrong token gets nowhere near a stream', async () => {
    const doors = await opened();
    const stream = await fetch(doors.info.agentSseUrl, { headers: bearer(TOKENS.agent) });
    const reader = stream.body?.getReader();
    const first = await reader?.read();
    const path = /data: (\S+)/.exec(new TextDecoder().decode(first?.value))?.[1] ?? '';
    expect(path).toContain('/messages?sessionId=');
    const post = async (token: string, address: string): Promise<number> =>
      (
        await fetch(new URL(address, doors.info.agentMcpUrl), {
          method: 'POST',
          headers: { ...bearer(token), 'content-type': 'application/json' },
          body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
        })
      ).status;
    expect(await post(TOKENS.otherAgent, path)).toBe(403);
    expect(await post(TOKENS.agent, '/messages?sessionId=none')).toBe(404);
    expect(await post(TOKENS.agent, path)).toBe(202);
    // Revoking the token ends the stream.
    doors.gatekeeper.revoke(tokenId(3));
    const drained = async (): Promise<void> => {
      for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) expect(part.value).toBeDefined();
    };
    await expect(drained()).rejects.toThrow('terminated');
  });
});

/** vitest's own matcher is of type any. */
function containing(text: string): unknown {
  return expect.stringContaining(text);
}

/** vitest's own matcher is of type any. */
function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}
