/** The MCP Inspector's command line on the product's own tools, as people try a server out: every transport, both eras. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { startFleet } from '#e2e/bench/fleet.ts';
import type { FleetAgent } from '#e2e/bench/fleet.ts';

/** Each run starts a Node; beside other work that takes some seconds. In milliseconds. */
const LIMIT_MS = 120_000;
const QUARTERDECK = join(import.meta.dirname, '..', '..', 'bin', 'quarterdeck.mjs');
const INSPECTOR = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector/package.json')),
  'clients/launcher/build/index.js',
);

const Tools = z.object({ tools: z.array(z.object({ name: z.string() })) });
const Called = z.object({ structuredContent: z.record(z.string(), z.unknown()), isError: z.boolean().optional() });

let core: TestCore | undefined;
let agent: FleetAgent | undefined;
const home = mkdtempSync(join(tmpdir(), 'qd-inspector-'));

beforeAll(async () => {
  core = await startCore({ dataDir: makeDataDir() });
  [agent] = await startFleet(core, 1);
}, LIMIT_MS);

afterAll(async () => {
  await core?.stop();
  if (core !== undefined) removeDataDir(core.dataDir);
  rmSync(home, { recursive: true, force: true });
}, LIMIT_MS);

function there(): { core: TestCore; agent: FleetAgent } {
  if (core === undefined || agent === undefined) throw new Error('There is no core.');
  return { core, agent };
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function inspect(args: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [INSPECTOR, '--cli', ...args, '--format', 'json'], {
      env: { ...process.env, HOME: home, MCP_CATALOG_PATH: join(home, 'catalog.json') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

/** What a run printed, which ended well. */
function printed<T>(schema: z.ZodType<T>, { code, out, err }: Ran): T {
  expect(code, `${out}\n${err}`).toBe(0);
  return z.object({ result: schema }).parse(JSON.parse(out)).result;
}

const withToken = (token: string): string[] => ['--header', `Authorization: Bearer ${token}`];

describe('the Inspector', () => {
  it.each(['legacy', 'modern'])(
    "lists and calls the agents' tools over HTTP, in the %s era",
    async (era) => {
      const {
        core: { run },
        agent: { id, token },
      } = there();
      const to = [run.agentMcpUrl, '--transport', 'http', '--protocol-era', era, ...withToken(token)];
      const { tools } = printed(Tools, await inspect([...to, '--method', 'tools/list', '--strict']));
      expect(tools.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['send_message', 'get_messages', 'wait_for_messages', 'mark_messages_read', 'discover_agents']),
      );
      const sent = await inspect([
        ...to,
        '--method',
        'tools/call',
        '--tool-name',
        'send_message',
        '--tool-arg',
        'to=operator',
        `body=Hello (${era})`,
      ]);
      expect(printed(Called, sent).structuredContent).toMatchObject({ recipients: ['operator'], isDuplicate: false });
      const inbox = await inspect([...to, '--method', 'tools/call', '--tool-name', 'get_messages']);
      expect(printed(Called, inbox).structuredContent).toMatchObject({ messages: [] });
      expect(id).toBe('bench-0');
    },
    LIMIT_MS,
  );

  it(
    "lists the agents' tools over the older streams",
    async () => {
      const {
        core: { run },
        agent: { token },
      } = there();
      const listed = await inspect([run.agentSseUrl, '--transport', 'sse', ...withToken(token), '--method', 'tools/list']);
      expect(printed(Tools, listed).tools.map(({ name }) => name)).toContain('send_message');
    },
    LIMIT_MS,
  );

  it(
    'manages over standard input and output, and over HTTP with the operator’s token',
    async () => {
      const {
        core: { dataDir, run, token },
      } = there();
      const overStdio = await inspect([
        process.execPath,
        QUARTERDECK,
        'mcp',
        '--data-dir',
        dataDir,
        '--method',
        'tools/list',
        '--strict',
      ]);
      const overHttp = await inspect([
        run.mcpUrl,
        '--transport',
        'http',
        ...withToken(token),
        '--method',
        'tools/list',
        '--strict',
      ]);
      const names = printed(Tools, overStdio).tools.map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(['spawn_agent', 'list_agents', 'send_message']));
      expect(printed(Tools, overHttp).tools.map(({ name }) => name)).toEqual(names);
    },
    LIMIT_MS,
  );

  it(
    'is told that a tool does not exist, and what a bad call lacks',
    async () => {
      const {
        core: { run },
        agent: { token },
      } = there();
      const to = [run.agentMcpUrl, '--transport', 'http', ...withToken(token), '--method', 'tools/call'];
      const unknown = await inspect([...to, '--tool-name', 'spawn_agent']);
      expect([unknown.code, `${unknown.out}${unknown.err}`]).toEqual([5, expect.stringContaining('tool_not_found')]);
      const bad = await inspect([...to, '--tool-name', 'send_message', '--tool-arg', 'to=nobody-there', 'body=x']);
      expect(`${bad.out}${bad.err}`).toContain('discover_agents');
    },
    LIMIT_MS,
  );
});
