/** How long it is known what was asked for under a key where a chain stored something else. */
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import { MiddlewareChain } from '#shared/middleware/model.ts';
import type { Message } from '#shared/messages/model.ts';
import type { Caller } from '#core/caller.ts';
import { findByKey } from '#core/messages/messages-repository.ts';
import type { TestMessages } from '#core/messages/testing/open-messages.ts';
import { openMessages, OPERATOR_CALLER } from '#core/messages/testing/open-messages.ts';
import { removeOldDigests } from './middleware-repository.ts';
import { MiddlewareService } from './middleware-service.ts';

const KEY = 'ghp_0123456789abcdefghijABCDEFGHIJ012345';
const REDACT = { id: 'no-secrets', kind: 'redact' };
const MONTH = 30 * 24 * 60 * 60 * 1_000;

let t: TestMessages;
let middleware: MiddlewareService;
let ada: Caller;

async function openMiddleware(): Promise<void> {
  middleware = new MiddlewareService({
    store: t.test.store,
    folder: join(t.test.dir, 'middleware'),
    agentOf: () => undefined,
    agentsOf: () => [],
    defaultProject: () => t.projectId,
    isProject: () => true,
    secrets: { list: async () => [], reveal: () => undefined },
    digestKey: new Uint8Array(32).fill(9),
    findByKey: (from, key) => t.test.store.peek((db) => findByKey(db, from, key)),
    log: (message, error) => {
      throw new Error(message, { cause: error });
    },
  });
  await middleware.open();
}

beforeEach(async () => {
  t = await openMessages({
    extend: async () => ({ prepare: (draft, sender, caller) => middleware.prepare(draft, sender, caller) }),
  });
  await openMiddleware();
  ada = t.addAgent('ada');
  t.addAgent('ben');
  const chain = MiddlewareChain.parse({ steps: [REDACT] });
  await middleware.set({ projectId: t.projectId, chain }, OPERATOR_CALLER);
});

afterEach(async () => {
  middleware.dispose();
  await t.dispose();
});

async function send(more: { body?: string; idempotencyKey: string }): Promise<Message> {
  const input = { to: AgentId.parse('ben'), body: 'text', kind: 'note' as const, priority: 'normal' as const, ...more };
  return (await t.service.get({ id: (await t.service.send(input, ada)).messageId })).message;
}

/** The messages of which it is known, oldest first. */
const ids = (): unknown[] =>
  t.test.store.peek((db) => db.prepare('SELECT message_id AS id FROM middleware_inputs ORDER BY message_id').all());

it('keeps for 30 days what was asked for where something else was stored; repeated later, a send is refused, and never made twice', async () => {
  for (const key of ['old', 'new']) await send({ body: KEY, idempotencyKey: key });
  const plain = await send({ idempotencyKey: 'plain' });
  const [old, kept] = ids();
  // As if the first had been sent a month ago: its id begins with its time.
  const past = (Date.now() - MONTH - 1_000).toString(16).padStart(12, '0');
  const pastId = `msg_${past.slice(0, 8)}-${past.slice(8)}-7000-8000-000000000000`;
  const { id } = old as { id: string };
  await t.test.store.write((tx) => {
    tx.prepare('UPDATE messages SET id = ? WHERE id = ?').run(pastId, id);
    tx.prepare('UPDATE middleware_inputs SET message_id = ? WHERE message_id = ?').run(pastId, id);
  });
  expect(ids()).toEqual([{ id: pastId }, kept]);
  middleware.dispose();
  await openMiddleware();
  expect(ids()).toEqual([kept]);
  await expect(send({ body: KEY, idempotencyKey: 'old' })).rejects.toMatchObject({ code: 'CONFLICT' });
  expect(await send({ body: KEY, idempotencyKey: 'new' })).toMatchObject(kept as object);
  expect((await send({ idempotencyKey: 'plain' })).id).toBe(plain.id);
  expect((await t.service.list({ limit: 10 })).messages).toHaveLength(3);
});

it('keeps it for the newest only, however many there are, and the oldest go first, some at a time', async () => {
  for (const idempotencyKey of ['1', '2', '3', '4', '5']) await send({ body: KEY, idempotencyKey });
  const all = ids();
  const remove = (most: number, limit: number): Promise<number> =>
    t.test.store.write((tx) => removeOldDigests(tx, { most, ms: 60_000_000 }, Date.now(), limit));
  expect([await remove(5, 9), await remove(2, 2)]).toEqual([0, 2]);
  expect(ids()).toEqual(all.slice(2));
  expect([await remove(2, 2), await remove(2, 2)]).toEqual([1, 0]);
  expect(ids()).toEqual(all.slice(3));
});
