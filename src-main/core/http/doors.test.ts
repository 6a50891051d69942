/** The main port as a client sees it: who is let in, what is refused and how. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import type { TestDoors } from './testing/open-doors.ts';
import { LOGIN_CODE, SESSION, TOKENS, bearer, openDoors, tokenId } from './testing/open-doors.ts';

const open: TestDoors[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const doors of open.splice(0)) {
    await doors.dispose();
    expect(doors.gatekeeper.listeners).toBe(0);
  }
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

async function opened(...args: Parameters<typeof openDoors>): Promise<TestDoors> {
  const doors = await openDoors(...args);
  open.push(doors);
  return doors;
}

interface RawAnswer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** A request with any Host and any raw path: fetch would normalise both. */
async function raw(
  url: string,
  options: { method?: string; path?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<RawAnswer> {
  const { hostname, port, pathname, search } = new URL(url);
  return await new Promise((resolve, reject) => {
    const sent = httpRequest(
      {
        hostname,
        port,
        method: options.method ?? 'GET',
        path: options.path ?? `${pathname}${search}`,
        headers: options.headers ?? {},
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString('utf8') }),
        );
      },
    );
    sent.on('error', reject);
    sent.end(options.body);
  });
}

describe('who is let in', () => {
  it('answers health without a token, and everything else with 401 and what to do', async () => {
    const { info } = await opened();
    const health = await fetch(`${info.apiUrl}/health`);
    expect(await health.json()).toEqual({ status: 'ok', version: '1.2.3' });
    for (const path of ['/api/v1/agents', '/api/stats', '/metrics', '/mcp', '/api/agents', '/api/nothing']) {
      const answer = await fetch(new URL(path, info.url));
      expect([path, answer.status]).toEqual([path, 401]);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(await answer.json()).toMatchObject({ code: 'UNAUTHORIZED', message: containing('operator-token') });
    }
    for (const authorization of ['Bearer wrong', 'Basic b3A6', 'Bearer']) {
      expect((await fetch(`${info.apiUrl}/v1/agents`, { headers: { authorization } })).status).toBe(401);
    }
  });

  it('refuses a foreign Host and a foreign Origin on every route and upgrade', async () => {
    const { info, fetch: asOperator } = await opened();
    const { port } = new URL(info.url);
    for (const [url, paths] of [
      [info.url, ['/', '/assets/x.js', '/api/health', '/api/v1/agents', '/mcp', '/metrics', '/login', '/rpc']],
      [info.agentMcpUrl, ['/mcp', '/sse', '/messages', '/ws']],
    ] as const) {
      for (const path of paths) {
        const host = await raw(url, { path, headers: { host: `evil.example:${port}`, ...bearer(TOKENS.operator) } });
        expect([path, host.status]).toEqual([path, 403]);
        const origin = await raw(url, { path, headers: { origin: 'https://evil.example', ...bearer(TOKENS.operator) } });
        expect([path, origin.status]).toEqual([path, 403]);
        const upgrade = await raw(url, {
          path,
          headers: { origin: 'https://evil.example', connection: 'Upgrade', upgrade: 'websocket', ...bearer(TOKENS.operator) },
        });
        expect([path, upgrade.status]).toEqual([path, 403]);
      }
    }
    expect((await raw(info.url, { path: '/api/health', headers: { host: `localhost:${Number(port) + 1}` } })).status).toBe(403);
    expect((await raw(info.url, { path: '/api/health', headers: { origin: 'null' } })).status).toBe(403);
    expect((await raw(info.url, { path: '/api/health', headers: { origin: 'app://bundle' } })).status).toBe(200);
    // No answer invites other pages.
    const answer = await asOperator('/api/v1/agents', { headers: { origin: `http://127.0.0.1:${port}` } });
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('takes the names of --allow-host', async () => {
    const { info } = await opened({}, { allowHosts: ['deck.example'] });
    expect(
      (await raw(info.url, { path: '/api/health', headers: { host: 'deck.example', origin: 'https://deck.example' } })).status,
    ).toBe(200);
    expect((await raw(info.url, { path: '/api/health', headers: { host: 'other.example' } })).status).toBe(403);
  });

  it('never takes a token from an address', async () => {
    const { info } = await opened();
    for (const name of ['token', 'access_token', 'Token', 'api_key']) {
      const answer = await fetch(`${info.apiUrl}/v1/agents?${name}=${TOKENS.operator}`);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ message: containing('Authorization: Bearer') });
    }
  });

  it('keeps agents on their port and the others off it', async () => {
    const { info } = await opened();
    const wrongSide = await fetch(`${info.apiUrl}/v1/agents`, { headers: bearer(TOKENS.agent) });
    expect(wrongSide.status).toBe(403);
    expect(await wrongSide.json()).toMatchObject({ code: 'FORBIDDEN', message: containing('agent port') });
    const other = await fetch(info.agentMcpUrl, { method: 'POST', headers: bearer(TOKENS.operator) });
    expect(other.status).toBe(403);
    expect(await other.json()).toMatchObject({ message: containing('main port') });
  });
});

describe('the browser', () => {
  it('logs in once with a code, works by cookie, and changes things only from its own page', async () => {
    const { info } = await opened({
      auth: { whoami: async (_input, { caller }) => ({ actor: caller.actor, role: caller.role, door: caller.door }) },
    });
    const { origin } = new URL(info.url);
    const login = async (code: string, from: string = origin): Promise<Response> =>
      await fetch(new URL('/login', info.url), {
        method: 'POST',
        headers: { origin: from, 'content-type': 'application/json' },
        body: JSON.stringify({ code }),
      });
    expect((await fetch(new URL('/login', info.url), { method: 'POST', body: '{}' })).status).toBe(403);
    const answer = await login(LOGIN_CODE);
    expect(answer.status).toBe(200);
    const cookie = answer.headers.get('set-cookie') ?? '';
    const name = `qd_session_${new URL(info.url).port}`;
    expect(cookie).toContain(`${name}=${SESSION};`);
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/']) expect(cookie).toContain(part);
    expect((await login(LOGIN_CODE)).status).toBe(401);

    const headers = { cookie: `other=1; ${name}=${SESSION}` };
    const whoami = await fetch(`${info.apiUrl}/v1/auth/whoami`, { headers });
    expect(await whoami.json()).toEqual({ actor: { kind: 'operator', id: 'operator' }, role: 'operator', door: 'web' });
    const json = { ...headers, 'content-type': 'application/json' };
    expect((await fetch(`${info.apiUrl}/v1/messages`, { method: 'POST', headers: json, body: '{}' })).status).toBe(403);
    expect((await fetch(`${info.apiUrl}/v1/messages`, { method: 'POST', headers: { ...json, origin }, body: '{}' })).status).toBe(
      400,
    );
    // The agent port knows no cookies.
    expect((await fetch(info.agentMcpUrl, { method: 'POST', headers })).status).toBe(401);
  });

  it('stops whoever guesses codes', async () => {
    const { info } = await opened();
    const { origin } = new URL(info.url);
    const statuses = [];
    for (let i = 0; i < 12; i += 1) {
      const answer = await fetch(new URL('/login', info.url), {
        method: 'POST',
        headers: { origin, 'content-type': 'application/json' },
        body: JSON.stringify({ code: `guess-${i}` }),
      });
      statuses.push([answer.status, answer.headers.has('retry-after')]);
    }
    expect(statuses).toEqual([...Array.from({ length: 10 }, () => [401, false]), [429, true], [429, true]]);
  });

  it('serves the window from its folder and from nowhere else, with a strict policy', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'qd-window-'));
    folders.push(folder);
    mkdirSync(join(folder, 'built/assets'), { recursive: true });
    writeFileSync(join(folder, 'secret.txt'), 'secret');
    writeFileSync(join(folder, 'built/index.html'), '<!doctype html><title>window</title>');
    writeFileSync(join(folder, 'built/assets/index-Ab12Cd34.js'), 'export {}');
    symlinkSync(join(folder, 'secret.txt'), join(folder, 'built/link.txt'));
    const { info } = await opened({}, { rendererDir: join(folder, 'built') });

    const index = await fetch(info.url);
    expect(await index.text()).toContain('window');
    const policy = index.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(index.headers.get('x-content-type-options')).toBe('nosniff');
    expect(index.headers.get('cache-control')).toBe('no-cache');
    expect(await (await fetch(new URL('/agents/a1', info.url))).text()).toContain('window');
    const asset = await fetch(new URL('/assets/index-Ab12Cd34.js', info.url));
    expect(asset.headers.get('cache-control')).toContain('immutable');
    expect(asset.headers.get('content-type')).toContain('text/javascript');
    // An agent's name may hold dots; an escape that means nothing is for the window to say.
    for (const path of ['/agent/e2e.nightly', '/agent/%00', '/agent/%zz', '/message/%c3%28', '/%zz', '/agent/a/b/c.js'])
      expect([path, (await raw(info.url, { path })).body.includes('window')]).toEqual([path, true]);
    for (const path of ['/assets/none.js', '/assets/%zz', '/assets/none', '/none.txt', '/.well-known/oauth-protected-resource'])
      expect([path, (await raw(info.url, { path })).status]).toEqual([path, 404]);
    expect((await fetch(info.url, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(info.url, { method: 'POST' })).status).toBe(405);

    const attempts = [
      '/../secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e/secret.txt',
      '/assets/../../secret.txt',
      '/..\\secret.txt',
      '/%5c..%5csecret.txt',
      '/link.txt',
      '/%00',
      '/assets/%c0%ae%c0%ae/secret.txt',
      '//secret.txt',
      '/.%2e/secret.txt',
    ];
    for (const path of attempts) {
      const answer = await raw(info.url, { path });
      expect([path, answer.body.includes('secret')]).toEqual([path, false]);
      expect([200, 400, 404]).toContain(answer.status);
    }
  });

  it('says how to build the window when it is missing', async () => {
    const { info } = await opened({}, { rendererDir: '/nonexistent/renderer' });
    const answer = await fetch(info.url);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('npm run build');
  });
});

describe('REST', () => {
  it('answers bad requests with a status and a sentence that helps', async () => {
    const { fetch: call, info, bugs } = await opened();
    const post = async (body: string, type = 'application/json'): Promise<Response> =>
      await call('/api/v1/agents', { method: 'POST', headers: { 'content-type': type }, body });
    const cases: [() => Promise<Response>, number, RegExp][] = [
      [() => post('{"type":'), 400, /not valid JSON/],
      [() => post('[]'), 400, /JSON object/],
      [() => post('hello', 'text/plain'), 400, /content-type: application\/json/],
      [() => post('{"type":"robot"}'), 400, /"type".*worker/],
      [() => post('{"name":"x"}'), 400, /"name" is not known here \(allowed: id, type,/],
      [() => post('{"id":"Bad Id","type":"worker"}'), 400, /"id" must be 1 to 63/],
      [
        () => post('{"resourceLimits":{"memory":"lots"},"type":"worker"}'),
        400,
        /"resourceLimits.memory" must be a size above 0 such as "512MB"/,
      ],
      [() => call('/api/v1/agents?limit=many'), 400, /"limit"/],
      [() => call('/api/v1/agents?limit=1000'), 400, /"limit"/],
      [() => call('/api/v1/nothing'), 404, /openapi/],
      [() => call('/api/nothing'), 404, /openapi/],
      [() => call('/api/v1/agents/a1/start'), 405, /POST/],
      [() => call('/api/v1/agents', { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{}' }), 405, /GET/],
      [() => post(JSON.stringify({ description: 'x'.repeat(2_000_000) })), 413, /1048576 bytes/],
      [
        () =>
          call('/api/v1/messages', {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: '{"to":5,"body":"x"}',
          }),
        400,
        /"to".*operator/,
      ],
      [
        () => call('/api/v1/messages', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }),
        400,
        /"to" is missing.*"body" is missing/,
      ],
    ];
    for (const [send, status, text] of cases) {
      const answer = await send();
      const body: unknown = await answer.json();
      expect({ status: answer.status, body }).toMatchObject({ status, body: { message: matching(text) } });
    }
    expect((await call('/api/v1/agents', { method: 'PUT' })).headers.get('allow')).toBe('POST, GET');
    expect((await raw(info.url, { path: '/api/health', headers: { 'x-large': 'y'.repeat(20_000) } })).status).toBe(431);
    expect(bugs).toEqual([]);
  });

  it('tells paths that differ after a colon apart, and reads numbers and flags in a query', async () => {
    const seen: unknown[] = [];
    const inbox = async (input: unknown): Promise<{ messages: []; unread: number }> => {
      seen.push(input);
      return { messages: [], unread: 0 };
    };
    const { fetch: call } = await opened({
      messages: { inbox, wait: inbox, markRead: async () => ({ marked: 7 }) },
      agents: { discover: async () => ({ agents: [], total: 0 }) },
    });
    const post = async (path: string, body: unknown): Promise<unknown> =>
      await (
        await call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
      ).json();
    expect(await post('/api/v1/inbox:read', { messageIds: ['msg_00000000-0000-7000-8000-000000000001'] })).toEqual({ marked: 7 });
    expect(await post('/api/v1/inbox:wait', { timeoutMs: 5 })).toEqual({ messages: [], unread: 0 });
    expect((await call('/api/v1/inbox?unreadOnly=false&limit=7')).status).toBe(200);
    expect((await call('/api/v1/agents:discover')).status).toBe(200);
    expect((await call('/api/v1/agents%3Adiscover')).status).toBe(404);
    expect(seen).toEqual([
      { timeoutMs: 5, limit: 50 },
      { unreadOnly: false, limit: 7 },
    ]);
  });

  it('describes itself completely, and shows it on a page that needs nothing from elsewhere', async () => {
    const { info } = await opened();
    const document = (await (await fetch(`${info.apiUrl}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
      components: unknown;
    };
    expect(Object.keys(document.paths)).toContain('/agents:stop-all');
    expect(Object.keys(document.paths['/agents']?.['post']?.responses ?? {})).toEqual(
      expect.arrayContaining(['200', '400', '403', '409']),
    );
    expect(document.components).toMatchObject({ securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } });
    const page = await (await fetch(`${info.apiUrl}/docs`)).text();
    expect(page).not.toMatch(/https?:|<script>|style=/);
    for (const file of ['docs.js', 'docs.css']) expect((await fetch(`${info.apiUrl}/docs/${file}`)).status).toBe(200);
  });

  it('shows measurements to whoever has a token', async () => {
    const { fetch: call } = await opened({ agents: { list: async () => ({ agents: [], total: 0 }) } });
    await call('/api/v1/agents');
    const text = await (await call('/metrics')).text();
    expect(text).toContain('quarterdeck_calls_total{procedure="agents.list",door="rest",outcome="ok"} 1');
    expect((await call('/api/stats')).status).toBe(404);
  });
});

describe("AgentFlow's paths", () => {
  it('reach the same procedures, and say what is not there', async () => {
    const calls: unknown[] = [];
    const note = (name: string) => async (input: unknown) => {
      calls.push([name, input]);
      throw new Error('enough');
    };
    const messageId = 'msg_00000000-0000-7000-8000-000000000001';
    const { fetch: call } = await opened({
      agents: {
        list: async () => ({ agents: [], total: 0 }),
        remove: async ({ id }) => ({ id, isRemoved: true as const }),
        stop: note('stop'),
        start: note('start'),
      },
      messages: {
        send: async (input) => {
          calls.push(['send', input.to, input.kind, input.body, input.data]);
          return {
            messageId: messageId as never,
            threadId: messageId as never,
            recipients: ['a1'],
            refused: [],
            isDuplicate: false,
          };
        },
      },
    });
    const send = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> => {
      const answer = await call(path, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      return { status: answer.status, body: await answer.json() };
    };
    expect(await send('GET', '/api/agents')).toEqual({ status: 200, body: { agents: [], total: 0 } });
    expect((await send('POST', '/api/agents/create', { id: 'x', type: 'claude-code' })).status).toBe(400);
    expect(await send('POST', '/api/agents/a1/messages', { type: 'task', action: 'build', files: ['a'] })).toMatchObject({
      status: 201,
      body: { messageId },
    });
    expect(calls.pop()).toEqual(['send', 'a1', 'task', 'build', { type: 'task', action: 'build', files: ['a'] }]);
    expect(await send('PATCH', '/api/agents/a1', { operation: 'checkpoint' })).toMatchObject({
      status: 501,
      body: { message: containing('not part of this version') },
    });
    expect(await send('PATCH', '/api/agents/a1', { operation: 'explode' })).toMatchObject({ status: 400 });
    expect((await send('PATCH', '/api/agents/a1', { operation: 'stop', force: true })).status).toBe(500);
    expect(calls.pop()).toEqual(['stop', { id: AgentId.parse('a1'), force: true, graceMs: 5_000 }]);
    expect(await send('POST', '/api/agents', { operation: 'remove', agentIds: ['a1', 'a2'] })).toEqual({
      status: 200,
      body: {
        results: [
          { id: 'a1', ok: true },
          { id: 'a2', ok: true },
        ],
      },
    });
    expect(await send('PUT', '/api/agents/a1/status', {})).toMatchObject({ status: 501 });
    expect(await send('DELETE', '/api/agents/a1/messages')).toMatchObject({ status: 501 });
    expect(await send('POST', '/api/agents/a1/status', { doing: 'x' })).toMatchObject({ status: 403 });
    expect(await send('PUT', '/api/orchestrator', {})).toMatchObject({ status: 501 });
    expect(await send('POST', '/api/agents/a1', {})).toMatchObject({ status: 405 });
  });
});

describe('clients that stall', () => {
  it('are told off when their request does not arrive', async () => {
    const { info } = await opened({}, { limits: { headersMs: 200, requestMs: 300, checkMs: 50 } });
    const { port } = new URL(info.url);
    const slow = async (text: string): Promise<string> =>
      await new Promise((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1', () => socket.write(text));
        const chunks: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => chunks.push(chunk));
        socket.on('close', () => resolve(Buffer.concat(chunks).toString('utf8')));
        socket.on('error', reject);
      });
    expect(await slow('GET /api/health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow')).toContain('408');
    expect(
      await slow(
        `POST /login HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: http://127.0.0.1:${port}\r\nContent-Length: 100\r\n\r\n{`,
      ),
    ).toContain('408');
    expect(await slow('not http\r\n\r\n')).toContain('400');
  });

  it('and those that only sit there do not keep others out', async () => {
    const { info } = await opened();
    const { port } = new URL(info.url);
    const idle = Array.from({ length: 300 }, () => connect(Number(port), '127.0.0.1'));
    await Promise.all(idle.map(async (socket) => await new Promise((resolve) => socket.once('connect', resolve))));
    const startedAt = performance.now();
    expect((await fetch(`${info.apiUrl}/health`)).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    for (const socket of idle) socket.destroy();
  });
});

describe('the end', () => {
  it('ends long polls with a retryable error, within two seconds, whoever hangs on', async () => {
    const doors = await openDoors({
      messages: {
        wait: async (_input, { signal }) =>
          await new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          }),
      },
    });
    const poll = doors.fetch('/api/v1/inbox:wait', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const idle = connect(Number(new URL(doors.info.url).port), '127.0.0.1');
    idle.on('error', () => undefined);
    await expect.poll(() => doors.doors.counts().calls).toBe(1);
    const startedAt = performance.now();
    await doors.dispose();
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    const answer = await poll;
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'UNAVAILABLE' });
    idle.destroy();
    await expect(fetch(`${doors.info.apiUrl}/health`)).rejects.toThrow('fetch failed');
  });

  it('closes what is open for a revoked token', async () => {
    const { info, gatekeeper, doors } = await opened({ journal: { follow: async (_input, { signal }) => forever(signal) } });
    const stream = await fetch(`${info.apiUrl}/v1/journal:follow?after=0`, { headers: bearer(TOKENS.observer) });
    expect(stream.status).toBe(200);
    const reading = stream.text();
    gatekeeper.revoke(tokenId(1));
    await expect(reading).rejects.toThrow('terminated');
    await expect.poll(() => doors.counts().calls).toBe(0);
    expect((await fetch(`${info.apiUrl}/v1/agents`, { headers: bearer(TOKENS.observer) })).status).toBe(401);
  });
});

async function* forever(signal: AbortSignal): AsyncGenerator<{ type: 'heartbeat'; seq: number }, void, void> {
  yield { type: 'heartbeat', seq: 0 };
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve());
  });
}

/** vitest's own matcher is of type any. */
function containing(text: string): unknown {
  return expect.stringContaining(text);
}

/** vitest's own matcher is of type any. */
function matching(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}
