import { describe, expect, it } from 'vitest';
import { optionsOf } from './question.ts';

describe('answers that a question offers', () => {
  it('are read from its data, whatever else is there', () => {
    expect(optionsOf({ options: ['Keep', ' Drop '], other: 1 })).toEqual(['Keep', 'Drop']);
  });

  it.each([
    [null],
    ['Keep'],
    [{}],
    [{ options: [] }],
    [{ options: [1, 2] }],
    [{ options: ['Keep', 'Keep'] }],
    [{ options: ['Keep', ' '] }],
    [{ options: ['a\nb'] }],
    [{ options: ['x'.repeat(81)] }],
    [{ options: ['1', '2', '3', '4', '5', '6', '7'] }],
  ])('are none in %j', (data) => expect(optionsOf(data)).toEqual([]));
});
