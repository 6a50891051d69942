import { expect, it } from 'vitest';
import { leftText } from './left-text.ts';

it('says how long is left in words that do not jump', () => {
  expect([-5, 59_999, 60_000, 15 * 60_000, 119 * 60_000, 24 * 3_600_000].map(leftText)).toEqual([
    'for less than a minute',
    'for less than a minute',
    'for 1 min',
    'for 15 min',
    'for 119 min',
    'for 24 h',
  ]);
});
