import { expect, test } from 'vitest';
import { isReplacing, SETTLE_MS } from './use-settled.ts';

const other = { messageId: 'one', until: 1_000 };

test('a question that takes the place of another waits', () => {
  expect(isReplacing({ ...other, until: Infinity }, 'two', 5_000)).toBe(true);
  expect(isReplacing(other, 'two', 1_000 + SETTLE_MS - 1)).toBe(true);
});

test('one that comes where nothing stood, long after, or back again does not', () => {
  expect(isReplacing(undefined, 'two', 1_000)).toBe(false);
  expect(isReplacing(other, 'two', 1_000 + SETTLE_MS)).toBe(false);
  expect(isReplacing(other, 'one', 1_001)).toBe(false);
});
