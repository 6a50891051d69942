/** Bad input at every door of a real core: a clear error each time, and nothing that was sent before is lost. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createORPCClient, ORPCError } from '@orpc/client';
import { RPCLink } from '@orpc/client/websocket';
import type { ContractRouterClient } from '@orpc/contract';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import * as z from 'zod';
import { refusalFor } from '#shared/auth/authorise.ts';
import type { Contract } from '#shared/contract.ts';
import { contract } from '#shared/contract.ts';
import { AgentId } from '#shared/kernel/ids.ts';
import { BAD_CASES } from '#e2e/support/bad-cases.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import type { Raw, RawAnswer } from '#e2e/support/raw-http.ts';
import { rawRequest, rawUpgrade } from '#e2e/support/raw-http.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { REPOSITORY } from '#e2e/support/this-repository.ts';

/** Matchers are `any` by their types. */
const containing = (text: string): string => expect.stringContaining(text) as string;
const matching = (pattern: RegExp): string => expect.stringMatching(pattern) as string;
const ANY_TEXT = expect.any(String) as string;

let core: TestCore;
let rest: RestClient;
let folder: string;
/** The token of a running agent, as it finds it in its environment. */
let agentToken: string;
const tokens = new Map<string, string>();
const sent: string[] = [];

const Sent = z.object({ messageId: z.string() });
const ErrorBody = z.looseObject({ code: z.string(), message: z.string() });

beforeAll(async () => {
  core = await startCore();
  rest = new RestClient(core);
  folder = join(core.dataDir, 'project');
  mkdirSync(folder);
  await rest.ok('POST', '/agents', {
    id: 'printer',
    type: 'command',
    command: ['sh', '-c', 'printf %s "$QUARTERDECK_AGENT_TOKEN" > new; mv new token; exec sleep 1000'],
    projectFolder: folder,
  });
  await vi.waitFor(() => (agentToken = readFileSync(join(folder, 'token'), 'utf8')), { timeout: 20_000, interval: 50 });
  for (const role of ['observer', 'automation']) {
    const { secret } = z.object({ secret: z.string() }).parse(await rest.ok('POST', '/auth/tokens', { name: role, role }));
    tokens.set(role, secret);
  }
  for (const to of ['printer', 'operator'])
    sent.push(Sent.parse(await rest.ok('POST', '/messages', { to, body: `to ${to}, before it all` })).messageId);
}, 60_000);

afterAll(async () => {
  expect(await core.stop()).toBe(0);
  removeDataDir(core.dataDir);
}, 60_000);

/** A request with the operator's token, unless it states another. */
const raw = (base: string, options: Omit<Raw, 'token'>): Promise<RawAnswer> =>
  rawRequest(base, { token: core.token, ...options });

const agentBase = (): string => new URL('/', core.run.agentMcpUrl).href;

describe('REST', () => {
  it.each(BAD_CASES)('says what is wrong with $what', async ({ method, path, input, code, status, says }) => {
    const answer = await rest.call(method, path, method === 'GET' ? undefined : input);
    expect(answer.status).toBe(status);
    expect(ErrorBody.parse(answer.body)).toMatchObject({ code, message: matching(says) });
  });

  it('refuses what is no JSON, a route that is none, and a body beyond all bounds', async () => {
    const malformed = await raw(core.run.apiUrl, { path: '/api/v1/messages', body: '{"to": "operator", ' });
    expect([malformed.status, malformed.text]).toEqual([400, containing('JSON')]);
    expect((await rest.call('POST', '/no-such-thing', {})).status).toBe(404);
    const huge = await raw(core.run.apiUrl, {
      path: '/api/v1/messages',
      body: JSON.stringify({ to: 'operator', body: 'x'.repeat(3_000_000) }),
    });
    expect([huge.status, huge.text]).toEqual([413, containing('PAYLOAD_TOO_LARGE')]);
  });
});

describe('the contract over a WebSocket', () => {
  let socket: WebSocket;
  let client: ContractRouterClient<Contract>;

  beforeAll(async () => {
    const url = new URL('/rpc', core.run.url);
    url.protocol = 'ws:';
    socket = new WebSocket(url, { headers: { authorization: `Bearer ${core.token}` } });
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    client = createORPCClient(new RPCLink({ websocket: socket }));
  });
  afterAll(() => socket.terminate());

  async function failure(call: Promise<unknown>): Promise<ORPCError<string, unknown>> {
    const error: unknown = await call.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof ORPCError)) throw new Error(`no ORPCError: ${String(error)}`);
    return error;
  }

  /** Calls a procedure by name with any input, as a client without types could. */
  function call(name: string, input: unknown): Promise<unknown> {
    const [group = '', procedure = ''] = name.split('.');
    // The client is a proxy: every name is a callable.
    const groups = client as unknown as Record<string, Record<string, (value: unknown) => Promise<unknown>>>;
    return groups[group]?.[procedure]?.(input) ?? Promise.reject(new Error(name));
  }

  it.each(BAD_CASES)('says what is wrong with $what', async ({ procedure, input, code, says }) => {
    const error = await failure(call(procedure, input));
    expect(error).toMatchObject({ code, message: matching(says) });
  });

  it('knows no procedure that is none, and goes on afterwards', async () => {
    expect(await failure(call('agents.explode', {}))).toMatchObject({ code: 'NOT_FOUND' });
    expect((await client.agents.get({ id: AgentId.parse('printer') })).id).toBe('printer');
  });

  it('closes a socket that sends what is no call, or a frame beyond all bounds', async () => {
    for (const frame of ['not JSON', '[]', 'x'.repeat(3_000_000)]) {
      const url = new URL('/rpc', core.run.url);
      url.protocol = 'ws:';
      const other = new WebSocket(url, { headers: { authorization: `Bearer ${core.token}` } });
      other.once('open', () => other.send(frame));
      const code = await new Promise<number>((resolve) => {
        other.on('error', () => undefined);
        other.once('close', resolve);
      });
      expect([1007, 1009, 1006]).toContain(code);
    }
  });
});

describe('MCP', () => {
  async function connected(url: string, token: string): Promise<Client> {
    const client = new Client({ name: 'spec', version: '1' });
    await client.connect(
      new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
    );
    return client;
  }

  const Failed = z.object({ isError: z.literal(true), content: z.array(z.looseObject({ text: z.string() })) });
  const textOf = (answer: unknown): string =>
    Failed.parse(answer)
      .content.map(({ text }) => text)
      .join('\n');

  it('management: says what is wrong, as a result that a model can read', async () => {
    const client = await connected(core.run.mcpUrl, core.token);
    for (const { what, tool, input, code, says } of BAD_CASES) {
      const text = textOf(await client.callTool({ name: tool, arguments: input }));
      // JSON escapes the quotes of the message where it is shown as JSON.
      expect(text.replaceAll('\\"', '"'), what).toMatch(says);
      expect(text, what).toContain(code);
    }
    await expect(client.callTool({ name: 'explode', arguments: {} })).rejects.toMatchObject({ code: -32602 });
    await client.close();
  });

  it('agents: says what is wrong, and knows no tool of the management', async () => {
    const client = await connected(core.run.agentMcpUrl, agentToken);
    expect(textOf(await client.callTool({ name: 'send_message', arguments: { to: 'nobody', body: 'x' } }))).toContain('nobody');
    expect(textOf(await client.callTool({ name: 'send_message', arguments: { to: 'operator' } }))).toContain('body');
    expect(textOf(await client.callTool({ name: 'report_status', arguments: { progress: 7 } }))).toContain('progress');
    expect(textOf(await client.callTool({ name: 'mark_messages_read', arguments: { messageIds: ['msg_1'] } }))).toContain(
      'messageIds',
    );
    for (const name of ['spawn_agent', 'stop_agent', 'explode'])
      await expect(client.callTool({ name, arguments: {} }), name).rejects.toMatchObject({ code: -32602 });
    await client.close();
  });

  it.each([
    ['management', () => core.run.mcpUrl, () => core.token],
    ['agents', () => core.run.agentMcpUrl, () => agentToken],
  ])('%s: refuses what is no JSON-RPC', async (_side, url, token) => {
    const headers = { authorization: `Bearer ${token()}`, accept: 'application/json, text/event-stream' };
    const post = (body: string): Promise<RawAnswer> => raw(url(), { path: '/mcp', headers, body });
    const broken = await post('{"jsonrpc": "2.0", "id": 1, "meth');
    expect([broken.status, JSON.parse(broken.text)]).toEqual([
      400,
      { jsonrpc: '2.0', id: null, error: { code: -32_700, message: containing('Parse error') } },
    ]);
    const odd = await post('{"hello": "world"}');
    expect([odd.status, JSON.parse(odd.text)]).toEqual([
      400,
      { jsonrpc: '2.0', id: null, error: { code: -32_600, message: ANY_TEXT } },
    ]);
    expect(
      (await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x', params: { text: 'x'.repeat(3_000_000) } }))).status,
    ).toBe(413);
  });
});

describe('the command line', () => {
  function quarterdeck(...args: string[]): Promise<{ code: number | null; stderr: string }> {
    return new Promise((resolve) => {
      const child = execFile(
        process.execPath,
        [join(REPOSITORY, 'bin', 'quarterdeck.mjs'), ...args, '--data-dir', core.dataDir],
        { cwd: folder, env: { ...process.env, QUARTERDECK_SKIP_BUILD: '1' } },
        (_error, _stdout, stderr) => resolve({ code: child.exitCode, stderr }),
      );
    });
  }

  it.each([
    ['an unknown agent', ['stop', 'nobody'], 5, /no agent "nobody"/],
    ['a type that is none', ['spawn', '--type', 'robot'], 2, /robot|type/],
    ['an id that is taken', ['spawn', '--id', 'printer', '--type', 'worker'], 5, /"printer"/],
    ['an id that is none', ['spawn', '--id', 'No Such', '--type', 'worker'], 2, /id/],
    ['a command that is none', ['explode'], 2, /explode/],
    ['a team file that is not there', ['up', 'no-team.yaml'], 5, /no-team\.yaml/],
  ])(
    'says what is wrong with %s, and ends with its exit code',
    async (_what, args, code, says) => {
      const outcome = await quarterdeck(...args);
      expect(outcome.stderr).toMatch(says);
      expect(outcome.stderr).not.toMatch(/\n +at /);
      expect(outcome.code === 0 ? 'success' : outcome.code).toBe(code);
    },
    30_000,
  );
});

describe('callers', () => {
  const FOREIGN: readonly Record<string, string>[] = [
    { host: 'evil.example' },
    { host: '127.0.0.1:1' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
  ];

  const SIDES = [
    {
      side: 'main',
      base: () => core.run.url,
      token: () => core.token,
      sockets: ['/rpc', '/terminals', '/mcp/ws'],
      paths: ['/api/v1/agents', '/api/stats', '/metrics', '/mcp'],
    },
    { side: 'agent', base: agentBase, token: () => agentToken, sockets: ['/ws'], paths: ['/mcp', '/sse'] },
  ] as const;

  it.each(SIDES)('without a token, or with a wrong one, get 401: $side port', async ({ base, paths, sockets }) => {
    for (const authorization of ['', 'Bearer wrong', `Basic ${core.token}`, `Bearer ${'x'.repeat(4_000)}`]) {
      for (const path of paths) {
        const method = path === '/mcp' ? 'POST' : 'GET';
        expect(
          (await raw(base(), { path, method, headers: { authorization } })).status,
          `${path} ${authorization.slice(0, 20)}`,
        ).toBe(401);
      }
      for (const path of sockets) {
        // Without any header the agents' socket is open to who wants to enrol (register_agent), and to nothing else.
        const isOpen = path === '/ws' && authorization === '';
        expect(
          await rawUpgrade(
            base(),
            path,
            authorization === '' ? {} : { authorization },
            path.includes('mcp') || path === '/ws' ? ['mcp'] : [],
          ),
          path,
        ).toBe(isOpen ? 101 : 401);
      }
    }
  });

  it('get nowhere on the side that is not theirs', async () => {
    expect(
      (await raw(core.run.url, { path: '/api/v1/agents', method: 'GET', headers: { authorization: `Bearer ${agentToken}` } }))
        .status,
    ).toBe(403);
    expect(
      (await raw(core.run.url, { path: '/mcp', headers: { authorization: `Bearer ${agentToken}` }, body: '{}' })).status,
    ).toBe(403);
    expect((await raw(agentBase(), { path: '/mcp', body: '{}' })).status).toBe(403);
  });

  it.each(SIDES)('from foreign pages, or by foreign names, get 403: $side port', async ({ base, token, paths, sockets }) => {
    const authorization = `Bearer ${token()}`;
    for (const headers of FOREIGN) {
      for (const path of [...paths, '/']) {
        const { status } = await raw(base(), {
          path,
          method: path === '/mcp' ? 'POST' : 'GET',
          headers: { authorization, ...headers },
        });
        expect(status, `${path} ${JSON.stringify(headers)}`).toBe(403);
      }
      for (const path of sockets)
        expect(
          await rawUpgrade(base(), path, { authorization, ...headers }, path.includes('mcp') || path === '/ws' ? ['mcp'] : []),
          path,
        ).toBe(403);
    }
  });

  it.each(SIDES)('with a token in the address are told to put it elsewhere: $side port', async ({ base, token, paths }) => {
    for (const path of paths) {
      for (const name of ['token', 'access_token']) {
        const { status, text } = await raw(base(), {
          path: `${path}?${name}=${token()}`,
          method: path === '/mcp' ? 'POST' : 'GET',
          headers: { authorization: '' },
        });
        expect([path, status]).toEqual([path, 400]);
        expect(text).toContain('Authorization');
        expect(text).not.toContain(token());
      }
    }
  });
});

describe('roles', () => {
  /** A harmless call of each kind: what is refused is refused before the input is looked at. */
  const SAMPLE = [
    'agents.list',
    'agents.spawn',
    'agents.update',
    'agents.remove',
    'agents.stopAll',
    'agents.report',
    'agents.discover',
    'auth.whoami',
    'auth.createToken',
    'auth.createLoginLink',
    'auth.listTokens',
    'journal.snapshot',
    'journal.verify',
    'messages.send',
    'messages.inbox',
    'messages.wait',
    'messages.markRead',
    'messages.list',
    'projects.open',
    'secrets.set',
    'secrets.list',
    'system.stats',
    'system.doctor',
    'system.shutdown',
    'teams.up',
    'terminals.write',
    'terminals.resize',
  ];

  it.each(['observer', 'automation'] as const)('%s may do what the rule says, through REST', async (role) => {
    const caller = new RestClient(core, tokens.get(role));
    for (const name of SAMPLE) {
      const [group = '', procedureName = ''] = name.split('.');
      const groups: Record<
        string,
        Record<string, { '~orpc': { meta: Parameters<typeof refusalFor>[1]; route: { method?: string; path?: string } } }>
      > = contract;
      const definition = groups[group]?.[procedureName]?.['~orpc'];
      if (definition === undefined) throw new Error(`no procedure ${name}`);
      const { method = 'POST', path = '' } = definition.route;
      const refusal = refusalFor(role, definition.meta);
      // An unknown agent and an empty input: what is allowed answers, or complains of the input.
      const answer = await caller.call(method, path.replaceAll(/\{\w+\}/g, 'nobody'), method === 'GET' ? undefined : {});
      const told = answer.status === 403 ? ErrorBody.parse(answer.body).message : '';
      expect([name, answer.status === 403]).toEqual([name, refusal !== undefined]);
      expect([name, told]).toEqual([name, refusal === undefined ? '' : containing(refusal.reason)]);
      expect([name, answer.status < 500]).toEqual([name, true]);
    }
  });

  it('end with their token', async () => {
    const made = z
      .object({ token: z.object({ id: z.string() }), secret: z.string() })
      .parse(await rest.ok('POST', '/auth/tokens', { name: 'short-lived', role: 'observer' }));
    const caller = new RestClient(core, made.secret);
    expect((await caller.call('GET', '/auth/whoami')).status).toBe(200);
    await rest.ok('DELETE', `/auth/tokens/${made.token.id}`);
    expect((await caller.call('GET', '/auth/whoami')).status).toBe(401);
  });
});

it('has lost nothing of what was sent before, and kept its books', async () => {
  const Mail = z.object({ messages: z.array(z.looseObject({ id: z.string() })) });
  const { messages } = Mail.parse(await rest.ok('GET', '/messages?limit=500'));
  expect(messages.map(({ id }) => id)).toEqual(expect.arrayContaining(sent));
  expect(Mail.parse(await rest.ok('GET', '/inbox')).messages.map(({ id }) => id)).toContain(sent[1]);
  expect(await rest.ok('GET', '/agents/printer')).toMatchObject({ state: { status: 'working' }, unread: 1 });
  expect(await rest.ok('POST', '/journal:verify', {})).toMatchObject({ isIntact: true, faults: [] });
  expect(core.log()).not.toContain('"level":50');
});
