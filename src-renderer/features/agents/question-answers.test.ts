import { describe, expect, it } from 'vitest';
import { answersOf, partsOf } from './question-answers.ts';

describe('answers that a question offers', () => {
  it('are read from its data, as words or as objects with a label', () => {
    expect(answersOf({ options: ['Keep', ' Drop '] })).toEqual(['Keep', 'Drop']);
    expect(answersOf({ answers: [{ label: 'Yes', value: 'y' }, { label: 'No' }] })).toEqual(['Yes', 'No']);
    expect(answersOf({ choices: ['2.14.0'], other: 1 })).toEqual(['2.14.0']);
  });

  it.each([
    [null],
    ['Keep'],
    [{}],
    [{ options: [] }],
    [{ options: [1, 2] }],
    [{ options: ['Keep', 'Keep'] }],
    [{ options: ['Keep', ''] }],
    [{ options: ['a\nb'] }],
    [{ options: ['This one is longer than any button should ever be'] }],
    [{ options: ['1', '2', '3', '4', '5'] }],
  ])('are none in %j', (data) => expect(answersOf(data)).toEqual([]));
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
