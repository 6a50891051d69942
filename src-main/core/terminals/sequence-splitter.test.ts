import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { MAX_SEQUENCE_BYTES, SequenceSplitter } from './sequence-splitter.ts';

function split(...chunks: (string | Uint8Array)[]): string[] {
  const splitter = new SequenceSplitter();
  return chunks.map((chunk) => Buffer.from(splitter.feed(typeof chunk === 'string' ? Buffer.from(chunk) : chunk)).toString());
}

/** What is whole in itself: text, characters of several bytes, sequences of all kinds. */
const whole = fc.oneof(
  fc.stringMatching(/^[ -~\r\n\t]{1,12}$/),
  fc.constantFrom('é', '漢', '🙂', '\x1b[31m', '\x1b[1;24r', '\x1b(0', '\x1b7', '\x1bM', '\x1b[?25l', '\x1b[4:3m', '\x1b[0 q'),
  fc.constantFrom(
    '\x1b]2;a title\x07',
    '\x1b]8;;http://x/\x1b\\',
    '\x1bPq#0;1\x1b\\',
    '\x1b_apc\x1b\\',
    '\x1b[12\x18',
    '\u009b31m',
    '\u009d2;t\u009c',
    '\x1b[\x1b[0m',
  ),
);
const question = fc.constantFrom(
  ...[
    '\x1b[c',
    '\x1b[>c',
    '\x1b[=0c',
    '\x1b[5n',
    '\x1b[6n',
    '\x1b[?6n',
    '\x1b[>q',
    '\x1b[>0q',
    '\x1b[?u',
    '\x1b[?2026$p',
    '\x1b[4$p',
    '\x1b[18t',
    '\x1b[x',
    '\x1bZ',
    '\u009bc',
  ],
  ...['\x1bP$qm\x18', '\x1bP+q544e\x18', '\x1b]10;?\x07', '\x1b]11;?\x07', '\x1b]4;3;?\x07', '\x1b]52;c;?\x07'],
);

/** Cuts bytes at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

describe('the sequence splitter', () => {
  it('keeps back what is incomplete', () => {
    expect(split('a\x1b', '[3', '1mb')).toEqual(['a', '', '\x1b[31mb']);
    expect(split(Buffer.from([0x61, 0xe6]), Buffer.from([0xbc]), Buffer.from([0xa2]))).toEqual(['a', '', '漢']);
    expect(split('x\x1b]2;ti', 'tle\x07y')).toEqual(['x', '\x1b]2;title\x07y']);
    expect(split('x\x1bP1;2', 'qabc\x1b', '\\y')).toEqual(['x', '\x1bP1;2qabc', '\x1b\\y']);
  });

  it('gives on what is broken instead of waiting for its end', () => {
    expect(split(Buffer.from([0xe6, 0x41]), Buffer.from([0xff, 0x42]))[0]?.endsWith('A')).toBe(true);
    expect(split('\x1b[3é more')).toEqual(['\x1b[3é more']);
    expect(split('\x1bPé text')).toEqual(['\x1bPé text']);
  });

  it('loses nothing and takes out exactly the questions, wherever chunks are cut', () => {
    const parts = fc.array(
      fc.oneof(
        { weight: 4, arbitrary: whole.map((text) => ({ text, isKept: true })) },
        { weight: 1, arbitrary: question.map((text) => ({ text, isKept: false })) },
      ),
    );
    fc.assert(
      fc.property(parts, fc.array(fc.nat(), { maxLength: 12 }), (items, places) => {
        const all = Buffer.from(items.map((item) => item.text).join(''));
        const kept = items
          .filter((item) => item.isKept)
          .map((item) => item.text)
          .join('');
        expect(split(...cut(all, places)).join('')).toBe(kept);
      }),
      { numRuns: effort.propertyRuns * 20 },
    );
  });

  it('cuts the same bytes at most once and never inside, for any input', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 8 }), (bytes, places) => {
        const inOne = new SequenceSplitter().feed(bytes);
        const splitter = new SequenceSplitter();
        const inParts = Buffer.concat(cut(Buffer.from(bytes), places).map((chunk) => Buffer.from(splitter.feed(chunk))));
        expect(inParts.equals(inOne)).toBe(true);
      }),
      { numRuns: effort.propertyRuns * 20 },
    );
  });

  it('drops a sequence without end and goes on behind it', () => {
    const half = 'x'.repeat(MAX_SEQUENCE_BYTES);
    expect(split('a\x1b]52;c;', half, half, 'yy\x07b', 'c')).toEqual(['a', '', '', 'b', 'c']);
    expect(split(`a\x1b[${'1'.repeat(MAX_SEQUENCE_BYTES)}`, '1;2mb')).toEqual(['a', 'b']);
  });

  it('keeps from viewers what reaches beyond the screen, and questions in every spelling', () => {
    const long = '0'.repeat(300);
    for (const text of [
      '\x1b]52;c;ZXZpbA==\x07',
      `\x1b]52;c;${'QUFB'.repeat(500)}\x07`,
      '\x1b]052;c;QQ==\x07',
      '\x1b]5\x002;c;QQ==\x07',
      '\u009d52;c;QQ==\u009c',
      '\x1b]50;font\x07',
      '\x1b]9;note\x07',
      '\x1b]777;notify;a;b\x07',
      '\x1b]1337;File=name=eA==:eA==\x07',
      '\x1b[5i',
      '\x1b[?4i',
      '\x1b[6\x00n',
      `\x1b[${long}6n`,
      '\x1b[6:1n',
      '\x1b[?1;1;0S',
      '\x1b[1$w',
      '\x1b[1;1;1;1;2;2*y',
      '\x1b[?4m',
      '\x1bP1$qm\x18',
      '\x1b]011;?\x07',
      `\x1b]4;${'1;#000;'.repeat(60)}2;?\x07`,
    ])
      expect([text, split(`a${text}b`)]).toEqual([text, ['ab']]);
    for (const text of [
      '\x1b]0;title\x07',
      '\x1b]8;id=1;http://x/?a\x1b\\',
      '\x1b]11;#000000\x07',
      '\x1b]104\x07',
      '\x1b]133;A\x07',
      '\x1b[4:3m',
      '\x1b[2S',
      '\x1b[8;24;80t',
    ])
      expect([text, split(text)]).toEqual([text, [text]]);
  });

  it('keeps a viewer on one screen where the runtime draws both, and only there', () => {
    const switches = 'a\x1b[?1049hb\x1b[?1049lc\x1b[?47hd\x1b[?1047le\x1b[?25lf';
    const splitter = new SequenceSplitter({ hasOneScreen: true });
    expect(Buffer.from(splitter.feed(Buffer.from(switches))).toString()).toBe('abcde\x1b[?25lf');
    expect(split(switches)).toEqual([switches]);
  });
});
