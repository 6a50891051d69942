/** Proves the harness: the real CLI, a scripted model and an MCP server, with nothing else in reach. */

import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { startModelServer } from '../model-server/model-server.ts';
import type { ModelServer } from '../model-server/model-server.ts';
import type { Turn } from '../model-server/script.ts';
import { CLAUDE_CODE_MISSING, findClaudeCode, isClaudeCodeRequired } from './find-claude-code.ts';
import { createFixtureCrew, createFixtureServer } from './fixture-mcp.ts';
import { runClaudeCode } from './run-claude-code.ts';
import type { ClaudeCodeResult, McpServerConfig } from './run-claude-code.ts';

const claudeBin = findClaudeCode();
const isLeftOut = claudeBin === undefined && !isClaudeCodeRequired();
if (isLeftOut) console.warn(`left out: ${CLAUDE_CODE_MISSING}`);

const TOKEN = 'a-token-of-the-test';

const agent = z.object({ id: z.string(), type: z.string() });
const spawned = z.object({ agent });
const mail = z.object({ messages: z.array(z.object({ from: z.string(), body: z.string() })) });

/** List, spawn, send, wait, list again, say it. */
const SCRIPT: readonly Turn[] = [
  { toolUse: { name: 'list_agents' } },
  { toolUse: { name: 'spawn_agent', input: { type: 'worker' } } },
  {
    toolUse: {
      name: 'send_message',
      input: (context) => ({ to: context.read('spawn_agent', spawned).agent.id, body: 'count the files' }),
    },
  },
  {
    toolUse: { name: 'wait_for_messages' },
    until: (result) => mail.parse(result.json).messages.length > 0,
  },
  { toolUse: [{ name: 'list_agents' }, { name: 'wait_for_messages' }] },
  {
    text: (context) => {
      const agents = context.read('list_agents', z.object({ agents: z.array(agent) })).agents;
      const [reply] = context.read('wait_for_messages', mail).messages;
      return `${agents.map((one) => `${one.id}:${one.type}`).join()} ${reply?.from} said ${reply?.body}`;
    },
  },
];

const FINAL_TEXT = 'agt_1:worker agt_1 said COUNT THE FILES';

const STDIO_SERVER = join(import.meta.dirname, 'fixture-mcp-stdio.ts');

const releases: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

async function startModel(script: readonly Turn[]): Promise<ModelServer> {
  const server = await startModelServer({ script });
  releases.push(() => server.close());
  return server;
}

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'qd-claude-'));
  releases.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The fixture server over HTTP: 401 for every other bearer token. */
async function startHttpMcp(): Promise<string> {
  const crew = createFixtureCrew();
  const handle = toNodeHandler(createMcpHandler(() => createFixtureServer(crew)));
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (request.headers.authorization === `Bearer ${TOKEN}`) handle(request, response).catch(() => response.destroy());
    else response.writeHead(401).end();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  releases.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${z.object({ port: z.number() }).parse(server.address()).port}/mcp`;
}

/** True while the process works; one that ended and was not waited for yet (state Z) does not. */
function isRunning(pid: string): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

async function run(model: ModelServer, server: McpServerConfig, prompt: string): Promise<ClaudeCodeResult> {
  const folder = await makeFolder();
  return await runClaudeCode({
    prompt,
    mcpConfig: { mcpServers: { quarterdeck: server } },
    modelUrl: model.url,
    configDir: join(folder, 'config'),
    cwd: folder,
    timeoutMs: 15_000,
    env: { TEST_TOKEN: TOKEN },
  });
}

describe.skipIf(isLeftOut)('the real Claude Code CLI with a scripted model', () => {
  it('calls tools over HTTP with a bearer token, through several turns, and gives the final text', async () => {
    const model = await startModel(SCRIPT);
    const url = await startHttpMcp();
    const headers = { Authorization: `Bearer ${TOKEN}` };
    const result = await run(model, { type: 'http', url, headers }, 'put a worker to work');
    expect(model.problems).toEqual([]);
    expect(result).toMatchObject({ text: FINAL_TEXT, isError: false, exitCode: 0, mcpServers: { quarterdeck: 'connected' } });
    const kinds = new Set(model.requests.map((request) => request.kind));
    expect(kinds.has('outside'), JSON.stringify(model.requests.map((request) => request.target))).toBe(false);
    const asked = model.requests.findLast((request) => request.kind === 'model');
    expect(JSON.stringify(asked?.body?.messages)).toContain('put a worker to work');
  });

  it('expands a token from its environment', async () => {
    const model = await startModel([{ toolUse: { name: 'list_agents' } }, { text: (context) => context.results[0]?.text ?? '' }]);
    const url = await startHttpMcp();
    const headers = { Authorization: 'Bearer ${TEST_TOKEN}' };
    const result = await run(model, { type: 'http', url, headers }, 'list');
    expect(result).toMatchObject({ text: '{"agents":[]}', isError: false });
  });

  it('says what is wrong when the token is', async () => {
    const model = await startModel([{ toolUse: { name: 'list_agents' } }, { text: 'never' }]);
    const url = await startHttpMcp();
    const headers = { Authorization: 'Bearer wrong' };
    const result = await run(model, { type: 'http', url, headers }, 'list');
    expect(result.isError).toBe(true);
    expect(result.mcpServers['quarterdeck']).not.toBe('connected');
    expect(model.problems[0]).toContain('the client has no tool mcp__quarterdeck__list_agents');
  });

  it('starts a stdio server and calls its tools', async () => {
    const model = await startModel(SCRIPT);
    const server = { type: 'stdio', command: process.execPath, args: [STDIO_SERVER] } as const;
    const result = await run(model, server, 'put a worker to work');
    expect(model.problems).toEqual([]);
    expect(result).toMatchObject({ text: FINAL_TEXT, isError: false, mcpServers: { quarterdeck: 'connected' } });
  });

  it('stops in the middle of a turn, with the servers it started', async () => {
    const stop = new AbortController();
    const never = Promise.withResolvers<string>();
    const stopInTheMiddle = (): Promise<string> => {
      stop.abort();
      return never.promise;
    };
    const model = await startModel([{ toolUse: { name: 'list_agents' } }, { text: stopInTheMiddle }]);
    const folder = await makeFolder();
    const pidFile = join(folder, 'pid');
    const serve = `echo $$ > '${pidFile}'; exec '${process.execPath}' '${STDIO_SERVER}'`;
    const started = runClaudeCode({
      prompt: 'wait',
      mcpConfig: { mcpServers: { quarterdeck: { type: 'stdio', command: '/bin/sh', args: ['-c', serve] } } },
      modelUrl: model.url,
      configDir: join(folder, 'config'),
      cwd: folder,
      timeoutMs: 15_000,
      signal: stop.signal,
    });
    await expect(started).rejects.toThrow('Claude Code was stopped');
    const pid = (await readFile(pidFile, 'utf8')).trim();
    await expect.poll(() => isRunning(pid), { timeout: 5_000 }).toBe(false);
    never.resolve('');
  });

  it('fails a run that is out of time', async () => {
    const never = Promise.withResolvers<string>();
    const model = await startModel([{ text: () => never.promise }]);
    const folder = await makeFolder();
    const started = runClaudeCode({
      prompt: 'wait',
      mcpConfig: { mcpServers: {} },
      modelUrl: model.url,
      configDir: join(folder, 'config'),
      cwd: folder,
      timeoutMs: 300,
    });
    await expect(started).rejects.toThrow('Claude Code ran longer than 300 ms');
    never.resolve('');
  });
});
