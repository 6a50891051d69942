import { describe, expect, it } from 'vitest';
import { answersOf, partsOf } from './question-answers.ts';

describe('answers on a card', () => {
  it('are the short ones that a question offers', () => {
    expect(answersOf({ options: ['Keep', ' Drop '] })).toEqual(['Keep', 'Drop']);
  });

  it.each([
    [{ options: ['This one is longer than any button should ever be'] }],
    [{ options: ['1', '2', '3', '4', '5'] }],
    [null],
  ])('are none for %j', (data) => expect(answersOf(data)).toEqual([]));
});

describe('a question', () => {
  it('tells code apart and loses no character', () => {
    expect(partsOf('Keep `couponCode` or `x`?')).toEqual([
      { text: 'Keep ', isCode: false },
      { text: 'couponCode', isCode: true },
      { text: ' or ', isCode: false },
      { text: 'x', isCode: true },
      { text: '?', isCode: false },
    ]);
    expect(partsOf('a ` alone')).toEqual([{ text: 'a ` alone', isCode: false }]);
  });
});
