import { expect, it } from 'vitest';
import { Kept } from './kept.ts';

it('keeps the object of what did not change, and forgets what is gone', () => {
  const kept = new Kept<{ id: string; n: number }>(
    ({ id }) => id,
    (a, b) => a.n === b.n,
  );
  const [a, b] = kept.renew([
    { id: 'a', n: 1 },
    { id: 'b', n: 1 },
  ]);
  const [b2, a2] = kept.renew([
    { id: 'b', n: 2 },
    { id: 'a', n: 1 },
  ]);
  expect(a2).toBe(a);
  expect(b2).not.toBe(b);
  kept.renew([]);
  expect(kept.renew([{ id: 'a', n: 1 }])[0]).not.toBe(a);
});
