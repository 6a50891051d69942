/** Middleware on a real core: what it takes out of a message is nowhere, and a module that hangs holds up nobody else. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { SpokenAgent } from '#e2e/support/spoken-agent.ts';

/** Made up of parts, so that no file of the repository holds it. */
const TOKEN = ['ghp', 'x7Kq2Lm9Wn4Rt8Yv3Bc6Df1Gh5Jk0Ps2Zt4Q'].join('_');
const SECRET = ['correct', 'battery', 'staple', '91x'].join('/');

let core: TestCore;
let operator: RestClient;
let worker: SpokenAgent;
let projectId: string;
const Project = z.object({ id: z.string() });
const Sent = z.object({ messageId: z.string() });
const ModuleOf = z.object({ module: z.object({ sha256: z.string(), state: z.string() }) });

async function project(name: string): Promise<{ id: string; folder: string }> {
  const folder = join(core.dataDir, name);
  mkdirSync(folder);
  const { id } = Project.parse(await operator.ok('POST', '/projects', { folder }));
  return { id, folder };
}

function setChain(id: string, steps: unknown[]): Promise<unknown> {
  return operator.ok('PUT', `/projects/${id}/middleware`, { chain: { steps } });
}

async function accept(name: string, code: string): Promise<void> {
  writeFileSync(join(core.dataDir, 'middleware', `${name}.mjs`), code);
  const { module } = ModuleOf.parse(await operator.ok('GET', `/middleware/modules/${name}`));
  await operator.ok('POST', `/middleware/modules/${name}/accept`, { sha256: module.sha256 });
}

/** Every file of the data folder that holds a text. Sockets and the like are none. */
function filesWith(text: string): string[] {
  const bytes = Buffer.from(text);
  return readdirSync(core.dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file).includes(bytes));
}

beforeAll(async () => {
  core = await startCore();
  operator = new RestClient(core);
  const { id, folder } = await project('guarded');
  projectId = id;
  worker = await SpokenAgent.spawn(core, folder, 'worker');
}, 120_000);

afterAll(async () => {
  worker.close();
  await core.stop();
  removeDataDir(core.dataDir);
}, 60_000);

it('refuses a chain that is wrong, and says where', async () => {
  const answer = await operator.call('PUT', `/projects/${projectId}/middleware`, {
    chain: { steps: [{ id: 'a', kind: 'limit', perMinute: 0, burst: 1 }] },
  });
  expect(answer.status).toBe(400);
  expect(JSON.stringify(answer.body)).toContain('chain.steps.0.perMinute');
  const weak = new RestClient(
    core,
    z.object({ secret: z.string() }).parse(await operator.ok('POST', '/auth/tokens', { name: 'ci', role: 'automation' })).secret,
  );
  expect(await weak.call('PUT', `/projects/${projectId}/middleware`, { chain: { steps: [] } })).toMatchObject({ status: 403 });
});

it('leaves nothing of what it redacts in the database, the journal, the files of sessions and the log', async () => {
  await operator.ok('PUT', '/secrets/SHOP_KEY', { value: SECRET });
  await setChain(projectId, [
    { id: 'no-secrets', kind: 'redact' },
    { id: 'book', kind: 'audit', when: { from: ['worker'] } },
  ]);
  const message = {
    to: 'operator',
    subject: `about ${TOKEN}`,
    body: `I found ${TOKEN} and "${SECRET}" in the repository.`,
    data: { seen: [TOKEN, { [SECRET]: SECRET }] },
    idempotencyKey: 'once',
  };
  const sent = Sent.parse(await worker.call('send_message', message));
  expect(await worker.call('send_message', message)).toMatchObject({ messageId: sent.messageId, isDuplicate: true });
  expect(await operator.ok('GET', `/messages/${sent.messageId}`)).toMatchObject({
    message: {
      from: { kind: 'agent', id: 'worker' },
      subject: 'about [redacted:token]',
      body: 'I found [redacted:token] and "[redacted:secret]" in the repository.',
      data: { seen: ['[redacted:token]', { '[redacted:secret]': '[redacted:secret]' }] },
    },
  });
  // It is in every place by then that it will be in: the mirror in the session's file comes last.
  await vi.waitFor(
    () => expect(filesWith('I found [redacted:token]').some((file) => file.endsWith('messages.jsonl'))).toBe(true),
    {
      timeout: 60_000,
      interval: 100,
    },
  );
  for (const text of [TOKEN, SECRET, TOKEN.slice(4, 20), SECRET.slice(0, 14)]) {
    expect(filesWith(text)).toEqual([]);
    expect(core.log()).not.toContain(text);
  }
  expect(await operator.ok('GET', `/projects/${projectId}/middleware`)).toMatchObject({
    revision: 1,
    counters: [
      { id: 'no-secrets', seen: 1, changed: 1, redacted: 6 },
      { id: 'book', seen: 1 },
    ],
  });
}, 120_000);

it('refuses closed where a module hangs, while others send', async () => {
  const free = await project('free');
  await operator.ok('POST', '/agents', {
    id: 'other',
    type: 'command',
    command: ['sleep', '1000'],
    projectFolder: free.folder,
    start: false,
  });
  await accept('hang', 'export default (draft) => { if (draft.body === "hang") for (;;); return draft; };');
  await setChain(projectId, [{ id: 'hanging', kind: 'module', module: 'hang', timeoutMs: 5_000 }]);
  // The thread is there: what follows waits for the module and nothing else.
  await operator.ok('POST', '/messages', { to: 'worker', body: 'fine' });
  // Again where this machine was too slow to send anything within the deadline.
  await vi.waitFor(
    async () => {
      let isOver = false;
      const hung = operator.call('POST', '/messages', { to: 'worker', body: 'hang' }).finally(() => (isOver = true));
      await operator.ok('POST', '/messages', { to: 'other', body: 'meanwhile' });
      const wentOn = !isOver;
      const answer = await hung;
      expect(answer).toMatchObject({ status: 503 });
      expect(JSON.stringify(answer.body)).toContain('gave no answer within 5000 ms');
      expect(wentOn).toBe(true);
    },
    { timeout: 60_000 },
  );
  // A new thread takes over.
  await operator.ok('POST', '/messages', { to: 'worker', body: 'fine again' });
  expect(await operator.ok('GET', '/middleware/modules')).toMatchObject({
    modules: [{ name: 'hang', state: 'accepted', usedBy: [projectId] }],
  });
}, 120_000);
