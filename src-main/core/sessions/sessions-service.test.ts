import { afterEach, beforeEach, expect, it } from 'vitest';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { SessionsService } from './sessions-service.ts';

let test: TestStore;
beforeEach(() => {
  test = openTestStore();
});
afterEach(() => test.dispose());

let clock = 1_000;
const core = (): SessionsService => new SessionsService({ store: test.store, version: '1.2.3', now: () => (clock += 1) });

async function kinds(): Promise<string[]> {
  const { rows } = await test.store.read('journal.page', { after: 0, limit: 100 });
  return rows.map((row) => (row.kind === 'core.started' ? `core.started ${String(row.data?.['afterCrash'])}` : row.kind));
}

it('goes on with the session that a crash left, and begins a new one after a clean end', async () => {
  const first = core();
  expect(await first.open()).toEqual({ isAfterCrash: false });
  const id = first.currentId();

  const afterCrash = core();
  expect(await afterCrash.open()).toEqual({ isAfterCrash: true });
  expect(afterCrash.currentId()).toBe(id);
  await afterCrash.end();

  const next = core();
  expect(await next.open()).toEqual({ isAfterCrash: false });
  expect(next.currentId()).not.toBe(id);
  expect(await kinds()).toEqual([
    'session.started',
    'core.started false',
    'core.started true',
    'session.ended',
    'core.stopped',
    'session.started',
    'core.started false',
  ]);
  const sessions = await next.list(10);
  expect(sessions.map((session) => session.endedAt === null)).toEqual([true, false]);
  expect(await next.list(1)).toEqual(sessions.slice(0, 1));
});

it('ends once', async () => {
  const sessions = core();
  await sessions.open();
  await sessions.end();
  await sessions.end();
  expect((await kinds()).filter((kind) => kind === 'session.ended')).toHaveLength(1);
  expect(() => sessions.currentId()).toThrow('not open');
});

it('keeps the session of a crash open through a start that fails, and ends one that the failed start began', async () => {
  const crashed = core();
  await crashed.open();
  const id = crashed.currentId();
  const failed = core();
  await failed.open();
  await failed.giveUp();
  const next = core();
  expect(await next.open()).toEqual({ isAfterCrash: true });
  expect(next.currentId()).toBe(id);
  await next.end();

  const failedAnew = core();
  await failedAnew.open();
  await failedAnew.giveUp();
  expect(await core().open()).toEqual({ isAfterCrash: false });
});
