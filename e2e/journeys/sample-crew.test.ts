/** The sample crew on a copy of this very repository, through every door; its report against facts found by other means. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client as CurrentClient, StreamableHTTPClientTransport as CurrentTransport } from '@modelcontextprotocol/client';
import { Client as EarlierClient } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as EarlierTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { CLAUDE_CODE_MISSING, findClaudeCode, isClaudeCodeRequired } from '#e2e/support/claude-code/find-claude-code.ts';
import { runClaudeCode } from '#e2e/support/claude-code/run-claude-code.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import type { CallTool } from '#e2e/support/crew-door.ts';
import { awaitReply, emptyInbox, restTools, startSample } from '#e2e/support/crew-door.ts';
import { expectReport } from '#e2e/support/expect-survey.ts';
import type { Facts } from '#e2e/support/facts.ts';
import { surveyFacts } from '#e2e/support/facts.ts';
import { startModelServer } from '#e2e/support/model-server/model-server.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { copyThisRepository, REPOSITORY } from '#e2e/support/this-repository.ts';

const run = promisify(execFile);
const JOURNEY_MS = 150_000;

let core: TestCore;
let folder: string;
let facts: Facts;

beforeAll(async () => {
  core = await startCore();
  folder = await copyThisRepository();
  facts = await surveyFacts(folder);
}, 60_000);

afterAll(async () => {
  expect(await core.stop()).toBe(0);
  removeDataDir(core.dataDir);
  await rm(folder, { recursive: true, force: true });
}, 60_000);

beforeEach(async () => {
  await emptyInbox(restTools(new RestClient(core)));
  await rm(join(folder, 'report.md'), { force: true });
});

const mcpHeaders = () => ({ requestInit: { headers: { authorization: `Bearer ${core.token}` } } });
const ToolAnswer = z.object({ structuredContent: z.unknown(), isError: z.boolean().optional() });

function structured(answer: unknown): unknown {
  const result = ToolAnswer.parse(answer);
  if (result.isError === true) throw new Error(JSON.stringify(answer));
  return result.structuredContent;
}

/** Runs the crew to its end and returns what it answered. */
async function crewAnswer(call: CallTool): Promise<unknown> {
  const { started, agents } = await startSample(call, folder);
  expect(agents).toHaveLength(3);
  return awaitReply(call, started[0] ?? '');
}

describe('the sample crew on this repository', () => {
  it('ends with a right report through REST', { timeout: JOURNEY_MS }, async () => {
    const answer = await crewAnswer(restTools(new RestClient(core)));
    await expectReport(folder, answer, facts);
  });

  it('ends with a right report through MCP with the SDK 1.x client', { timeout: JOURNEY_MS }, async () => {
    const client = new EarlierClient({ name: 'spec', version: '1' });
    await client.connect(new EarlierTransport(new URL(core.run.mcpUrl), mcpHeaders()));
    const answer = await crewAnswer(async (name, input) => structured(await client.callTool({ name, arguments: input })));
    await expectReport(folder, answer, facts);
    await client.close();
  });

  it('ends with a right report through MCP with the current client', { timeout: JOURNEY_MS }, async () => {
    const client = new CurrentClient({ name: 'spec', version: '1' });
    await client.connect(new CurrentTransport(new URL(core.run.mcpUrl), mcpHeaders()));
    const answer = await crewAnswer(async (name, input) => structured(await client.callTool({ name, arguments: input })));
    await expectReport(folder, answer, facts);
    await client.close();
  });

  it('ends with a right report through the command line', { timeout: JOURNEY_MS }, async () => {
    const { stdout } = await run(
      process.execPath,
      [join(REPOSITORY, 'bin', 'quarterdeck.mjs'), 'up', '--sample', folder, '--wait', '--json', '--data-dir', core.dataDir],
      {
        maxBuffer: 64 * 1024 * 1024,
        env: { ...process.env, QUARTERDECK_SKIP_BUILD: '1' },
      },
    );
    const answer = z.object({ replies: z.array(z.object({ data: z.unknown() })) }).parse(JSON.parse(stdout));
    expect(answer.replies).toHaveLength(1);
    await expectReport(folder, answer.replies[0]?.data, facts);
  });
});

const claude = findClaudeCode();
if (claude === undefined && !isClaudeCodeRequired())
  console.warn(`left out: the real Claude Code drives the crew (${CLAUDE_CODE_MISSING})`);

describe.runIf(claude !== undefined || isClaudeCodeRequired())('the real Claude Code, offline', () => {
  const Spawned = z.object({ id: z.string() });
  const Sent = z.object({ messageId: z.string() });
  const Mail = z.object({ messages: z.array(z.object({ inReplyTo: z.string().nullable(), data: z.unknown() })) });

  it('lists agents, spawns one, sends it work and reads the answer', { timeout: 60_000 }, async () => {
    const workspace = await mkdtemp(join(tmpdir(), 'qd-claude-'));
    const answerOf = (sent: string, mail: z.infer<typeof Mail>): unknown =>
      mail.messages.find((message) => message.inReplyTo === sent)?.data;
    const model = await startModelServer({
      script: [
        { toolUse: { name: 'list_agents' } },
        { toolUse: { name: 'spawn_agent', input: { type: 'worker', projectFolder: workspace } } },
        {
          toolUse: {
            name: 'send_message',
            input: (context) => ({
              to: context.read('spawn_agent', Spawned).id,
              kind: 'task',
              body: 'add the numbers',
              data: { op: 'run', command: ['sh', '-c', 'echo $((40 + 2))'] },
            }),
          },
        },
        {
          toolUse: { name: 'wait_for_messages', input: { timeoutMs: 5_000 } },
          until: (result) => Mail.parse(result.json).messages.length > 0,
        },
        {
          text: (context) =>
            `the worker answered ${JSON.stringify(answerOf(context.read('send_message', Sent).messageId, context.read('wait_for_messages', Mail)))}`,
        },
      ],
    });
    try {
      const result = await runClaudeCode({
        prompt: 'put a worker to work',
        modelUrl: model.url,
        cwd: workspace,
        configDir: join(workspace, '.claude-config'),
        timeoutMs: 45_000,
        mcpConfig: {
          mcpServers: { quarterdeck: { type: 'http', url: core.run.mcpUrl, headers: { Authorization: `Bearer ${core.token}` } } },
        },
      });
      expect(model.problems).toEqual([]);
      expect(result.text).toContain('the worker answered');
      expect(result.text).toContain('42');
      expect(result.isError).toBe(false);
    } finally {
      await model.close();
      await rm(workspace, { recursive: true, force: true });
    }
  });

  it('runs the sample crew on this repository to a right report', { timeout: JOURNEY_MS }, async () => {
    const Started = z.object({ started: z.array(z.string()) });
    const workspace = await mkdtemp(join(tmpdir(), 'qd-claude-'));
    const model = await startModelServer({
      script: [
        { toolUse: { name: 'start_sample_crew', input: { folder } } },
        {
          toolUse: { name: 'wait_for_messages', input: { timeoutMs: 20_000 } },
          until: (result) => result.text.includes('report.md'),
          maxTries: 20,
        },
        { text: (context) => `the crew works on ${context.read('start_sample_crew', Started).started[0]}: done` },
      ],
    });
    try {
      const result = await runClaudeCode({
        prompt: 'survey the repository with the sample crew',
        modelUrl: model.url,
        cwd: workspace,
        configDir: join(workspace, '.claude-config'),
        timeoutMs: JOURNEY_MS - 20_000,
        mcpConfig: {
          mcpServers: { quarterdeck: { type: 'http', url: core.run.mcpUrl, headers: { Authorization: `Bearer ${core.token}` } } },
        },
      });
      expect(model.problems).toEqual([]);
      const started = /works on (msg_\S+):/.exec(result.text)?.[1] ?? '';
      await expectReport(folder, await awaitReply(restTools(new RestClient(core)), started), facts);
    } finally {
      await model.close();
      await rm(workspace, { recursive: true, force: true });
    }
  });
});
