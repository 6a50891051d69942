import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Agent } from '#shared/agents/model.ts';
import { AGENT_HEADER, CONTROL_SOCKET, GATEWAY_HEADER } from '#shared/gateway/model.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import { AgentId, mintId, ProjectId } from '#shared/kernel/ids.ts';
import type { Caller } from '#core/caller.ts';
import { event } from '#core/journal/journal.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { egressHandlers } from './handlers.ts';
import { EgressService } from './egress-service.ts';
import { GatewayControl } from './gateway-control.ts';
import { askThrough, tunnelTo } from './testing/ask-gateway.ts';
import { madeAgent, PROJECT } from './testing/made-agent.ts';

// The real gateway, as a process of its own, and a real store. The agent port and the world outside are servers of the test.
const GUEST = new URL('../../guests/gateway/main.ts', import.meta.url).pathname;
const WORD = 'a word that core and gateway know';
const OPERATOR: Caller = { actor: { kind: 'operator', id: 'operator' }, role: 'operator', door: 'web' };
const OTHER_PROJECT = ProjectId.parse(mintId('prj'));
const A1 = AgentId.parse('a1');
const WITHIN = { timeout: 30_000, interval: 20 };

let test: TestStore;
let sockets: string;
let agents: Map<string, Agent>;
let secrets: Map<string, string>;
let events: JournalEvent[];
let said: string[];
let services: EgressService[];
let servers: Server[];

beforeEach(() => {
  test = openTestStore();
  sockets = mkdtempSync(join(tmpdir(), 'qd-eg-'));
  agents = new Map();
  secrets = new Map();
  events = [];
  said = [];
  services = [];
  servers = [];
  test.journal.onCommitted((batch) => events.push(...batch));
});
afterEach(async () => {
  for (const id of agents.keys()) for (const service of services) await service.drop(AgentId.parse(id));
  for (const service of services) await service.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  expect(existsSync(join(sockets, CONTROL_SOCKET))).toBe(false);
  await test.dispose();
  rmSync(sockets, { recursive: true });
});

interface Seen {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

/** A server of the test that answers everything, and what it saw. */
async function serverOf(name: string): Promise<{ url: string; port: number; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? '', headers: request.headers });
    response.end(name);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, seen };
}

function serviceOf(): EgressService {
  const say = (facts: Readonly<Record<string, unknown>>, message: string): void =>
    void said.push(`${message} ${JSON.stringify(facts)}`);
  const service = new EgressService({
    store: test.store,
    program: {
      argv: [process.execPath, GUEST],
      socketDir: sockets,
      eventLog: join(test.dir, 'egress.jsonl'),
      logFile: join(test.dir, 'gateway.log'),
      version: '1.0.0',
      env: process.env,
    },
    coreId: 'core-1',
    word: WORD,
    agentOf: (id) => agents.get(id),
    agents: () => [...agents.values()],
    isRunning: (id) => agents.has(id),
    configure: async (id, egress, caller) =>
      test.store.write((tx) => {
        const before = agents.get(id);
        if (!before) throw new Error('no such agent');
        const after = { ...before, config: { ...before.config, egress } };
        tx.record(
          event({ projectId: before.projectId, actor: caller.actor, door: caller.door, subject: id }, 'agent.config-changed', {
            config: after.config,
          }),
        );
        tx.afterCommit(() => agents.set(id, after));
        return after;
      }),
    reveal: (name, projectId) => secrets.get(`${projectId}/${name}`) ?? secrets.get(name),
    onCommitted: (listener) => test.journal.onCommitted(listener),
    log: { info: say, warn: say, error: say },
  });
  services.push(service);
  return service;
}

/** A service that opened, with an agent port. */
async function opened(): Promise<{ egress: EgressService; port: Awaited<ReturnType<typeof serverOf>> }> {
  const port = await serverOf('the core');
  const egress = serviceOf();
  await egress.open({ agentUrl: port.url });
  return { egress, port };
}

/** An agent and the folder of its sockets. */
function agentWith(id: string, draft: Parameters<typeof madeAgent>[1] = {}): { agent: Agent; socketDir: string } {
  const agent = madeAgent(id, draft);
  agents.set(id, agent);
  const socketDir = join(sockets, id);
  mkdirSync(socketDir, { mode: 0o700 });
  return { agent, socketDir };
}

const status = () => new GatewayControl(join(sockets, CONTROL_SOCKET)).status();
const setSecret = (name: string, value: string): Promise<void> => {
  secrets.set(name, value);
  return test.store.write((tx) =>
    tx.record(event({ projectId: PROJECT, actor: OPERATOR.actor, door: 'web', subject: name }, 'secret.set', { isNew: false })),
  );
};

// Each starts the gateway from its sources: seconds on a busy machine.
describe('a contained agent', { timeout: 60_000 }, () => {
  it('gets its sockets, reaches the agent port in its own name only, and loses them at its end', async () => {
    const { egress, port } = await opened();
    expect(existsSync(join(sockets, CONTROL_SOCKET))).toBe(false);
    const { agent, socketDir } = agentWith('a1');
    await egress.serve(agent, { socketDir, owner: null });
    expect(readdirSync(socketDir).sort()).toEqual(['agent.sock', 'egress.sock']);
    const headers = { [AGENT_HEADER]: 'operator', [GATEWAY_HEADER]: 'guessed', authorization: 'Bearer x' };
    expect(await askThrough(socketDir, 'agent', '/mcp', { headers })).toEqual({ status: 200, text: 'the core' });
    expect(port.seen).toMatchObject([{ url: '/mcp', headers: { [AGENT_HEADER]: 'a1', [GATEWAY_HEADER]: WORD } }]);
    expect(egress.get(A1)).toEqual({ id: 'a1', mode: 'deny', rules: [], isServed: true });

    await egress.drop(A1);
    expect(readdirSync(socketDir)).toEqual([]);
    expect(egress.get(A1).isServed).toBe(false);
    const { pid } = await status();
    await egress.close();
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), WITHIN);
  });

  it('connects nowhere until a rule allows it; each connection is stored and journaled', async () => {
    const { egress } = await opened();
    const world = await serverOf('the world');
    const { agent, socketDir } = agentWith('a1', { egress: { mode: 'learn', rules: [] } });
    await egress.serve(agent, { socketDir, owner: null });
    const target = `127.0.0.1:${world.port}`;
    expect((await tunnelTo(socketDir, target)).status).toBe(403);
    expect((await tunnelTo(socketDir, 'api.github.com:443')).status).toBe(403);

    const rule = `${target}:tcp`;
    const handlers = egressHandlers(egress);
    const call = { caller: OPERATOR, signal: AbortSignal.timeout(10_000) };
    expect(await handlers.set({ id: A1, rules: [rule, rule] }, call)).toEqual({
      id: 'a1',
      mode: 'learn',
      rules: [rule],
      isServed: true,
    });
    expect((await tunnelTo(socketDir, target)).status).toBe(200);
    await vi.waitFor(async () => {
      const { connections } = await handlers.connections({ limit: 10 }, call);
      expect(connections.map(({ host, outcome, reason }) => [host, outcome, reason])).toEqual([
        ['127.0.0.1', 'closed', rule],
        ['api.github.com', 'refused', 'no rule allows it'],
        ['127.0.0.1', 'refused', 'no rule allows it'],
      ]);
    }, WITHIN);
    expect(events.map(({ kind }) => kind).filter((kind) => kind.startsWith('egress'))).toEqual([
      'egress.refused',
      'egress.refused',
      'egress.opened',
    ]);
    expect((await handlers.proposals({}, call)).proposals.map((proposal) => proposal.rule)).toEqual(['api.github.com:443:tls']);

    await handlers.set({ id: A1, rules: [] }, call);
    expect((await tunnelTo(socketDir, target)).status).toBe(403);
  });

  it('is served again, with the rules as they are by then, when the gateway was killed', async () => {
    const { egress } = await opened();
    const world = await serverOf('the world');
    const rule = `127.0.0.1:${world.port}:tcp`;
    const { agent, socketDir } = agentWith('a1');
    await egress.serve(agent, { socketDir, owner: null });
    const { pid } = await status();
    process.kill(pid, 'SIGKILL');
    const set = await egress.set(A1, { rules: [rule] }, OPERATOR);
    expect(set.rules).toEqual([rule]);
    await vi.waitFor(() => expect(egress.get(A1).isServed).toBe(true), WITHIN);
    expect((await tunnelTo(socketDir, `127.0.0.1:${world.port}`)).status).toBe(200);
    expect((await status()).pid).not.toBe(pid);
    expect(said.some((line) => line.startsWith('the gateway does not answer any more'))).toBe(true);
  });

  it('whose sockets come by a line keeps it through changed rules and the next gateway', async () => {
    const { egress } = await opened();
    const { agent, socketDir } = agentWith('a1');
    // As much of an engine as shows who asks for which container.
    const asked: string[] = [];
    const engine = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.end(JSON.stringify({ State: { Running: true, Paused: true } }));
    });
    servers.push(engine);
    const socketPath = join(sockets, 'engine.sock');
    await new Promise<void>((resolve) => engine.listen(socketPath, resolve));
    const line = { engine: { socketPath }, container: 'c1' };
    await expect(egress.openLine(A1, line)).rejects.toThrow(/ended before its line/);
    await egress.serve(agent, { socketDir, owner: null });
    expect(asked).toEqual([]);
    await egress.openLine(A1, line);
    await vi.waitFor(() => expect(asked).toContain('/containers/c1/json'), WITHIN);

    await egress.set(A1, { rules: ['example.org:443:tls'] }, OPERATOR);
    const { pid } = await status();
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(async () => expect((await status()).pid).not.toBe(pid), WITHIN);
    // Of the first one, a last question may have been on its way.
    asked.length = 0;
    await vi.waitFor(() => expect(asked.length).toBeGreaterThan(2), WITHIN);

    // A new start is served without a line until it has a container, which is another one.
    await egress.serve(agent, { socketDir, owner: null });
    asked.length = 0;
    await egress.openLine(A1, { ...line, container: 'c2' });
    await vi.waitFor(() => expect(asked.filter((url) => url.includes('/c2/')).length).toBeGreaterThan(2), WITHIN);
    expect(asked.filter((url) => url.includes('/c1/')).length).toBeLessThanOrEqual(1);
  });

  it('is not served where it is in no box, and gets no rules there', async () => {
    const { egress } = await opened();
    const { agent, socketDir } = agentWith('a1', { runtime: 'tmux' });
    await expect(egress.serve(agent, { socketDir, owner: null })).rejects.toThrow(/in no box/);
    await expect(egress.set(A1, { rules: ['a.org:443:tls'] }, OPERATOR)).rejects.toThrow(/is not contained/);
    expect(egress.environmentOf(agent)).toEqual({});
    expect(() => egress.get(AgentId.parse('nobody'))).toThrow(/There is no agent "nobody"/);
    expect(egress.gateway).toBe('off');
  });

  it('that is to use a model API that does not exist is not served', async () => {
    const { egress } = await opened();
    const { agent, socketDir } = agentWith('a1', { modelApis: ['mistral'] });
    await expect(egress.serve(agent, { socketDir, owner: null })).rejects.toThrow(/"mistral".*there are: anthropic, openai/);
    expect(egress.gateway).toBe('off');
  });
});

describe('an agent that was to start, and', { timeout: 60_000 }, () => {
  it('failed or stopped, is served no more', async () => {
    const { egress } = await opened();
    const { agent, socketDir } = agentWith('a1');
    await egress.serve(agent, { socketDir, owner: null });
    agents.delete('a1');
    const state = { status: 'failed', reason: 'its proof failed', since: 1, evidence: agent.state.evidence } as const;
    await test.store.write((tx) =>
      tx.record(
        event({ projectId: PROJECT, actor: OPERATOR.actor, door: 'web', subject: 'a1' }, 'agent.state-changed', { state }),
      ),
    );
    await vi.waitFor(async () => expect((await status()).agents).toEqual([]), WITHIN);
    expect(readdirSync(socketDir)).toEqual([]);
  });
});

describe('a model API', { timeout: 60_000 }, () => {
  const KEY = 'sk-the-installation-s-key-3f9a';
  const OWN_KEY = 'sk-the-project-s-own-key-77c1';
  const NEXT_KEY = 'sk-the-next-key-of-all-b02e';

  /** Every text that the core, the gateway and the database have written, in bytes as they are. */
  function everythingWritten(): string {
    const files = readdirSync(test.dir, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    return files.map((file) => readFileSync(join(file.parentPath, file.name), 'latin1')).join('\n') + said.join('\n');
  }

  it('is called with a key that no agent has: the project’s own, else the one for all, changed at once, written nowhere', async () => {
    const { egress } = await opened();
    const model = await serverOf('the model');
    const [anthropic] = egress.modelApis();
    if (!anthropic) throw new Error('there is no model API');
    const { hasKey: _hasKey, ...api } = anthropic;
    await egress.setModelApis([{ ...api, upstream: `${model.url}/base` }], OPERATOR);
    const first = agentWith('a1', { modelApis: ['anthropic'] });
    const other = agentWith('a2', { modelApis: ['anthropic'], projectId: OTHER_PROJECT });
    await egress.serve(first.agent, { socketDir: first.socketDir, owner: null });
    const ask = (socketDir: string) =>
      askThrough(socketDir, 'egress', '/anthropic/v1/messages', { headers: { 'x-api-key': 'held-by-the-gateway' } });
    const keysSeen = (): unknown[] => model.seen.map(({ headers }) => headers['x-api-key']);
    expect((await ask(first.socketDir)).status).toBe(503);

    await setSecret('ANTHROPIC_API_KEY', KEY);
    await vi.waitFor(async () => expect((await ask(first.socketDir)).status).toBe(200), WITHIN);
    secrets.set(`${OTHER_PROJECT}/ANTHROPIC_API_KEY`, OWN_KEY);
    await egress.serve(other.agent, { socketDir: other.socketDir, owner: null });
    expect((await ask(other.socketDir)).text).toBe('the model');
    expect(keysSeen()).toEqual([KEY, OWN_KEY]);
    expect(model.seen[0]?.url).toBe('/base/v1/messages');

    await setSecret('ANTHROPIC_API_KEY', NEXT_KEY);
    await vi.waitFor(async () => {
      await ask(first.socketDir);
      expect(keysSeen().at(-1)).toBe(NEXT_KEY);
    }, WITHIN);
    expect(egress.modelApis()).toEqual([{ ...anthropic, upstream: `${model.url}/base`, hasKey: true }]);

    const written = everythingWritten();
    expect(written).toContain('anthropic');
    for (const key of [KEY, OWN_KEY, NEXT_KEY]) expect(written).not.toContain(key);
    const { pid } = await status();
    const process = readFileSync(`/proc/${pid}/environ`, 'latin1') + readFileSync(`/proc/${pid}/cmdline`, 'latin1');
    for (const key of [KEY, OWN_KEY, NEXT_KEY]) expect(process).not.toContain(key);
  });

  it('has a name and a variable of its own, and stays while an agent that runs uses it', async () => {
    const { egress } = await opened();
    const [one, two] = egress.modelApis().map(({ hasKey: _hasKey, ...api }) => api);
    if (!one || !two) throw new Error('there are no model APIs');
    await expect(egress.setModelApis([one, { ...two, name: one.name }], OPERATOR)).rejects.toThrow(
      /two of them have the name "anthropic"/,
    );
    await expect(egress.setModelApis([one, { ...two, variable: one.variable }], OPERATOR)).rejects.toThrow(/the variable/);
    agentWith('a1', { modelApis: ['openai'] });
    await expect(egress.setModelApis([one], OPERATOR)).rejects.toThrow(/"a1" runs and uses the model API "openai"/);
    agents.clear();
    await egress.setModelApis([one], OPERATOR);
    await egress.setModelApis([one], OPERATOR);
    expect(events.filter(({ kind }) => kind === 'egress.model-apis-changed')).toMatchObject([{ data: { names: ['anthropic'] } }]);
  });

  it('whose key cannot be opened has none, and that is said once', async () => {
    const { egress } = await opened();
    services.pop();
    await egress.close();
    const broken = serviceOf();
    vi.spyOn(secrets, 'get').mockImplementation(() => {
      throw new Error('sealed with another key');
    });
    expect(broken.modelApis().map(({ hasKey }) => hasKey)).toEqual([false, false]);
    broken.modelApis();
    expect(said.filter((line) => line.includes('sealed with another key') && line.includes('ANTHROPIC'))).toHaveLength(1);
  });
});

describe('the environment of a contained agent', () => {
  it('names the relay’s ports and holds no key', () => {
    const egress = serviceOf();
    secrets.set('ANTHROPIC_API_KEY', 'sk-a-real-one');
    expect(
      egress.environmentOf(madeAgent('a1', { modelApis: ['anthropic'], egress: { mode: 'deny', rules: ['a.org:443:tls'] } })),
    ).toEqual({
      HTTP_PROXY: 'http://127.0.0.1:3128',
      HTTPS_PROXY: 'http://127.0.0.1:3128',
      http_proxy: 'http://127.0.0.1:3128',
      https_proxy: 'http://127.0.0.1:3128',
      NO_PROXY: '127.0.0.1,localhost',
      no_proxy: '127.0.0.1,localhost',
      NODE_USE_ENV_PROXY: '1',
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:3129/anthropic',
      ANTHROPIC_API_KEY: 'held-by-the-gateway',
    });
    const bare = egress.environmentOf(madeAgent('a2'));
    expect(bare).not.toHaveProperty('NODE_USE_ENV_PROXY');
    expect(bare).not.toHaveProperty('ANTHROPIC_BASE_URL');
  });
});
