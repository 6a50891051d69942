import fc from 'fast-check';
import { expect, it } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import { KeyedMutex } from './keyed-mutex.ts';

interface Step {
  readonly key: string;
  /** Turns of the microtask queue the task takes. */
  readonly turns: number;
  readonly fails: boolean;
  /** Turns that pass before the next task is queued. */
  readonly pause: number;
}

const steps = fc.array(
  fc.record<Step>({ key: fc.constantFrom('a', 'b', 'c'), turns: fc.nat(5), fails: fc.boolean(), pause: fc.nat(3) }),
  { minLength: 1, maxLength: 40 },
);

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}

it('runs tasks of one key in order and one at a time, whatever fails, and forgets keys that rest', async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      withinTime(async (script) => {
        const mutex = new KeyedMutex<string>();
        const running = new Map<string, number>();
        const order = new Map<string, number[]>();
        const results: Promise<PromiseSettledResult<number>>[] = [];
        for (const [index, step] of script.entries()) {
          const result = mutex.run(step.key, async () => {
            expect(running.get(step.key) ?? 0).toBe(0);
            running.set(step.key, 1);
            order.set(step.key, [...(order.get(step.key) ?? []), index]);
            await turns(step.turns);
            running.set(step.key, 0);
            if (step.fails) throw new Error(`step ${index}`);
            return index;
          });
          expect(mutex.isBusy(step.key)).toBe(true);
          results.push(Promise.allSettled([result]).then(([settled]) => settled));
          await turns(step.pause);
        }
        const settled = await Promise.all(results);
        expect(settled.map(({ status }) => status === 'rejected')).toEqual(script.map(({ fails }) => fails));
        for (const [key, indices] of order) {
          expect(indices).toEqual(script.flatMap((step, index) => (step.key === key ? [index] : [])));
          expect(mutex.isBusy(key)).toBe(false);
        }
      }),
    ),
    { numRuns: effort.propertyRuns * 5 },
  );
});

it('runs tasks of different keys side by side', async () => {
  const mutex = new KeyedMutex<string>();
  const gate = Promise.withResolvers<undefined>();
  const first = mutex.run('a', () => gate.promise);
  expect(await mutex.run('b', () => Promise.resolve('done'))).toBe('done');
  expect(mutex.isBusy('a')).toBe(true);
  gate.resolve(undefined);
  await first;
});

it('passes on what a task throws before it returns a promise', async () => {
  const mutex = new KeyedMutex<string>();
  await expect(
    mutex.run('a', () => {
      throw new Error('at once');
    }),
  ).rejects.toThrow('at once');
  expect(await mutex.run('a', () => Promise.resolve(1))).toBe(1);
});
