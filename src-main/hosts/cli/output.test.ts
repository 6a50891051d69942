import { describe, expect, it } from 'vitest';
import { oneLine, plain, textWidth } from './output.ts';
import { size, span } from './times.ts';

describe('text of others', () => {
  it('keeps lines and tabs, and loses everything that drives a terminal', () => {
    expect(plain('a\tb\r\nc\u001b[2J\u001b]52;c;aGk=\u0007d\u0000e\u009b31m')).toBe('a\tb\ncd␀e');
    expect(oneLine(' a\n\n b\t')).toBe('a b');
  });

  it('is measured in columns', () => {
    expect([textWidth('abc'), textWidth('né'), textWidth('ne\u0301'), textWidth('日本'), textWidth('🚢')]).toEqual([
      3, 2, 2, 4, 2,
    ]);
  });
});

describe('figures', () => {
  it('have one unit', () => {
    expect([0, 999, 59_999, 3_600_000, 200_000_000].map(span)).toEqual(['0ms', '999ms', '59s', '1h', '2d']);
    expect([12, 2_048, 5 * 2 ** 20, 3.5 * 2 ** 30].map(size)).toEqual(['12 B', '2.0 KB', '5.0 MB', '3.5 GB']);
  });
});
