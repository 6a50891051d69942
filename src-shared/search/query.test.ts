import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQuery } from './query.ts';
import { foldWord, partsOf, wordsOf } from './words.ts';

const NOW = new Date(2026, 10, 21, 12).getTime();

function termsOf(text: string): unknown {
  const parsed = parseQuery(text, NOW);
  return parsed.ok
    ? parsed.query.terms.map((term) =>
        term.kind === 'words'
          ? `${term.isNegated ? '-' : ''}${term.words.join('+')}${term.isPrefix ? '*' : ''}`
          : `${term.isNegated ? '-' : ''}${term.name}=${term.value}`,
      )
    : parsed.problem.text;
}

describe('a query', () => {
  it.each([
    ['deploy failed', ['deploy', 'failed']],
    ['"exit code" -zero', ['exit+code', '-zero']],
    ['foo_bar src/core/app.ts fooBar', ['foo+bar', 'src+core+app+ts', 'foobar']],
    ['--port std::string http://x', ['port', 'std+string', 'http+x']],
    ['dep* "deploy fa"*', ['dep*', 'deploy+fa*']],
    ['from:api -to:operator KIND:Task topic:health.api', ['from=api', '-to=operator', 'kind=task', 'topic=health.api']],
    ['from:"a b" x', ['from=a b', 'x']],
    ['-> a - b', ['a', 'b']],
    ['NEAR(a b) OR "c" AND', ['near+a', 'b', 'or', 'c', 'and']],
  ])('%s', (text, terms) => {
    expect(termsOf(text)).toEqual(terms);
  });

  it.each([
    ['', 'There is nothing to look for'],
    ['!!! -', 'There is nothing to look for'],
    ['a "b', 'A quotation mark is not closed'],
    ['kind:thing', 'kind: is one of note, task'],
    ['from: x', 'from: needs a value'],
    ['x*', 'A beginning needs 2 characters'],
    ['after:yesterday', 'after: takes a day'],
    ['after:2026-02-30', 'after: takes a day'],
    ['-before:7d', '-before: cannot be'],
    ['a '.repeat(40), 'A query has at most 32'],
    ['a'.repeat(501), 'A query has at most 500'],
  ])('%s is told what is wrong', (text, problem) => {
    expect(termsOf(text)).toEqual(expect.stringContaining(problem));
  });

  it('knows days, times and how long ago', () => {
    const timesOf = (text: string): unknown => {
      const parsed = parseQuery(text, NOW);
      return parsed.ok ? [parsed.query.after, parsed.query.before] : parsed.problem;
    };
    expect(timesOf('after:2026-11-20 before:1h')).toEqual([new Date(2026, 10, 20).getTime(), NOW - 3_600_000]);
    expect(timesOf('after:2026-11-20T10:30Z after:2d')).toEqual([Date.UTC(2026, 10, 20, 10, 30), undefined]);
  });

  it('is understood or told, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('a', '"', ':', '-', '*', ' ', 'to:') })),
        (text) => {
          const parsed = parseQuery(text, NOW);
          if (parsed.ok)
            return parsed.query.terms.every((term) => term.kind === 'filter' || term.words.every((word) => word !== ''));
          const { start, end } = parsed.problem;
          return start >= 0 && end <= Math.max(text.length, start);
        },
      ),
    );
  });
});

describe('words', () => {
  it('are told apart, folded, and found where they stand', () => {
    expect(wordsOf('Über-Straße_x2 ΟΔΟΣ')).toEqual([
      { folded: 'uber', start: 0, end: 4 },
      { folded: 'straße', start: 5, end: 11 },
      { folded: 'x2', start: 12, end: 14 },
      { folded: 'οδοσ', start: 15, end: 19 },
    ]);
  });

  it('have parts: humps, and characters where there are no spaces', () => {
    expect(partsOf('fooBarBaz')).toEqual(['foo', 'bar', 'baz']);
    expect(partsOf('parseHTTPResponse2')).toEqual(['parse', 'http', 'response', '2']);
    expect(partsOf('天気が')).toEqual(['天', '気', 'が']);
    expect(partsOf('plain')).toEqual([]);
  });

  it('are the same however they are written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (text) => {
        expect(wordsOf(text.normalize('NFC')).map(({ folded }) => folded)).toEqual(
          wordsOf(text.normalize('NFD')).map(({ folded }) => folded),
        );
        for (const { folded } of wordsOf(text)) expect(foldWord(folded)).toBe(folded);
      }),
      { examples: [['é'], ['İı'], ['ǅ'], ['ﬁ']] },
    );
  });
});
