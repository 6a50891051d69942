import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import type { Priority } from '#shared/messages/model.ts';
import { PRIORITIES } from '#shared/messages/model.ts';
import { FAIR_AFTER_MS, FAIR_EVERY } from './fair-turns.ts';
import { ClockedCrew } from './testing/clocked-crew.ts';

/** What the property may take, in ms. */
const BUDGET_MS = effort.roundsBudgetMs / 6;

const rank = (priority: Priority): number => PRIORITIES.indexOf(priority);

it('hands out in strict order while nobody has waited for long', async () => {
  const crew = await ClockedCrew.open();
  try {
    await crew.send({ priority: 'low' });
    for (let n = 0; n < 40; n += 1) await crew.send({ priority: 'critical' });
    const handed = (await Promise.all(Array.from({ length: 40 }, () => crew.take({ limit: 1 })))).flat();
    expect(new Set(handed.map(({ priority }) => priority))).toEqual(new Set(['critical']));
  } finally {
    await crew.t.dispose();
  }
});

it('lets nobody wait for ever, whatever is more urgent and whatever is less', async () => {
  const crew = await ClockedCrew.open();
  try {
    const waiting = [await crew.send({ priority: 'normal', kind: 'note' }), await crew.send({ priority: 'high', kind: 'note' })];
    crew.clock.now += FAIR_AFTER_MS;
    const handed: string[] = [];
    for (let n = 0; n < 3 * FAIR_EVERY; n += 1) {
      await crew.send({ priority: 'critical', kind: 'note' });
      await crew.send({ priority: 'critical', kind: 'note' });
      await crew.send({ priority: 'low', kind: 'note' });
      handed.push(...(await crew.take({ limit: 1 })).map(({ id }) => id));
    }
    for (const id of waiting) expect(handed.indexOf(id)).toBeGreaterThan(0);
  } finally {
    await crew.t.dispose();
  }
});

it(
  'hands out one in sixteen from the oldest that was passed over for half a minute, however much is more urgent',
  async () => {
    let histories = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...PRIORITIES), { minLength: 40, maxLength: 70 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }),
        withinTime(async (priorities, limits) => {
          const crew = await ClockedCrew.open();
          try {
            const to = { to: crew.ben.agentId ?? ('operator' as const) };
            const sent = await Promise.all(priorities.map((priority) => crew.send({ ...to, kind: 'note', priority })));
            crew.clock.now += FAIR_AFTER_MS;
            const left = (
              await crew.t.service.queues({ ...(crew.ben.agentId && { agentId: crew.ben.agentId }), limit: 200 })
            ).messages.map(({ id, priority }) => ({ id, priority }));
            let passed = 0;
            for (let n = 0; left.length > 0; n += 1) {
              const page = await crew.take({ limit: limits[n % limits.length] ?? 1 });
              expect(page.length).toBeGreaterThan(0);
              // What is handed out together with everything else is not passed over.
              const isAll = page.length === left.length;
              for (const { id } of page) {
                const [strict] = left;
                if (!strict) throw new Error('nothing was left');
                const passedOver = new Set(
                  left.filter((message) => rank(message.priority) > rank(strict.priority)).map((message) => message.id),
                );
                const oldest = sent.find((message) => passedOver.has(message));
                // Either the strict order, or the turn of the oldest that is passed over.
                expect([strict.id, oldest]).toContain(id);
                passed = passedOver.size === 0 || id === oldest ? 0 : passed + 1;
                expect(isAll || passed < FAIR_EVERY, `${passed} in a row`).toBe(true);
                left.splice(
                  left.findIndex((message) => message.id === id),
                  1,
                );
              }
            }
          } finally {
            await crew.t.dispose();
          }
          histories += 1;
        }, BUDGET_MS),
      ),
      { numRuns: effort.propertyRuns },
    );
    expect(histories).toBeGreaterThanOrEqual(effort.leastRounds);
  },
  effort.roundsTimeoutMs,
);
