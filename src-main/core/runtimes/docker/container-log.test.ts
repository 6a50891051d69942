import { describe, expect, it } from 'vitest';
import { parseBoxLog, unframe } from './container-log.ts';
import { captureOf, plainLine } from './container-picture.ts';
import { FrameReader } from './container-tmux.ts';

const frame = (text: string): Buffer => {
  const payload = Buffer.from(text);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(payload.length, 4);
  return Buffer.concat([head, payload]);
};

describe('what a container says', () => {
  it('is taken out of its frames, however they are cut', () => {
    const framed = Buffer.concat([frame('grü'), frame(''), frame('ße\n')]);
    expect(unframe(framed).toString('utf8')).toBe('grüße\n');
    for (let cut = 0; cut <= framed.length; cut += 1) {
      const parts: Buffer[] = [];
      const reader = new FrameReader((payload) => parts.push(Buffer.from(payload)));
      reader.feed(framed.subarray(0, cut));
      reader.feed(framed.subarray(cut));
      expect(Buffer.concat(parts).toString('utf8')).toBe('grüße\n');
    }
    // Cut off by the end of the log.
    expect(unframe(framed.subarray(0, framed.length - 2)).toString('utf8')).toContain('grü');
  });

  it('tells the start and the end, and what else was said', () => {
    const ended = {
      type: 'ended',
      exit: { code: 3 },
      isSetup: false,
      lines: ['bye'],
      size: { cols: 80, rows: 24 },
      cursor: { x: 0, y: 1 },
    };
    const log = parseBoxLog(['{"type":"started","pid":30}', 'a warning', '{not json', JSON.stringify(ended), ''].join('\n'));
    expect(log).toEqual({ pid: 30, ended, noise: ['a warning', '{not json'] });
    expect(parseBoxLog('')).toEqual({ pid: undefined, ended: undefined, noise: [] });
    expect(parseBoxLog('{"type":"ended","exit":{"code":"x"}}').ended).toBeUndefined();
  });

  it('is shown as it was while it cannot be asked', () => {
    const lines = ['one', '\u001b[31mtwo\u001b[0m', 'three'];
    const picture = new Map([['main', { lines, size: { cols: 80, rows: 2 }, cursor: { x: 0, y: 0 } }]]);
    expect(captureOf(picture, { historyLines: 0, ansi: false }).lines).toEqual(['two', 'three']);
    expect(captureOf(picture, { historyLines: 9, ansi: true }).lines).toEqual(lines);
    expect(() => captureOf(picture, { historyLines: 0, ansi: false, window: 'queue' })).toThrow(/no window "queue"/);
    expect(plainLine('\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\ \u000eqq\u000f')).toBe('link qq');
  });
});
