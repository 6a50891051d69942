import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shellText } from './shell-text.ts';
import { splitCommand } from './split-command.ts';

describe('splitCommand', () => {
  it.each<[string, string[]]>([
    ['bash -l', ['bash', '-l']],
    ['  a   b ', ['a', 'b']],
    [`sh -c 'echo "$HOME"'`, ['sh', '-c', 'echo "$HOME"']],
    [String.raw`say "a \"b\" c" d\ e`, ['say', 'a "b" c', 'd e']],
    [String.raw`x "C:\dir"`, ['x', String.raw`C:\dir`]],
    [`a '' ""`, ['a', '', '']],
    ['', []],
  ])('takes %s apart', (text, argv) => expect(splitCommand(text)).toEqual({ argv }));

  it('says that a quote is open', () => {
    expect(splitCommand(`echo 'a`)).toEqual({ problem: 'A single quote is open: close it.' });
  });

  it('finds again what was put into a line (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme-ascii' }), { minLength: 1 }), (argv) => {
        expect(splitCommand(shellText(argv))).toEqual({ argv });
      }),
    );
  });
});
