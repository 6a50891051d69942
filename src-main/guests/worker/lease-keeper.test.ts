import { expect, it } from 'vitest';
import { KEEP_FOR_MS, LeaseKeeper } from './lease-keeper.ts';

it('says what is still held, in calls of at most 500, also after a call that failed', async () => {
  let held = Array.from({ length: 501 }, (_, n) => `m${n}`);
  const calls: number[] = [];
  const told = Promise.withResolvers<void>();
  const keeper = new LeaseKeeper({
    held: () => held,
    extend: async (ids, leaseMs) => {
      expect(leaseMs).toBe(KEEP_FOR_MS);
      calls.push(ids.length);
      held = ['last'];
      if (calls.length === 3) told.resolve();
      throw new Error('away');
    },
    everyMs: 5,
  });
  await told.promise;
  keeper[Symbol.dispose]();
  expect(calls.slice(0, 3)).toEqual([500, 1, 1]);
});

it('calls nobody while nothing is held', async () => {
  const looked = Promise.withResolvers<void>();
  let looks = 0;
  let calls = 0;
  const keeper = new LeaseKeeper({
    held: () => {
      looks += 1;
      if (looks === 3) looked.resolve();
      return [];
    },
    extend: async () => {
      calls += 1;
    },
    everyMs: 5,
  });
  await looked.promise;
  keeper[Symbol.dispose]();
  expect(calls).toBe(0);
});
