import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mentionsIn, mentionSpans, previewOf, textParts } from './text-parts.ts';

const isName = (name: string): boolean => ['ada', 'e2e.nightly', 'ben-2'].includes(name);

describe('a text of thousands of names', () => {
  const text = '@ada '.repeat(13_000);

  it('is told apart in its first part only, and nothing of it is lost', () => {
    const parts = textParts(text, isName);
    expect(parts.length).toBeLessThan(2_010);
    expect(parts.map((part) => part.text).join('')).toBe(text);
    expect(mentionSpans(text, isName, 200)).toHaveLength(200);
    expect(mentionsIn(`${text}@ben-2`, isName)).toEqual(['ada', 'ben-2']);
  });
});

describe('textParts', () => {
  it('tells code, blocks, links and mentions from words', () => {
    expect(textParts('@ada look at `retry.ts:31`, see https://example.org/a_(b).\n```ts\nlet x\n```', isName)).toEqual([
      { kind: 'mention', text: '@ada' },
      { kind: 'text', text: ' look at ' },
      { kind: 'code', text: 'retry.ts:31' },
      { kind: 'text', text: ', see ' },
      { kind: 'link', text: 'https://example.org/a_(b', href: 'https://example.org/a_(b' },
      { kind: 'text', text: ').\n' },
      { kind: 'block', text: 'let x' },
    ]);
  });

  it.each([
    'http://example.org',
    'https://example.org@elsewhere.net/',
    'https://a:b@elsewhere.net',
    'javascript:alert(1)',
    'ada@ben-2',
    'me@ada',
    '@nobody',
    '<b>bold</b>',
    '`open',
  ])('leaves %j as it is', (text) => expect(textParts(text, isName)).toEqual([{ kind: 'text', text }]));

  it('loses nothing but the marks around code', () => {
    const piece = fc.constantFrom('@ada', '@ben-2.', ' ', 'word', 'https://a.b/c, ', '\n', '@', '`', 'e2e.nightly');
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        const joined = textParts(text, isName)
          .map((part) => part.text)
          .join('');
        expect(joined.replaceAll('`', '')).toBe(text.replaceAll('`', ''));
      }),
    );
  });
});

describe('mentionsIn', () => {
  it('names each once, without what closes the sentence', () => {
    expect(mentionsIn('@ben-2, ask @e2e.nightly. Then @ben-2 again; not `@ada`.', isName)).toEqual(['ben-2', 'e2e.nightly']);
  });
});

describe('previewOf', () => {
  it('cuts at a word, and after some lines', () => {
    expect(previewOf('short')).toBeUndefined();
    expect(previewOf('1\n2\n3\n4\n5\n6')).toBeUndefined();
    expect(previewOf('1\n2\n3\n4\n5\n6\n7')).toBe('1\n2\n3\n4\n5\n6…');
    const long = previewOf('word '.repeat(200)) ?? '';
    expect(long.length).toBeLessThanOrEqual(421);
    expect(long.endsWith('word…')).toBe(true);
  });
});
