import { describe, expect, it } from 'vitest';
import { OutputTail } from './output-tail.ts';
import { renderQueue } from './queue-file.ts';
import { cleanOutput, cleanText, TerminalView } from './terminal-view.ts';

function view(isColored = false): { view: TerminalView; text: () => string } {
  let text = '';
  return {
    view: new TerminalView({ write: (part) => (text += part), isColored, now: () => new Date(2026, 0, 2, 3, 4, 5) }),
    text: () => text,
  };
}

describe('TerminalView', () => {
  it('writes time, glyph and text, further lines below', () => {
    const plain = view();
    plain.view.line('task', 'one\ntwo', '[2]');
    expect(plain.text()).toBe('03:04:05 ▸ [2] one\n           two\n');
    const colored = view(true);
    colored.view.line('done', 'x');
    expect(colored.text()).toBe('\u001b[2m03:04:05\u001b[0m \u001b[32m✓\u001b[0m x\n');
  });

  it('indents output line by line, across chunks and characters cut in two', () => {
    const { view: terminal, text } = view();
    const output = terminal.output();
    const bytes = Buffer.from('ä\r\nb\rc');
    output.add(bytes.subarray(0, 1));
    output.add(bytes.subarray(1));
    output.end();
    expect(text()).toBe('           │ ä\n           │ b\n           │ c\n');
  });

  it('lets nothing through that moves the cursor or talks to the terminal', () => {
    expect(cleanText('a\u001b[2Jb\u0007c\u009bd')).toBe('ab c d');
    expect(
      cleanOutput('\u001b[31mred\u001b[0m \u001b[2J\u001b]52;c;eA==\u0007\u001bPx\u001b\\\u001b(B\u001bc\u0008end\u001b'),
    ).toBe('\u001b[31mred\u001b[0m end');
    expect(cleanOutput('\u001b[?25l\u001b[1;31mx\u001b[K\u001b[>4;2m')).toBe('\u001b[1;31mx');
  });
});

describe('OutputTail', () => {
  it('keeps the end, whole characters only', () => {
    const tail = new OutputTail(5);
    for (const part of ['abc', 'dä', 'fg']) tail.add(Buffer.from(part));
    expect([tail.text(), tail.isTruncated, tail.totalBytes]).toEqual(['däfg', true, 8]);
    const cut = new OutputTail(3);
    cut.add(Buffer.from('äfg'));
    expect(cut.text()).toBe('fg');
    const none = new OutputTail(0);
    none.add(Buffer.from('x'));
    expect([none.text(), none.isTruncated]).toEqual(['', true]);
  });
});

describe('renderQueue', () => {
  it('counts and lists', () => {
    expect(renderQueue([], { done: 1, failed: 2 })).toBe('0 running, 0 waiting, 1 done, 2 failed\n');
    expect(
      renderQueue(
        [{ state: 'running', id: 'msg_1', from: 'operator', title: 'Survey', sinceMs: new Date(2026, 0, 2, 3, 4, 5).getTime() }],
        { done: 0, failed: 0 },
      ),
    ).toBe('1 running, 0 waiting, 0 done, 0 failed\nrunning  since 03:04:05  from operator  Survey  msg_1\n');
  });
});
