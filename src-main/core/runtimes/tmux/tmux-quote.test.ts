import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import { agentId, removeFolder, scratchFolder } from '../testing/support.ts';
import { agentIdOf, escapeFormat, quoteShell, sessionNameOf } from './tmux-quote.ts';
import { TmuxServer } from './tmux-server.ts';

/** Any text without NUL and without lone surrogates (which UTF-8 cannot carry), with a liking for what tmux's parser looks at. */
const text = fc.oneof(
  fc.string({ unit: 'binary' }).map((value) => value.toWellFormed().replaceAll('\0', '')),
  fc.string({
    unit: fc.constantFrom(
      '"',
      "'",
      '\\',
      '$',
      '#',
      '{',
      '}',
      ';',
      '~',
      '\n',
      '\r',
      '\t',
      ' ',
      '%',
      'n',
      '0',
      '7',
      'é',
      '→',
      '🚀',
      '(',
      ')',
      '=',
    ),
  }),
);

describe('quoting for tmux', () => {
  const folder = scratchFolder();
  const server = new TmuxServer({ socketDir: folder, log: () => undefined });
  beforeAll(async () => {
    await server.run('set-option', '-g', '@ready', '1');
  });
  afterAll(async () => {
    await server.run('kill-server').catch(() => undefined);
    server.dispose();
    removeFolder(folder);
  });
  const client = async (...args: string[]): Promise<string> => {
    const { path, args: first, env } = await server.clientCommand();
    return execFileSync(path, [...first, ...args], { env, encoding: 'utf8' });
  };

  it('gives tmux exactly the text that was meant', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: 1, maxLength: 3 }),
        withinTime(async (values) => {
          for (const [index, value] of values.entries()) await server.run('set-environment', '-g', `QD_${index}`, value);
          // Read back through an ordinary client, which prints the value as it is.
          for (const [index, value] of values.entries()) {
            expect(await client('show-environment', '-g', `QD_${index}`)).toBe(`QD_${index}=${value}\n`);
          }
        }),
      ),
      { numRuns: effort.propertyRuns },
    );
  });

  it('runs several commands as one, up to the first that fails', async () => {
    await expect(
      server.runAll([['set-option', '-g', '@a', '1'], ['no-such-command'], ['set-option', '-g', '@b', '1']]),
    ).rejects.toThrow(/no-such-command/);
    await expect(
      server.runAll([
        ['set-option', '-g', '@a', '1'],
        ['kill-session', '-t', '=nobody'],
        ['set-option', '-g', '@b', '1'],
      ]),
    ).rejects.toThrow(/nobody/);
    expect(await server.run('display-message', '-p', '[#{@a}#{@b}]')).toEqual(['[1]']);
  });

  it('keeps format signs out of formats', async () => {
    // Without control characters, which tmux shows otherwise; what matters is that nothing is expanded.
    // oxlint-disable-next-line no-control-regex -- they are what is taken out
    const printable = text.map((value) => value.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ''));
    const property = fc.asyncProperty(
      printable,
      withinTime(async (value) => {
        const [line] = await server.run('display-message', '-p', `x${escapeFormat(value).replaceAll('%', '%%')}`);
        return line === `x${value}`;
      }),
    );
    expect((await fc.check(property, { numRuns: effort.propertyRuns })).counterexample).toBeNull();
  });

  it('names sessions so that no two agents share one', () => {
    const id = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,62}$/).map(agentId);
    fc.assert(
      fc.property(id, id, (one, other) => {
        expect(sessionNameOf(one)).not.toMatch(/[.:]/);
        expect(agentIdOf(sessionNameOf(one))).toBe(one);
        expect(sessionNameOf(one) === sessionNameOf(other)).toBe(one === other);
      }),
    );
  });

  it('quotes for a shell', () => {
    fc.assert(
      fc.property(text, (value) => {
        expect(execFileSync('/bin/sh', ['-c', `printf %s ${quoteShell(value)}`], { encoding: 'utf8' })).toBe(value);
      }),
      { numRuns: effort.propertyRuns },
    );
    expect(quoteShell(join('/tmp', 'a-b.sock'))).toBe('/tmp/a-b.sock');
  });
});
