import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GatewayAgent, GatewayEvent, GatewayModelApi } from '#shared/gateway/model.ts';
import { DEFAULT_MODEL_APIS } from '#shared/egress/model.ts';
import { AgentId, mintId, ProjectId } from '#shared/kernel/ids.ts';
import type { EventReader } from './gateway-client.ts';
import { GatewayClient } from './gateway-client.ts';
import type { Script } from './scripted-gateway.ts';
import { entry, ScriptedGateway } from './scripted-gateway.ts';

const ADDRESS = { agentUrl: 'http://127.0.0.1:3100', word: 'a word of at least sixteen characters' };
const projectId = ProjectId.parse(mintId('prj'));
const WITHIN = { timeout: 10_000, interval: 10 };

let dir: string;
let gateways: ScriptedGateway[];
let clients: GatewayClient[];
let said: string[];
let taken: GatewayEvent[];
let running: Set<string>;
let modelApis: GatewayModelApi[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qd-gw-'));
  gateways = [];
  clients = [];
  said = [];
  taken = [];
  running = new Set();
  modelApis = DEFAULT_MODEL_APIS.map((api) => ({ ...api, key: null, projectKeys: {} }));
});
afterEach(async () => {
  for (const client of clients) await client.close();
  for (const gateway of gateways) await gateway.stop();
  rmSync(dir, { recursive: true });
});

async function gatewayWith(script: Script = {}): Promise<ScriptedGateway> {
  const gateway = await new ScriptedGateway(dir, script).start();
  gateways.push(gateway);
  return gateway;
}

const reader: EventReader = {
  after: () => taken.at(-1)?.n ?? 0,
  take: async (events) => {
    taken.push(...events);
    return true;
  },
};

/** A client whose gateway cannot be started: these tests give it one that lives, or none. */
function clientOf(coreId: string, options: { version?: string; now?: number; reader?: EventReader } = {}): GatewayClient {
  const say =
    (level: string) =>
    (facts: Readonly<Record<string, unknown>>, message: string): void =>
      void said.push(`${level}: ${message} ${JSON.stringify(facts)}`);
  const client = new GatewayClient({
    program: {
      argv: [process.execPath, '--eval', 'process.exit(9)', '--'],
      socketDir: dir,
      eventLog: join(dir, 'egress.jsonl'),
      logFile: join(dir, 'gateway.log'),
      version: options.version ?? '1.0.0',
      env: process.env,
    },
    coreId,
    modelApis: () => modelApis,
    isRunning: (id) => running.has(id),
    events: options.reader ?? reader,
    log: { info: say('info'), warn: say('warn'), error: say('error') },
    timings: { serveMs: 5_000, startMs: 2_000, recheckMs: 20, endMs: 2_000 },
    ...(options.now === undefined ? {} : { now: () => options.now ?? 0 }),
  });
  clients.push(client);
  return client;
}

function agent(id: string, rules: string[] = []): GatewayAgent {
  return { id: AgentId.parse(id), projectId, socketDir: join(dir, id), owner: null, mode: 'deny', rules, modelApis: [] };
}

async function opened(coreId: string, options: Parameters<typeof clientOf>[1] = {}): Promise<GatewayClient> {
  const client = clientOf(coreId, options);
  await client.open(ADDRESS);
  return client;
}

const untilReady = (client: GatewayClient) => vi.waitFor(() => expect(client.state).toBe('ready'), WITHIN);

describe('a gateway that lives', () => {
  it('is taken over at the start: owned, told the model APIs, and followed from where the log was left', async () => {
    const gateway = await gatewayWith({ events: [entry(1), entry(2)] });
    const client = await opened('core-1');
    await untilReady(client);
    await vi.waitFor(() => expect(taken.map(({ n }) => n)).toEqual([1, 2]), WITHIN);
    expect(gateway.owner).toMatchObject({ coreId: 'core-1', ...ADDRESS });
    expect(gateway.modelApis).toEqual(modelApis);
    gateway.add(entry(3));
    await vi.waitFor(() => expect(taken.map(({ n }) => n)).toEqual([1, 2, 3]), WITHIN);
  });

  it('serves an agent when it has confirmed that, and no more after it was dropped', async () => {
    const gateway = await gatewayWith();
    const client = await opened('core-1');
    await client.put(agent('a1', ['example.org:443:tls']));
    expect(gateway.agents.get('a1')).toEqual(agent('a1', ['example.org:443:tls']));
    expect(client.isServed(AgentId.parse('a1'))).toBe(true);
    await client.drop(AgentId.parse('a1'));
    expect(gateway.agents.size).toBe(0);
    expect(client.isServed(AgentId.parse('a1'))).toBe(false);
  });

  it('is told everything again when it comes back, what was asked for meanwhile included', async () => {
    const first = await gatewayWith();
    const client = await opened('core-1');
    await client.put(agent('a1', ['one.org:443:tls']));
    await client.put(agent('a2'));
    await first.stop();
    await vi.waitFor(() => expect(client.state).toBe('connecting'), WITHIN);
    const changed = client.put(agent('a1', ['two.org:443:tls']));
    const dropped = client.drop(AgentId.parse('a2'));
    const second = await gatewayWith({ agents: ['a2', 'stray', 'adopted-later'] });
    running.add('adopted-later');
    await changed;
    await dropped;
    await untilReady(client);
    // What it held of agents that run is left alone: their turn comes when they are adopted.
    expect([...second.agents.keys()].sort()).toEqual(['a1', 'adopted-later']);
    await client.drop(AgentId.parse('adopted-later'));
    expect([...second.agents.keys()]).toEqual(['a1']);
    expect(second.agents.get('a1')?.rules).toEqual(['two.org:443:tls']);
    expect(said.filter((line) => line.startsWith('warn: the gateway does not answer any more')).length).toBeGreaterThan(0);
  });

  it('that refuses an agent is not asked again and again, and the reason is the caller’s', async () => {
    const gateway = await gatewayWith();
    gateway.intercept = ({ path }) =>
      path === '/agents/a1' ? { status: 500, body: { message: 'the folder is gone' } } : undefined;
    const client = await opened('core-1');
    await expect(client.put(agent('a1'))).rejects.toThrow(/cannot serve this agent: the folder is gone/);
    await client.put(agent('a2'));
    expect(gateway.seen('PUT /agents/a1')).toHaveLength(1);
    expect(client.isServed(AgentId.parse('a1'))).toBe(false);
  });

  it('gets another rule before the answer to the first, and ends with the last', async () => {
    const gateway = await gatewayWith();
    const client = await opened('core-1');
    await untilReady(client);
    await Promise.all(['1', '2', '3', '4'].map((n) => client.put(agent('a1', [`r${n}.org:443:tls`]))));
    expect(gateway.agents.get('a1')?.rules).toEqual(['r4.org:443:tls']);
    expect(client.isServed(AgentId.parse('a1'))).toBe(true);
  });

  it('starts the log over when the reader says that it is another one', async () => {
    await gatewayWith({ events: [entry(1), entry(2), entry(3)] });
    const asked: number[] = [];
    let isFirst = true;
    await opened('core-1', {
      reader: {
        after: () => {
          asked.push(isFirst ? 1 : 0);
          return isFirst ? 1 : 0;
        },
        take: async (events) => {
          if (isFirst) {
            isFirst = false;
            return false;
          }
          taken.push(...events);
          return true;
        },
      },
    });
    await vi.waitFor(() => expect(taken.map(({ n }) => n)).toEqual([1, 2, 3]), WITHIN);
    expect(asked).toEqual([1, 0]);
  });
});

describe('two cores', () => {
  it('never own one gateway: the one that came later has it, and the other says so and gives no more orders', async () => {
    const gateway = await gatewayWith();
    const first = await opened('core-1', { now: 1_000 });
    await first.put(agent('a1'));
    const second = await opened('core-2', { now: 2_000 });
    await untilReady(second);
    await vi.waitFor(() => expect(first.state).toBe('lost'), WITHIN);
    expect(said.filter((line) => line.startsWith('error: another core owns the gateway'))).toHaveLength(1);

    const before = gateway.orders.length;
    await expect(first.put(agent('a3'))).rejects.toThrow(/came later/);
    await first.drop(AgentId.parse('a1'));
    await first.putModelApis();
    await first.close();
    expect(gateway.orders.slice(before)).toEqual([]);
    expect(gateway.owner?.coreId).toBe('core-2');
    await second.put(agent('a2'));
    expect(second.isServed(AgentId.parse('a2'))).toBe(true);
  });

  it('the core that starts last has it, also where the clock was set back', async () => {
    const gateway = await gatewayWith();
    await untilReady(await opened('core-1', { now: 5_000 }));
    await untilReady(await opened('core-2', { now: 1_000 }));
    expect(gateway.owner).toMatchObject({ coreId: 'core-2', startedAt: 5_001 });
  });

  it('an order that crosses with a new owner ends this one’s orders', async () => {
    const gateway = await gatewayWith();
    const client = await opened('core-1', { now: 1_000 });
    await client.put(agent('a1'));
    gateway.owner = { ...ADDRESS, coreId: 'core-2', startedAt: 9_000 };
    await expect(client.put(agent('a2'))).rejects.toThrow(/cannot be used/);
    expect(client.state).toBe('lost');
  });
});

describe('a gateway of another version', () => {
  it('is ended and replaced when it serves nobody', async () => {
    const old = await gatewayWith({ version: '0.9.0' });
    const client = await opened('core-1');
    await vi.waitFor(() => expect(old.isEnded).toBe(true), WITHIN);
    const next = await gatewayWith();
    await client.put(agent('a1'));
    expect(next.agents.has('a1')).toBe(true);
  });

  it('is kept while it serves agents, and that is said', async () => {
    const old = await gatewayWith({ version: '0.9.0', agents: ['a1'] });
    running.add('a1');
    const client = await opened('core-1');
    await untilReady(client);
    expect(old.isEnded).toBe(false);
    expect(said.filter((line) => line.includes('of another version and stays'))).toHaveLength(1);
  });

  it('that speaks another protocol is kept while it serves agents, and used by nobody until they are gone', async () => {
    const old = await gatewayWith({ version: '9.0.0', protocol: 99, agents: ['a1'] });
    running.add('a1');
    const client = await opened('core-1');
    await vi.waitFor(() => expect(client.state).toBe('foreign'), WITHIN);
    await expect(client.put(agent('a2'))).rejects.toThrow(/belongs to version 9\.0\.0 and speaks protocol 99, this core 1.*a1/);
    expect(old.orders).toEqual([]);
    old.agents.clear();
    await vi.waitFor(() => expect(old.isEnded).toBe(true), WITHIN);
    const next = await gatewayWith();
    await vi.waitFor(() => expect([...next.agents.keys()]).toEqual(['a2']), WITHIN);
    expect(said.filter((line) => line.startsWith('warn: the gateway is kept'))).toHaveLength(1);
  });
});

describe('the end of the core', () => {
  it('ends a gateway that serves nobody', async () => {
    const gateway = await gatewayWith();
    const client = await opened('core-1');
    await untilReady(client);
    await client.close();
    expect(gateway.isEnded).toBe(true);
    expect(client.state).toBe('closed');
  });

  it('leaves one that serves agents, and fails who still waits', async () => {
    const gateway = await gatewayWith();
    const client = await opened('core-1');
    await client.put(agent('a1'));
    gateway.isSilent = true;
    const waiting = client.put(agent('a2')).catch((error: unknown) => String(error));
    await client.close();
    expect(await waiting).toMatch(/Quarterdeck is ending/);
    expect(gateway.isEnded).toBe(false);
    expect(gateway.agents.has('a1')).toBe(true);
  });
});

describe('an agent that could not be adopted yet', () => {
  it('keeps its gateway when the core ends', async () => {
    const gateway = await gatewayWith({ agents: ['a1'] });
    running.add('a1');
    const client = await opened('core-1');
    await untilReady(client);
    await client.close();
    expect(gateway.isEnded).toBe(false);
    expect(gateway.agents.has('a1')).toBe(true);
  });
});

describe('no gateway', () => {
  it('is started for nobody', async () => {
    const client = await opened('core-1');
    expect(client.state).toBe('off');
  });

  it('that cannot be started fails the agent with the reason, in time', async () => {
    const client = await opened('core-1');
    const startedAt = performance.now();
    await expect(client.put(agent('a1'), 400)).rejects.toThrow(/ended with code 9.*gateway\.log/);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});
