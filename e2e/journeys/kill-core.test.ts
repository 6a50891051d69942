/** `kill -9` of the core in the middle of the sample crew's job: the next core adopts the agents and the job ends right. */
import { expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { killInRounds } from '#e2e/support/kill-rounds.ts';

it(
  'goes on after kill -9 of the core: agents adopted, no message lost or doubled, the report right',
  { timeout: effort.killBudgetMs + 120_000 },
  async () => {
    const least = effort.leastKillRounds;
    expect(await killInRounds({ runtime: 'tmux', least, budgetMs: effort.killBudgetMs })).toBeGreaterThanOrEqual(least);
  },
);
