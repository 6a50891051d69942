/** The real Claude Code as an agent of the crew, offline: it enrols with a code, and answers its mail with the tools as a model sees them. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { CLAUDE_CODE_MISSING, findClaudeCode, isClaudeCodeRequired } from '#e2e/support/claude-code/find-claude-code.ts';
import { runClaudeCode } from '#e2e/support/claude-code/run-claude-code.ts';
import type { TestCore } from '#e2e/support/core.ts';
import { makeDataDir, removeDataDir, startCore } from '#e2e/support/core.ts';
import { startModelServer } from '#e2e/support/model-server/model-server.ts';
import type { Turn } from '#e2e/support/model-server/script.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { Registration } from '#shared/enrolments/model.ts';
import { InboxMessage } from '#shared/messages/model.ts';

const claude = findClaudeCode();
const isLeftOut = claude === undefined && !isClaudeCodeRequired();
if (isLeftOut) console.warn(`left out: the real Claude Code answers its mail (${CLAUDE_CODE_MISSING})`);

/** One run of the CLI; beside other work its start alone takes some seconds. In milliseconds. */
const RUN_MS = 60_000;
const Mail = z.object({ messages: z.array(InboxMessage) });
const Asked = z.object({ messageId: z.string(), reply: InboxMessage.nullable() });

let core: TestCore;
let rest: RestClient;
let folder: string;

beforeAll(async () => {
  core = await startCore({ dataDir: makeDataDir() });
  rest = new RestClient(core);
  folder = await mkdtemp(join(tmpdir(), 'qd-claude-'));
  await rest.ok('POST', '/projects', { folder });
}, RUN_MS);

afterAll(async () => {
  await core.stop();
  removeDataDir(core.dataDir);
  await rm(folder, { recursive: true, force: true });
}, RUN_MS);

/** One run of the CLI on the agents' interface; returns the model's last text. */
async function run(script: readonly Turn[], token?: string): Promise<string> {
  const model = await startModelServer({ script });
  try {
    const result = await runClaudeCode({
      prompt: 'see to your mail',
      modelUrl: model.url,
      cwd: folder,
      configDir: join(folder, '.claude-config'),
      timeoutMs: RUN_MS,
      mcpConfig: {
        mcpServers: {
          quarterdeck: {
            type: 'http',
            url: core.run.agentMcpUrl,
            ...(token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }),
          },
        },
      },
    });
    expect([model.problems, result.isError]).toEqual([[], false]);
    return result.text;
  } finally {
    await model.close();
  }
}

/** Asks the agent, and waits for its answer as long as it takes: a call that is repeated goes on waiting. */
async function answer(): Promise<z.infer<typeof Asked>> {
  const request = { to: 'claude', body: 'Is the table sound?', timeoutMs: 20_000, idempotencyKey: 'ask' };
  for (;;) {
    const asked = Asked.parse(await rest.ok('POST', '/messages:request', request));
    if (asked.reply !== null) return asked;
  }
}

describe.runIf(!isLeftOut)('the real Claude Code as an agent, offline', () => {
  it('enrols with a code, is told of its mistake, answers a request and acknowledges it', { timeout: 4 * RUN_MS }, async () => {
    const { secret } = z.object({ secret: z.string() }).parse(await rest.ok('POST', '/enrolments/codes', {}));
    const enrolled = await run([
      {
        toolUse: { name: 'register_agent', input: { code: secret, name: 'Claude Code', id: 'claude', capabilities: ['review'] } },
      },
      { text: (context) => JSON.stringify(context.read('register_agent', Registration)) },
    ]);
    const { token, agentId } = Registration.parse(JSON.parse(enrolled));
    expect(agentId).toBe('claude');
    if (token === null) throw new Error('no token');

    const asking = answer();
    // Awaited below; a run that fails before that is the failure.
    asking.catch(() => undefined);
    const said = await run(
      [
        {
          toolUse: { name: 'wait_for_messages', input: { timeoutMs: 20_000 } },
          until: (result) => Mail.parse(result.json).messages.length > 0,
        },
        // A recipient that is not there: the error says what to do next.
        { toolUse: { name: 'send_message', input: { to: 'nobody-there', kind: 'reply', body: 'It is sound.' } } },
        { toolUse: { name: 'discover_agents' } },
        {
          toolUse: {
            name: 'send_message',
            input: (context) => ({
              to: 'operator',
              kind: 'reply',
              body: 'It is sound.',
              inReplyTo: context.read('wait_for_messages', Mail).messages[0]?.id,
            }),
          },
        },
        {
          toolUse: {
            name: 'mark_messages_read',
            input: (context) => ({ messageIds: context.read('wait_for_messages', Mail).messages.map(({ id }) => id) }),
          },
        },
        { text: (context) => context.results.map(({ text }) => text).join('\n') },
      ],
      token,
    );
    expect(said).toContain('NOT_FOUND: Agent "nobody-there" does not exist. Nothing was sent. See who is there with');
    const { messageId, reply } = await asking;
    expect(reply).toMatchObject({ body: 'It is sound.', from: { kind: 'agent', id: 'claude' } });
    const { deliveries } = z
      .object({ deliveries: z.array(z.object({ state: z.string(), recipient: z.string() })) })
      .parse(await rest.ok('GET', `/messages/${messageId}`));
    expect(deliveries).toEqual([{ recipient: 'claude', state: 'read' }]);
  });
});
