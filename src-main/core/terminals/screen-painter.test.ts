import xterm from '@xterm/headless';
import type { Terminal } from '@xterm/headless';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import { ScreenMirror } from './screen-mirror.ts';
import { paintScreen } from './screen-painter.ts';
import { coreOf } from './terminal-core.ts';
import { stateOf } from './testing/terminal-state.ts';

const SIZE = { cols: 20, rows: 6 };
const made: { dispose(): void }[] = [];

function terminal(): Terminal {
  const one = new xterm.Terminal({ ...SIZE, scrollback: 0, allowProposedApi: true });
  made.push(one);
  return one;
}

function feed(to: Terminal, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => to.write(text, resolve));
}

afterEach(() => {
  for (const one of made.splice(0)) one.dispose();
});

/** Feeds `before` to one terminal and its painted state to another, then `after` to both. What both show, each time. */
async function compare(before: string, after: string, junk = ''): Promise<{ original: unknown[]; copy: unknown[] }> {
  const original = terminal();
  await feed(original, before);
  const copy = terminal();
  await feed(copy, junk);
  await feed(copy, paintScreen(original, coreOf(original)));
  const first = [original, copy].map(stateOf);
  await feed(original, after);
  await feed(copy, after);
  return { original: [first[0], stateOf(original)], copy: [first[1], stateOf(copy)] };
}

const n = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const csi = (final: string, ...params: fc.Arbitrary<number>[]): fc.Arbitrary<string> =>
  fc.tuple(...params).map((values) => `\x1b[${values.join(';')}${final}`);

const operation = fc.oneof(
  { weight: 6, arbitrary: fc.stringMatching(/^[a-z ]{1,25}$/) },
  { weight: 2, arbitrary: fc.constantFrom('漢字', '界', 'é', 'e\u0301', 'x\u0308y', '한글', '─') },
  { weight: 3, arbitrary: fc.constantFrom('\r\n', '\n', '\r', '\b', '\t', '\x1bM', '\x1bD') },
  { weight: 3, arbitrary: csi('H', n(7), n(22)) },
  { weight: 2, arbitrary: fc.oneof(csi('A', n(4)), csi('B', n(4)), csi('C', n(9)), csi('D', n(9)), csi('G', n(20))) },
  {
    weight: 3,
    arbitrary: fc.oneof(
      csi('J', fc.integer({ min: 0, max: 2 })),
      csi('K', fc.integer({ min: 0, max: 2 })),
      csi('X', n(9)),
      csi('P', n(5)),
      csi('@', n(5)),
      csi('L', n(3)),
      csi('M', n(3)),
      csi('S', n(2)),
      csi('T', n(2)),
    ),
  },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom(
        '0',
        '1',
        '2',
        '3',
        '4',
        '5',
        '7',
        '8',
        '9',
        '22',
        '24',
        '27',
        '31',
        '42',
        '93',
        '104',
        '38;5;200',
        '48;5;17',
        '38;2;1;2;3',
        '48;2;250;1;9',
        '39',
        '49',
        '53',
      )
      .map((code) => `\x1b[${code}m`),
  },
  {
    weight: 2,
    arbitrary: fc.oneof(
      fc.constant('\x1b[r'),
      fc.tuple(n(3), fc.integer({ min: 4, max: 6 })).map(([top, bottom]) => `\x1b[${top};${bottom}r`),
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom('\x1b7', '\x1b8', '\x1b(0', '\x1b(B') },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('?1', '?25', '?1000', '?1002', '?1003', '?1006', '?2004', '?1004', '?45')
      .chain((mode) => fc.constantFrom('h', 'l').map((set) => `\x1b[${mode}${set}`)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '\x1b[?7l',
      '\x1b[?7h',
      '\x1b[4h',
      '\x1b[4l',
      '\x1b[?6h',
      '\x1b[?6l',
      '\x1b[?1049h',
      '\x1b[?1049l',
      '\x1b[?47h',
      '\x1b[?47l',
      '\x1b[2 q',
      '\x1b[5 q',
      '\x1bc',
      '\x1b[!p',
    ),
  },
);
const output = fc.array(operation, { maxLength: 30 }).map((parts) => parts.join(''));

describe('a painted screen', () => {
  it.each([
    ['waits at the end of a line that has more below', '\x1b[3;1Hbelow\x1b[1;1H12345678901234567890', 'next'],
    ['keeps the scroll region', '\x1b[2;4r\x1b[4;1Hlast', '\nmore\nand more'],
    ['keeps a hidden cursor', '\x1b[?25lx', 'y'],
    ['keeps line drawing', '\x1b(0lqqk', 'x  x\x1b(Bx'],
    ['waits at the end of a line, positions counted from a region', '\x1b[2;5r\x1b[?6h\x1b[2;20Hé', 'next'],
    ['waits behind a wide character, likewise', '\x1b[?6h\x1b[1;19H漢', 'next'],
    ['keeps the underline of a saved cursor', '\x1b[4m\x1b7', '\x1b8lined'],
    ['keeps coloured underlines', '\x1b[4:3;58:5:3mwavy\x1b[58:2::9:8:7mred\x1b[0m', 'plain'],
    ['keeps the second character set', '\x1b)0a\x0elqk', 'x\x0fx\x0ex'],
    ['keeps the screen behind a full-screen program', 'shell $ vi\r\n\x1b[?1049h\x1b[2J\x1b[3;3Hediting', '\x1b[?1049lback'],
    ['keeps rows that are one line', 'a line that is longer than the row is\r\n', 'end'],
    ['keeps wide characters at the right edge', '1234567890123456789漢', 'x'],
    ['keeps backgrounds of erased cells', '\x1b[44m\x1b[2J\x1b[3;3Hx\x1b[K', 'y'],
  ])('%s', async (_what, before, after) => {
    const { original, copy } = await compare(before, after);
    expect(copy).toEqual(original);
  });

  it(
    'is the same screen, and what follows has the same effect, whatever was shown before',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          output,
          output,
          output,
          withinTime(async (before, after, junk) => {
            const shown = await compare(before, after, junk);
            expect(shown.copy).toEqual(shown.original);
          }),
        ),
        { numRuns: effort.propertyRuns * 4 },
      );
    },
    effort.roundsTimeoutMs,
  );
});

describe('the mirror', () => {
  it('takes a snapshot of what was written before it was asked for', async () => {
    const mirror = new ScreenMirror(SIZE);
    made.push(mirror);
    mirror.write(Buffer.from('one'));
    const first = mirror.snapshot();
    mirror.write(Buffer.from(' two\x1b]2;a title\x07'));
    mirror.resize({ cols: 30, rows: 6 });
    const second = mirror.snapshot();
    const copy = terminal();
    await feed(copy, (await first).bytes);
    expect(copy.buffer.active.getLine(0)?.translateToString(true)).toBe('one');
    await feed(copy, (await second).bytes);
    expect(copy.buffer.active.getLine(0)?.translateToString(true)).toBe('one two');
    expect((await second).size).toEqual({ cols: 30, rows: 6 });
    expect(Buffer.from((await second).bytes).toString()).toContain('\x1b]2;a title\x07');
    expect(await mirror.lines()).toEqual(['one two', '', '', '', '', '']);
    expect(mirror.backlog).toBe(0);
  });
});
