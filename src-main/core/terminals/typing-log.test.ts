import { afterEach, beforeEach, expect, it } from 'vitest';
import { AgentId } from '#shared/kernel/ids.ts';
import { SYSTEM_PROJECT_ID } from '#shared/projects/model.ts';
import { CORE } from '#core/caller.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { TypingLog } from './typing-log.ts';

const where = { agentId: AgentId.parse('one'), projectId: SYSTEM_PROJECT_ID, window: 'main' };
let test: TestStore;
let now = 0;
let log: TypingLog;

beforeEach(() => {
  test = openTestStore();
  now = 1_000_000;
  log = new TypingLog({ store: test.store, now: () => now });
});
afterEach(() => test.dispose());

async function rows(): Promise<number> {
  const page = await test.store.read('journal.page', { kind: 'terminal.typed', limit: 100 });
  return page.rows.length;
}

it('has one row per spell, and a new one after a silence or for somebody else', async () => {
  await log.note(where, CORE);
  now += 59_999;
  expect(log.note(where, CORE)).toBeUndefined();
  now += 59_999;
  expect(log.note(where, CORE)).toBeUndefined();
  expect(await rows()).toBe(1);
  now += 60_000;
  await log.note(where, CORE);
  await log.note(where, { ...CORE, door: 'web' });
  await log.note({ ...where, window: 'queue' }, CORE);
  expect(await rows()).toBe(4);
});

it('lets nobody type before the row is there, whichever connection began the spell', async () => {
  const first = log.note(where, CORE);
  const second = log.note(where, CORE);
  expect(second).toBeInstanceOf(Promise);
  await second;
  expect(await rows()).toBe(1);
  await first;
  expect(log.note(where, CORE)).toBeUndefined();
});

it('fails for all who wait for a row that cannot be written, and tries again with the next', async () => {
  await test.store.close();
  const both = [log.note(where, CORE), log.note(where, CORE)];
  for (const one of both) await expect(one).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(log.note(where, CORE)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});
