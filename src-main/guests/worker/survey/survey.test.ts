import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import type { AnalysisReport, FileFacts } from '#shared/worker/survey-model.ts';
import { analyseFile } from './analyse-file.ts';
import { findDuplicates } from './duplicates.ts';
import { languageOf } from './languages.ts';
import { mergeReports } from './merge-reports.ts';
import { renderReport, REPORT_MARKER } from './render-report.ts';
import { splitFiles } from './split-files.ts';

const analyse = (path: string, text: string) => analyseFile(path, Buffer.from(text));
const facts = (path: string, lines: readonly string[]): FileFacts =>
  analyse(path, lines.map((line) => `${line}\n`).join('')).facts;
const letters = (from: string, count: number): string[] => Array.from({ length: count }, (_, index) => `${from}${index}`);

function reportOn(files: ReadonlyMap<string, string>, analyst: string): AnalysisReport {
  const analyses = [...files].map(([path, text]) => analyse(path, text));
  return {
    analyst,
    files: analyses.map((one) => one.facts),
    todos: analyses.flatMap((one) => one.todos),
    missing: [],
    durationMs: 1,
  };
}

describe('languageOf', () => {
  it('goes by the whole name, then by what follows the last dot', () => {
    const names = {
      'a/b.TS': 'TypeScript',
      Makefile: 'Makefile',
      'x/Dockerfile': 'Dockerfile',
      '.gitignore': 'Other',
      'a.b/c': 'Other',
      'CMakeLists.txt': 'CMake',
      'x.tar.gz': 'Other',
      'n.txt': 'Text',
    };
    for (const [name, language] of Object.entries(names)) expect(languageOf(name), name).toBe(language);
  });
});

describe('analyseFile', () => {
  it('counts lines, blank, comment and code lines', () => {
    expect(analyse('a.ts', '').facts).toMatchObject({ lines: 0, blank: 0, comment: 0, code: 0 });
    expect(analyse('a.ts', 'x').facts).toMatchObject({ lines: 1, code: 1 });
    expect(analyse('a.ts', '\n\n').facts).toMatchObject({ lines: 2, blank: 2 });
    expect(analyse('a.ts', 'x\r\n \t\r\n// c\n/**\n * d\n *\n */\nx *= 2;\n*p\nlast').facts).toMatchObject({
      lines: 10,
      blank: 1,
      comment: 5,
      code: 4,
    });
    expect(analyse('a.py', '# c\n// no\n').facts).toMatchObject({ comment: 1, code: 1 });
    expect(analyse('a.md', '# title\n').facts).toMatchObject({ comment: 0, code: 1 });
  });

  it('finds whole words in capitals, one a line', () => {
    expect(analyse('a.c', 'TODO: ä FIXME\nTODOS\nx_TODO\ntodo\n (FIXME)\n').todos).toEqual([
      { path: 'a.c', line: 1, kind: 'TODO', text: 'TODO: ä FIXME' },
      { path: 'a.c', line: 5, kind: 'FIXME', text: '(FIXME)' },
    ]);
  });

  it('takes a NUL byte among the first 8000 for binary', () => {
    expect(analyse('a.ts', `${'x'.repeat(7999)}\0`).facts).toMatchObject({ isBinary: true, language: 'Binary', lines: 0 });
    expect(analyse('a.ts', `${'x'.repeat(8000)}\0`).facts).toMatchObject({ isBinary: false });
  });
});

describe('findDuplicates', () => {
  it('finds a block across files and within one, and how far it goes', () => {
    const block = letters('same', 8);
    const found = findDuplicates([facts('b', ['x', ...block, 'y']), facts('a', [...block, 'p', ...block])]);
    expect(found.blocks).toEqual([
      {
        lines: 8,
        times: 3,
        occurrences: [
          { path: 'a', startLine: 1, endLine: 8 },
          { path: 'a', startLine: 10, endLine: 17 },
          { path: 'b', startLine: 2, endLine: 9 },
        ],
      },
    ]);
    expect(found.lines).toBe(24);
  });

  it('passes over blank lines, brackets and indentation', () => {
    const block = letters('same', 6);
    const found = findDuplicates([
      facts('a', block),
      facts(
        'b',
        block.flatMap((line) => [`  ${line}\t`, '', '  });', '--']),
      ),
    ]);
    expect(found.blocks).toEqual([
      {
        lines: 6,
        times: 2,
        occurrences: [
          { path: 'a', startLine: 1, endLine: 6 },
          { path: 'b', startLine: 1, endLine: 21 },
        ],
      },
    ]);
  });

  it('needs six lines, and does not take five', () => {
    expect(findDuplicates([facts('a', letters('s', 5)), facts('b', letters('s', 5))]).blocks).toEqual([]);
  });

  it('splits a block where a part of it occurs more often', () => {
    const [long, short] = [letters('s', 14), letters('s', 7)];
    const found = findDuplicates([facts('a', long), facts('b', long), facts('c', short)]);
    expect(found.blocks.map(({ lines, times }) => [lines, times])).toEqual([
      [7, 3],
      [12, 2],
    ]);
  });
});

describe('splitFiles', () => {
  it('deals every file out once, the same for any order, in balance (property)', () => {
    const file = fc.record({ path: fc.string({ minLength: 1 }), bytes: fc.nat(10_000) });
    fc.assert(
      fc.property(fc.uniqueArray(file, { selector: (one) => one.path }), fc.integer({ min: 1, max: 5 }), (files, parts) => {
        const shares = splitFiles(files, parts);
        expect(shares).toHaveLength(parts);
        expect(shares.flatMap((share) => share.files).sort()).toEqual(files.map((one) => one.path).sort());
        expect(splitFiles(files.toReversed(), parts)).toEqual(shares);
        const sizes = shares.map((share) => share.bytes);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(Math.max(0, ...files.map((one) => one.bytes)));
      }),
      { numRuns: effort.propertyRuns },
    );
  });
});

describe('mergeReports', () => {
  it('finds the same, however the work was split (property)', () => {
    const line = fc.constantFrom('', '  }', ...letters('line', 4), '// TODO x', 'FIXME');
    const text = fc
      .tuple(fc.array(line, { maxLength: 40 }), fc.boolean())
      .map(([lines, isEnded]) => lines.join('\n') + (isEnded ? '\n' : ''));
    const path = fc
      .tuple(fc.constantFrom('a', 'b/c', 'd e'), fc.nat(99), fc.constantFrom('ts', 'md', 'x'))
      .map(([stem, index, end]) => `${stem}${index}.${end}`);
    fc.assert(
      fc.property(
        fc.dictionary(path, text, { maxKeys: 8 }),
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(fc.nat(3)),
        (files, parts, dice) => {
          const shares = Array.from({ length: parts }, () => new Map<string, string>());
          for (const [name, content] of Object.entries(files)) shares[(dice.next().value ?? 0) % parts]?.set(name, content);
          const { analysts: _split, ...merged } = mergeReports(shares.map((share, index) => reportOn(share, `a${index}`)));
          const { analysts: _whole, ...whole } = mergeReports([reportOn(new Map(Object.entries(files)), 'one')]);
          expect(merged).toEqual(whole);
        },
      ),
      { numRuns: effort.propertyRuns * 2 },
    );
  });

  it('counts a file once that is in two reports', () => {
    const report = reportOn(new Map([['a.ts', '// TODO\n']]), 'a');
    expect(mergeReports([report, { ...report, analyst: 'b' }])).toMatchObject({ totals: { files: 1, lines: 1 }, todoCount: 1 });
  });
});

describe('renderReport', () => {
  it('writes tables that names and texts from files cannot break', () => {
    const survey = mergeReports([reportOn(new Map([['we|ird`name`.ts', '// TODO: a | b ` c <script>\n']]), 'ana|lyst')]);
    const page = renderReport('A <b>title</b> | x', survey);
    expect(page.startsWith(REPORT_MARKER)).toBe(true);
    expect(page).toContain('# A \\<b\\>title\\</b\\> \\| x');
    expect(page).toContain('``we\\|ird`name`.ts:1``');
    for (const row of page.split('\n').filter((line) => line.startsWith('| ') && line.includes('TODO')))
      expect(row.replaceAll('\\|', '').match(/\|/g)).toHaveLength(4);
    expect(renderReport('A <b>title</b> | x', survey)).toBe(page);
  });

  it('says when there is nothing to list', () => {
    const page = renderReport('Empty', mergeReports([reportOn(new Map(), 'a')]));
    expect(page).toContain('No TODO or FIXME.');
    expect(page).toContain('No text of six or more telling lines occurs twice.');
    expect(page).toContain('0 files, 0 bytes, 0 lines');
  });
});
