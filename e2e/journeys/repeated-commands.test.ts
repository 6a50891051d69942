/** Commands that a client repeats because their answer was lost: with the same key they are done once. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import type { TestCore } from '#e2e/support/core.ts';
import { removeDataDir, startCore } from '#e2e/support/core.ts';
import { RestClient } from '#e2e/support/rest-client.ts';
import { SpokenAgent } from '#e2e/support/spoken-agent.ts';

let core: TestCore;
let rest: RestClient;
let folder: string;

beforeAll(async () => {
  core = await startCore();
  rest = new RestClient(core);
  folder = join(core.dataDir, 'project');
  mkdirSync(folder);
}, 60_000);

afterAll(async () => {
  await core.stop();
  removeDataDir(core.dataDir);
}, 60_000);

const Spawned = z.object({ id: z.string() });
const Asked = z.object({ messageId: z.string(), isDuplicate: z.boolean(), reply: z.unknown() });

it('make one agent, although no id was stated', async () => {
  const draft = { type: 'command', command: ['sleep', '1000'], projectFolder: folder, start: false };
  const first = Spawned.parse(await rest.ok('POST', '/agents', { ...draft, idempotencyKey: 'one' }));
  expect(await rest.ok('POST', '/agents', { ...draft, idempotencyKey: 'one' })).toMatchObject({ id: first.id });
  expect(Spawned.parse(await rest.ok('POST', '/agents', draft)).id).not.toBe(first.id);
  expect(await rest.call('POST', '/agents', { ...draft, idempotencyKey: 'one', description: 'another' })).toMatchObject({
    status: 409,
  });
});

it('type once', async () => {
  await rest.ok('POST', '/agents', { id: 'typist', type: 'command', command: ['cat'], projectFolder: folder });
  const typing = { text: 'hello', enter: true, idempotencyKey: 'typed' };
  await rest.ok('POST', '/agents/typist/terminal', typing);
  await rest.ok('POST', '/agents/typist/terminal', typing);
  await rest.ok('POST', '/agents/typist/terminal', { text: 'end', enter: true });
  const Screen = z.object({ lines: z.array(z.string()) });
  const screen = async () =>
    Screen.parse(await rest.ok('GET', '/agents/typist/terminal'))
      .lines.filter((line) => line !== '')
      .sort();
  // Each line once as the terminal echoes it and once as cat prints it, in whatever order.
  await expect.poll(screen, { timeout: 10_000 }).toEqual(['end', 'end', 'hello', 'hello']);
});

it('ask once, and go on waiting for the answer', async () => {
  const ada = await SpokenAgent.spawn(core, folder, 'ada');
  try {
    const question = { to: 'ada', body: 'Which port?', idempotencyKey: 'asked' };
    const first = Asked.parse(await rest.ok('POST', '/messages:request', { ...question, timeoutMs: 0 }));
    expect(first).toMatchObject({ isDuplicate: false, reply: null });
    const again = rest.ok('POST', '/messages:request', { ...question, timeoutMs: 50_000 });
    const [asked] = await ada.take(30_000);
    expect(asked?.id).toBe(first.messageId);
    await ada.send('operator', '8080', { kind: 'reply', inReplyTo: first.messageId });
    const answered = { messageId: first.messageId, isDuplicate: true, reply: { body: '8080' } };
    expect(await again).toMatchObject(answered);
    expect(await rest.ok('POST', '/messages:request', { ...question, timeoutMs: 0 })).toMatchObject(answered);
    expect(await ada.take()).toEqual([]);
  } finally {
    ada.close();
  }
}, 60_000);
