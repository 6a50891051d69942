import fc from 'fast-check';
import { expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { Json } from '#shared/kernel/json.ts';
import { describeOutcome } from './describe-outcome.ts';

const sha256 = 'a'.repeat(64);
const done = (result: Json, artefacts: { path: string; bytes: number }[] = []): string =>
  describeOutcome({ ok: true, result, artefacts: artefacts.map((one) => ({ ...one, sha256 })), durationMs: 1_234 });

it.each([
  [
    'a survey',
    done(
      { merge: { totals: { files: 405, lines: 45_453 } }, report: { path: 'report.md', totals: { files: 405, lines: 45_453 } } },
      [{ path: 'report.md', bytes: 12_345 }],
    ),
    'Surveyed 405 files, 45,453 lines; wrote report.md (12 KB). Done in 1.2 s.',
  ],
  [
    'a share',
    done({ analyst: 'a', files: [{ path: 'x', lines: 1 }], todos: [], missing: [] }),
    'Analysed 1 file, 1 line; 0 open items. Done in 1.2 s.',
  ],
  [
    'an inventory',
    done({ source: 'git', files: [], totalFiles: 2, totalBytes: 3_000_000 }),
    'Found 2 files, 2.9 MB. Done in 1.2 s.',
  ],
  ['a command', done({ exitCode: 0, signal: null, stdout: 'hello\n', stderr: '' }), 'Exit code 0. Done in 1.2 s.\n\nhello'],
  ['a silent command', done({ exitCode: 3, signal: null, stdout: '', stderr: '\n' }), 'Exit code 3; no output. Done in 1.2 s.'],
  [
    'a command that was ended',
    done({ exitCode: null, signal: 'SIGTERM', stdout: '', stderr: 'bye' }),
    'Ended by a signal. Done in 1.2 s.\n\nbye',
  ],
  ['nothing', done(null), 'Done in 1.2 s.'],
  ['a text', done('HELLO'), 'Done in 1.2 s.\n\nHELLO'],
  ['a small result', done({ sum: 42 }), 'Done in 1.2 s.\n\n{\n  "sum": 42\n}'],
  [
    'a long list',
    done(Array.from({ length: 1_000 }, (_, index) => index)),
    'The result is a list of 1,000 entries, in the data. Done in 1.2 s.',
  ],
  [
    'many fields',
    done(Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`f${index}`, index]))),
    'The result is in the data: f0, f1, f2 and 17 more. Done in 1.2 s.',
  ],
  [
    'many files',
    done(
      { ok: 1 },
      Array.from({ length: 5 }, (_, index) => ({ path: `out/${index}.csv`, bytes: 1 })),
    ).split('\n')[0],
    'Wrote out/0.csv (1 byte), out/1.csv (1 byte), out/2.csv (1 byte) and 2 more. Done in 1.2 s.',
  ],
  [
    'a failure',
    describeOutcome({ ok: false, error: { kind: 'exit', message: '"make" exited with code 2' }, durationMs: 5 }),
    'Failed: "make" exited with code 2',
  ],
])('says it in words: %s', (_what, text, expected) => {
  expect(text).toBe(expected);
});

it('shows the last lines of a long output', () => {
  const stdout = Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n');
  const text = done({ exitCode: 0, stdout, stderr: '' });
  expect(text).toContain('(20 lines before these are in the data)\nline 20\n');
  expect(text).toMatch(/line 29$/);
});

it('is short for any result', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = done(Json.parse(value));
      expect(text.split('\n').length).toBeLessThan(16);
      expect(text.length).toBeLessThan(2_600);
    }),
    { numRuns: effort.propertyRuns * 3 },
  );
});
