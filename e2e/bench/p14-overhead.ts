/** P14: what a tool call costs beside the same call of the SDK's bare server, on each transport, with the same client. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { McpSocket } from './drivers/mcp-socket.ts';
import { startFleet } from './fleet.ts';
import type { Figure } from './report.ts';
import { median, percentile } from './report.ts';

const RUNS = 3;
const CALLS = 500;
const WARM_UP_CALLS = 100;
/** Tools that are answered from memory: one of the management's, one of the agents'. The bare server has both. */
const MANAGEMENT_TOOL = 'whoami';
const AGENT_TOOL = 'discover_agents';
const BARE = new URL('./drivers/bare-mcp.ts', import.meta.url).pathname;
const QUARTERDECK = new URL('../../bin/quarterdeck.mjs', import.meta.url).pathname;

/** One connection over which a tool is called. */
interface Line {
  call(): Promise<unknown>;
  close(): Promise<void>;
}

type Transport = Parameters<Client['connect']>[0];

async function lineOver(transport: unknown, tool = MANAGEMENT_TOOL): Promise<Line> {
  const client = new Client({ name: 'bench', version: '1' });
  // The SDK's transports predate exactOptionalPropertyTypes.
  await client.connect(transport as Transport);
  return {
    call: async () => (await client.callTool({ name: tool, arguments: {} })).structuredContent,
    close: () => client.close(),
  };
}

/** Measures; prints what it does on stderr. */
export async function measureOverhead(say: (text: string) => void): Promise<Figure[]> {
  const dataDir = makeDataDir();
  const core = await startCore({ dataDir, isBuilt: true });
  const bare: { server?: ChildProcess } = {};
  try {
    const [agent] = await startFleet(core, 1);
    if (agent === undefined) throw new Error('there is no agent');
    const headers = { authorization: `Bearer ${core.token}` };
    const ours = await lineOver(new StreamableHTTPClientTransport(new URL(core.run.mcpUrl), { requestInit: { headers } }));
    const answer = JSON.stringify(await ours.call());
    await ours.close();
    const env = { ...process.env, BARE_ANSWER: answer };
    const server = spawn(process.execPath, [BARE], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    bare.server = server;
    const [port] = z.tuple([z.instanceof(Buffer)]).parse(await once(server.stdout, 'data'));
    const url = `http://127.0.0.1:${port.toString('utf8').trim()}`;
    const figures: Figure[] = [];
    for (const [name, pair] of Object.entries(pairs({ core, agentToken: agent.token, bareUrl: url, env }))) {
      const times = await measurePair(pair);
      say(`${name}: ${median(times.ours).toFixed(3)} ms, bare ${median(times.bare).toFixed(3)} ms`);
      figures.push({
        id: 'P14',
        what: `a tool call over ${name}, p50`,
        figure: median(times.ours),
        unit: 'ms',
        against: 1.3 * median(times.bare),
        againstWhat: `1.3 × the SDK's bare server (${median(times.bare).toFixed(3)} ms)`,
        isLessBetter: true,
        runs: RUNS,
      });
    }
    return figures;
  } finally {
    bare.server?.kill('SIGTERM');
    await core.stop();
    removeDataDir(dataDir);
  }
}

interface Pair {
  readonly ours: () => Promise<Line>;
  readonly bare: () => Promise<Line>;
}

interface Servers {
  readonly core: TestCore;
  readonly agentToken: string;
  readonly bareUrl: string;
  readonly env: NodeJS.ProcessEnv;
}

function pairs({ core, agentToken, bareUrl, env }: Servers): Record<string, Pair> {
  const requestInit = { headers: { authorization: `Bearer ${core.token}` } };
  const socket = async (url: string, token: string): Promise<Line> => {
    const open = await McpSocket.open(url, token);
    return { call: () => open.call(MANAGEMENT_TOOL, {}), close: async () => open.close() };
  };
  const plainEnv = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  return {
    'Streamable HTTP': {
      ours: () => lineOver(new StreamableHTTPClientTransport(new URL(core.run.mcpUrl), { requestInit })),
      bare: () => lineOver(new StreamableHTTPClientTransport(new URL('/mcp', bareUrl))),
    },
    WebSocket: {
      ours: () => socket(`${core.run.mcpUrl.replace('http:', 'ws:')}/ws`, core.token),
      bare: () => socket(`${bareUrl.replace('http:', 'ws:')}/ws`, ''),
    },
    'standard input and output': {
      ours: () =>
        lineOver(
          new StdioClientTransport({
            command: process.execPath,
            args: [QUARTERDECK, 'mcp', '--data-dir', core.dataDir],
            env: plainEnv,
          }),
        ),
      bare: () => lineOver(new StdioClientTransport({ command: process.execPath, args: [BARE, '--stdio'], env: plainEnv })),
    },
    // The older transport is on the agents' port only.
    'HTTP+SSE': {
      ours: () =>
        lineOver(
          new SSEClientTransport(new URL(core.run.agentSseUrl), {
            requestInit: { headers: { authorization: `Bearer ${agentToken}` } },
          }),
          AGENT_TOOL,
        ),
      bare: () => lineOver(new SSEClientTransport(new URL('/sse', bareUrl)), AGENT_TOOL),
    },
  };
}

async function measurePair(pair: Pair): Promise<{ ours: number[]; bare: number[] }> {
  const times = { ours: Array.of<number>(), bare: Array.of<number>() };
  for (let run = 0; run < RUNS; run += 1) {
    // One after the other, so that both meet the same machine.
    for (const side of ['bare', 'ours'] as const) {
      const line = await pair[side]();
      const each: number[] = [];
      for (let n = 0; n < WARM_UP_CALLS + CALLS; n += 1) {
        const startedAt = performance.now();
        await line.call();
        if (n >= WARM_UP_CALLS) each.push(performance.now() - startedAt);
      }
      await line.close();
      times[side].push(percentile(each, 0.5));
    }
  }
  return times;
}
