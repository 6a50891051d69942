import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import xterm from '@xterm/headless';
import { effort, withinTime } from '#e2e/support/effort.ts';
import type { TileRow } from '#shared/terminals/frames.ts';
import { AnsiLines, ansiOf, plainText, tileRow } from './ansi-lines.ts';
import { stateOf } from './testing/terminal-state.ts';

function tile(...lines: readonly string[]): TileRow[] {
  const reader = new AnsiLines();
  return lines.map((line) => tileRow(reader.read(line)));
}

describe('lines of a terminal', () => {
  it.each([
    ['plain', [['plain']]],
    ['', []],
    ['   ', []],
    ['trailing   ', [['trailing']]],
    ['\x1b[31mred\x1b[0m usual', [['red', { fg: 1 }], [' usual']]],
    [
      '\x1b[97;100mbright\x1b[39mback',
      [
        ['bright', { fg: 15, bg: 8 }],
        ['back', { bg: 8 }],
      ],
    ],
    ['\x1b[38;5;196mpalette', [['palette', { fg: 196 }]]],
    ['\x1b[48;2;1;20;255mrgb', [['rgb', { bg: '#0114ff' }]]],
    [
      '\x1b[38:2::16:32:48mcolons\x1b[38:2:1:2:3mshort\x1b[38:5:9mnine',
      [
        ['colons', { fg: '#102030' }],
        ['short', { fg: '#010203' }],
        ['nine', { fg: 9 }],
      ],
    ],
    ['\x1b[1;2;3;4;7;9mall', [['all', { bold: true, dim: true, italic: true, underline: true, inverse: true, strike: true }]]],
    [
      '\x1b[1;2;3;4;7;9ma\x1b[22;23;24;27;29mb',
      [['a', { bold: true, dim: true, italic: true, underline: true, inverse: true, strike: true }], ['b']],
    ],
    ['\x1b[4:3mcurly\x1b[4:0mnone', [['curly', { underline: true }], ['none']]],
    ['\x1b[38;5;1;1mboth', [['both', { fg: 1, bold: true }]]],
    ['\x1b[38;2;1;2mtoo few', [['too few']]],
    ['\x1b[38;5;999mout of range', [['out of range']]],
    ['\x1b[58;5;3;1munderline colour', [['underline colour', { bold: true }]]],
    ['\x1b[1mbold\x1b[mreset', [['bold', { bold: true }], ['reset']]],
    ['\x1b[44m  \x1b[0m  ', [['  ', { bg: 4 }]]],
    ['\x1b[7m \x1b[0m', [[' ', { inverse: true }]]],
    ['\x1b[1m   \x1b[0m', []],
    ['漢字\x1b[32m漢\x1b[0m👩‍👩‍👧é', [['漢字'], ['漢', { fg: 2 }], ['👩‍👩‍👧é']]],
    ['\x1b]8;;http://x\x1b\\link\x1b]8;;\x07 text', [['link text']]],
    ['a\x1b[2Jb\x1b[?25lc\x07d\x1b(0e\x1b7f', [['abcdef']]],
    ['\x0elqk\x0f lqk', [['┌─┐ lqk']]],
    ['\x1b[8msecret\x1b[0m.', [['      .']]],
    ['cut \x1b[38;5', [['cut']]],
    ['cut \x1b', [['cut']]],
  ] as [string, TileRow][])('%j', (line, expected) => {
    expect(tile(line)).toEqual([expected]);
  });

  it('lose the colour of an underline with 59', () => {
    const reader = new AnsiLines();
    expect(ansiOf(reader.read('\x1b[4;58:5:9ma\x1b[59mb'))).toBe('\x1b[0;4;58:5:9ma\x1b[0;4mb\x1b[0m');
  });

  it('go on in the look in which the line above ended', () => {
    expect(tile('\x1b[31mone', 'two \x1b[1mthree', '\x1b[0mfour')).toEqual([
      [['one', { fg: 1 }]],
      [
        ['two ', { fg: 1 }],
        ['three', { fg: 1, bold: true }],
      ],
      [['four']],
    ]);
  });

  it('become text without sequences, whatever they hold', () => {
    expect(plainText('\x1b[31mred\x1b[0m \x0eq\x0f')).toBe('red ─');
    fc.assert(
      fc.property(fc.array(fc.constantFrom('\x1b', '[', ']', 'm', '3', '1', ';', ':', '\\', 'x', '\x07', '漢', ' ')), (parts) => {
        // oxlint-disable-next-line no-control-regex -- none may be left
        expect(plainText(parts.join(''))).not.toMatch(/[\x00-\x1f\x7f]/);
      }),
      { numRuns: effort.propertyRuns * 10 },
    );
  });

  it('written line by line look like written as one', async () => {
    // Without 59: xterm.js keeps what it leaves behind apart from a colour that was never set, though both look the same.
    const code = fc.oneof(
      fc.constantFrom('0', '1', '2', '3', '4', '4:3', '5', '7', '8', '9', '22', '24', '27', '39', '49', '53', '', '58:5:7'),
      fc.integer({ min: 30, max: 37 }).map(String),
      fc.integer({ min: 100, max: 107 }).map(String),
      fc.nat(255).map((colour) => `38;5;${colour}`),
      fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255)).map((rgb) => `48;2;${rgb.join(';')}`),
    );
    const piece = fc.oneof(
      fc.array(code, { minLength: 1, maxLength: 3 }).map((codes) => `\x1b[${codes.join(';')}m`),
      fc.constantFrom('a', 'bc', ' ', '漢', '--'),
    );
    const line = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(''));
    const stateAfter = async (text: string): Promise<unknown> => {
      const terminal = new xterm.Terminal({ cols: 40, rows: 6, allowProposedApi: true });
      await new Promise<void>((resolve) => terminal.write(text, resolve));
      const state = stateOf(terminal);
      terminal.dispose();
      return state;
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 5 }),
        withinTime(async (lines) => {
          const reader = new AnsiLines();
          const whole = lines.map((one, y) => `\x1b[${y + 1};1H${one}`).join('');
          const parts = lines.map((one, y) => `\x1b[${y + 1};1H${ansiOf(reader.read(one))}`).join('');
          expect(await stateAfter(`${parts}\x1b[0m\x1b[H`)).toEqual(await stateAfter(`${whole}\x1b[0m\x1b[H`));
        }),
      ),
      { numRuns: effort.propertyRuns },
    );
  });
});
