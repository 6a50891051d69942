/** Sessions of Streamable HTTP over real doors: who they answer, what survives, and what the server says unasked. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { Server } from '@modelcontextprotocol/server';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import * as z from 'zod';
import { AgentId } from '#shared/kernel/ids.ts';
import { bearer, openDoors, TOKENS } from '#core/http/testing/open-doors.ts';
import type { TestDoors } from '#core/http/testing/open-doors.ts';
import { HttpSessions } from './http-sessions.ts';
import type { McpSession } from './server.ts';
import { MAIL_NOTIFICATION, WakeUps } from './wake-ups.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
};
const LIST = { jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} };
const JSON_AND_STREAMS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
/** A generous limit for what comes by itself, in milliseconds. */
const SOON = { timeout: 30_000 };

async function opened(options: Parameters<typeof openDoors>[1] = {}): Promise<TestDoors> {
  const doors = await openDoors({}, options);
  ends.push(async () => {
    expect(doors.bugs).toEqual([]);
    await doors.dispose();
  });
  return doors;
}

function post(url: string, body: unknown, token: string, id?: string): Promise<Response> {
  const headers = { ...JSON_AND_STREAMS, ...bearer(token), ...(id === undefined ? {} : { 'mcp-session-id': id }) };
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
}

function readerOf(response: Response): ReadableStreamDefaultReader<string> {
  if (response.body === null) throw new Error('There is no stream.');
  return response.body.pipeThrough(new TextDecoderStream()).getReader();
}

async function initialized(url: string, token: string = TOKENS.agent, capabilities: object = {}): Promise<string> {
  const response = await post(url, { ...INITIALIZE, params: { ...INITIALIZE.params, capabilities } }, token);
  expect(response.status).toBe(200);
  await response.text();
  const id = response.headers.get('mcp-session-id');
  expect(id).not.toBeNull();
  return id ?? '';
}

describe('a session', () => {
  it('is opened by initialize, answers its caller, and is gone after DELETE', async () => {
    const { info } = await opened();
    const id = await initialized(info.agentMcpUrl);
    const listed = await post(info.agentMcpUrl, LIST, TOKENS.agent, id);
    expect([listed.status, await listed.text()]).toEqual([200, expect.stringContaining('send_message')]);
    const deleted = await fetch(info.agentMcpUrl, {
      method: 'DELETE',
      headers: { ...bearer(TOKENS.agent), 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' },
    });
    expect(deleted.status).toBe(200);
    const after = await post(info.agentMcpUrl, LIST, TOKENS.agent, id);
    expect([after.status, await after.text()]).toEqual([404, expect.stringContaining('initialize')]);
  });

  it('does not exist for anybody else', async () => {
    const { info } = await opened();
    const id = await initialized(info.agentMcpUrl);
    expect((await post(info.agentMcpUrl, LIST, TOKENS.otherAgent, id)).status).toBe(404);
    const stream = await fetch(info.agentMcpUrl, {
      headers: { ...bearer(TOKENS.otherAgent), accept: 'text/event-stream', 'mcp-session-id': id },
    });
    expect(stream.status).toBe(404);
  });

  it('of an earlier core is no obstacle: the call is answered without one', async () => {
    const { info } = await opened();
    const answer = await post(info.agentMcpUrl, LIST, TOKENS.agent, 'deadbeef-of-another-core');
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('send_message')]);
    const stream = await fetch(info.agentMcpUrl, {
      headers: { ...bearer(TOKENS.agent), accept: 'text/event-stream', 'mcp-session-id': 'deadbeef-of-another-core' },
    });
    expect(stream.status).toBe(405);
  });

  it('answers a call in one piece: one that is cut fails at once, and is not waited for elsewhere', async () => {
    const { info } = await opened();
    const id = await initialized(info.agentMcpUrl);
    const answer = await post(info.agentMcpUrl, LIST, TOKENS.agent, id);
    expect(answer.headers.get('content-type')).toContain('application/json');
    expect(await answer.text()).toContain('send_message');
  });

  it('is not needed', async () => {
    const { info } = await opened();
    const answer = await post(info.agentMcpUrl, LIST, TOKENS.agent);
    expect([answer.status, answer.headers.get('mcp-session-id')]).toEqual([200, null]);
  });
});

/** Sessions over a bare server, with a clock of the test's own. */
async function sessionsOf(
  make: (session: McpSession) => Server,
  options: { readonly asksClients?: boolean } = {},
): Promise<{ url: string; sessions: HttpSessions; clock: { now: number } }> {
  const clock = { now: 1_000_000 };
  const sessions = new HttpSessions({
    connect: (transport, session) => make(session).connect(transport),
    now: () => clock.now,
    ...options,
  });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString('utf8');
      const id = request.headers.authorization ?? 'a';
      const session: McpSession = {
        caller: { actor: { kind: 'agent', id }, role: 'agent', door: 'agent-mcp', agentId: AgentId.parse('a') },
        toolset: 'core',
      };
      sessions.answer(request, response, text === '' ? undefined : JSON.parse(text), session).catch(() => response.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(async () => {
    await sessions.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  // Bound to a port, not to a pipe.
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, sessions, clock };
}

const bare = (): Server => new Server({ name: 'bare', version: '1' }, { capabilities: { tools: {} } });

describe('sessions', () => {
  it('of one caller are bounded: the one not used for longest makes room', async () => {
    const { url, sessions, clock } = await sessionsOf(bare);
    const first = await initialized(url, 'one');
    await initialized(url, 'another');
    for (let n = 0; n < 40; n += 1) {
      clock.now += 1;
      await initialized(url, 'one');
    }
    expect(sessions.size).toBe(33);
    expect((await post(url, LIST, 'one', first)).status).toBe(404);
  });

  it('end when nobody uses them, but not under an open stream', async () => {
    const { url, sessions, clock } = await sessionsOf(bare);
    const quiet = await initialized(url);
    const followed = await initialized(url);
    const abort = new AbortController();
    const stream = await fetch(url, {
      headers: { ...bearer(TOKENS.agent), accept: 'text/event-stream', 'mcp-session-id': followed },
      signal: abort.signal,
    });
    expect(stream.status).toBe(200);
    clock.now += 31 * 60_000;
    sessions.sweep();
    expect(sessions.size).toBe(1);
    expect((await post(url, LIST, TOKENS.agent, quiet)).status).toBe(404);
    abort.abort();
    await vi.waitFor(() => {
      clock.now += 31 * 60_000;
      sessions.sweep();
      expect(sessions.size).toBe(0);
    }, SOON);
  });

  it('replay to a stream that comes again what it missed, and nothing else', async () => {
    let server: Server | undefined;
    const { url } = await sessionsOf(() => (server = bare()));
    const id = await initialized(url);
    const say = (unread: number) => server?.notification({ method: MAIL_NOTIFICATION, params: { unread } });
    const headers = { ...bearer(TOKENS.agent), accept: 'text/event-stream', 'mcp-session-id': id };
    const abort = new AbortController();
    const stream = await fetch(url, { headers, signal: abort.signal });
    const reader = readerOf(stream);
    await say(1);
    let seen = '';
    while (!seen.includes('"unread":1')) seen += (await reader.read()).value ?? '';
    const lastId = /^id: ?(.+)$/m.exec(seen)?.[1] ?? '';
    abort.abort();
    await say(2);
    await say(3);
    // The broken stream is noticed when it is written to, or the new one is refused until then.
    const again = await vi.waitFor(async () => {
      const response = await fetch(url, { headers: { ...headers, 'last-event-id': lastId } });
      expect(response.status).toBe(200);
      return response;
    }, SOON);
    const replay = readerOf(again);
    let replayed = '';
    while (!replayed.includes('"unread":3')) replayed += (await replay.read()).value ?? '';
    expect(replayed).toContain('"unread":2');
    expect(replayed).not.toContain('"unread":1}');
    await replay.cancel();
  });
});

/**
 * Why clients of 2025 hung now and then when a server asked them something: a request that names no request of the client goes to
 * the stream that the client opens beside (GET). Before that is open it is dropped, and nobody ever answers. Named after the
 * request that it belongs to it goes where the client reads.
 */
const QUESTION = { messages: [{ role: 'user' as const, content: { type: 'text' as const, text: 'Well?' } }], maxTokens: 1 };
const ANSWERS = {
  ping: {},
  'sampling/createMessage': { model: 'm', role: 'assistant', content: { type: 'text', text: 'Well.' } },
};
const Question = z.object({ id: z.number(), method: z.enum(['ping', 'sampling/createMessage']) });

describe('what a server asks a client of 2025', () => {
  it('is lost when it names no request and the stream beside is not open, and arrives when it names one', async () => {
    const asked: Promise<unknown>[] = [];
    const { url } = await sessionsOf(
      () => {
        const server = bare();
        server.setRequestHandler('tools/list', async (_request, context) => {
          // These go onto the client's stream beside: what a call's own context offers as well.
          const unrelated = [server.ping(), context.mcpReq.requestSampling(QUESTION)];
          for (const question of unrelated) question.catch(() => undefined);
          asked.push(...unrelated);
          // And these onto the stream of the request that is being answered.
          const related = { relatedRequestId: context.mcpReq.id };
          await Promise.all([context.mcpReq.send({ method: 'ping' }), context.mcpReq.requestSampling(QUESTION, related)]);
          return { tools: [] };
        });
        return server;
      },
      { asksClients: true },
    );
    const id = await initialized(url, TOKENS.agent, { sampling: {} });
    const response = await post(url, LIST, TOKENS.agent, id);
    const reader = readerOf(response);
    let seen = '';
    while (!seen.includes('"ping"') || !seen.includes('"sampling/createMessage"')) seen += (await reader.read()).value ?? '';
    const questions = [...seen.matchAll(/^data: ?(\{.*"method":.+\})$/gm)].map(([, text]) =>
      Question.parse(JSON.parse(text ?? '{}')),
    );
    expect(questions.map(({ method }) => method).toSorted()).toEqual(['ping', 'sampling/createMessage']);
    for (const question of questions)
      await post(url, { jsonrpc: '2.0', id: question.id, result: ANSWERS[question.method] }, TOKENS.agent, id);
    while (!seen.includes('"tools":[]')) seen += (await reader.read()).value ?? '';
    // The call was answered; the other questions never reached anybody.
    const outcome = await Promise.race([Promise.race(asked).then(() => 'answered'), Promise.resolve('not answered')]);
    expect(outcome).toBe('not answered');
  });
});

describe('hints of mail', () => {
  it('reach agents that stay connected: by a session, by the older streams, by a WebSocket', async () => {
    const tell: ((changes: readonly { recipient: string; state: 'queued' }[]) => void)[] = [];
    const wakeUps = new WakeUps({
      onDeliveries: (listener) => {
        tell.push(listener);
        return { dispose: () => undefined };
      },
      onActivity: () => ({ dispose: () => undefined }),
      unreadOf: () => 7,
      heldBy: () => 0,
    });
    const { info } = await opened({ wakeUps });
    const hints: string[] = [];
    const listen = async (name: string, transport: unknown): Promise<void> => {
      const client = new Client({ name, version: '1' });
      client.fallbackNotificationHandler = async (notification) => {
        hints.push(`${name} ${notification.method} ${JSON.stringify(notification.params)}`);
      };
      // The SDK's transports predate exactOptionalPropertyTypes.
      await client.connect(transport as Transport);
      ends.push(() => client.close());
    };
    const requestInit = { headers: bearer(TOKENS.agent) };
    await listen('session', new StreamableHTTPClientTransport(new URL(info.agentMcpUrl), { requestInit }));
    await listen('sse', new SSEClientTransport(new URL(info.agentSseUrl), { requestInit }));
    const socket = new WebSocket(info.agentWsUrl, 'mcp', { headers: bearer(TOKENS.agent) });
    await new Promise((resolve) => socket.once('open', resolve));
    ends.push(async () => socket.terminate());
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as { method?: string; params?: unknown };
      if (message.method !== undefined) hints.push(`ws ${message.method} ${JSON.stringify(message.params)}`);
    });
    socket.send(JSON.stringify(INITIALIZE));
    // Told again until all three have heard: a session's stream opens a moment after its client is connected.
    const hint = `${MAIL_NOTIFICATION} {"unread":7}`;
    await vi.waitFor(() => {
      for (const listener of tell) listener([{ recipient: 'a1', state: 'queued' }]);
      expect(new Set(hints)).toEqual(new Set([`session ${hint}`, `sse ${hint}`, `ws ${hint}`]));
    }, SOON);
  });
});
