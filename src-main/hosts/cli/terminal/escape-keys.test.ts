import { describe, expect, it } from 'vitest';
import { EscapeKeys } from './escape-keys.ts';

/** What a sequence of typed chunks sends, and whether it leaves. */
function typed(...chunks: string[]): { sent: string; isDetach: boolean } {
  const keys = new EscapeKeys();
  let sent = '';
  for (const chunk of chunks) {
    const { bytes, isDetach } = keys.feed(Buffer.from(chunk));
    sent += Buffer.from(bytes).toString();
    if (isDetach) return { sent, isDetach };
  }
  return { sent, isDetach: false };
}

describe('escape keys', () => {
  it.each([
    ['plain text', ['ls -l\r'], 'ls -l\r', false],
    ['Ctrl-] d in one chunk', ['ab\u001ddcd'], 'ab', true],
    ['Ctrl-] and d apart', ['ab\u001d', 'd'], 'ab', true],
    ['Ctrl-] twice', ['\u001d\u001d'], '\u001d', false],
    ['Ctrl-] twice, then d', ['\u001d\u001d', 'd'], '\u001dd', false],
    ['Ctrl-] and another key', ['\u001d', 'x'], '\u001dx', false],
    ['text of many bytes', ['grüße 🚢'], 'grüße 🚢', false],
  ])('%s', (_name, chunks, sent, isDetach) => {
    expect(typed(...chunks)).toEqual({ sent, isDetach });
  });

  it('take control with t, which goes nowhere', () => {
    const keys = new EscapeKeys();
    expect(keys.feed(Buffer.from('a\u001dtb'))).toEqual({
      bytes: Uint8Array.from(Buffer.from('ab')),
      isDetach: false,
      isTake: true,
    });
    expect(keys.feed(Buffer.from('t'))).toMatchObject({ isTake: false });
    expect(keys.feed(Buffer.from('\u001dt\u001dd'))).toMatchObject({ isDetach: true, isTake: true });
  });
});
