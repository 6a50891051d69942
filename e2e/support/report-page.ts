/** Reads the numbers of a report.md that a worker wrote, so that they can be compared with `surveyFacts`. */
import type { Facts, LanguageFacts } from './facts.ts';

/** What a report says. The same as `Facts`, with the number of open items instead of each. */
export interface ReportNumbers extends Omit<Facts, 'todos'> {
  readonly todoCount: number;
  /** Who analysed, in the order of the table. */
  readonly analysts: readonly string[];
}

/** The numbers of a page. Throws when the page has another form. */
export function readReport(page: string): ReportNumbers {
  const [files, bytes, lines, blank] = numbers(
    page,
    /^(\d+) files?, (\d+) bytes, (\d+) lines?: \d+ code, \d+ comment, (\d+) blank\.$/m,
  );
  const [todoCount] = /^No TODO or FIXME\.$/m.test(page) ? [0] : numbers(page, /^(\d+) lines? with TODO or FIXME\.$/m);
  const isWithoutBlocks = /^No text of six or more telling lines occurs twice\.$/m.test(page);
  const [duplicateBlocks, duplicateLines] = isWithoutBlocks
    ? [0, 0]
    : numbers(page, /^(\d+) blocks? of six or more telling lines, (\d+) lines? in all\.$/m);
  const languages = new Map(
    rows(page, 'By language').map(([language = '', ...cells]): [string, LanguageFacts] => {
      const [count = NaN, size = NaN, all = NaN, , , empty = NaN] = cells.map(Number);
      return [language, { files: count, bytes: size, lines: all, blank: empty }];
    }),
  );
  return {
    files: files ?? NaN,
    bytes: bytes ?? NaN,
    lines: lines ?? NaN,
    blank: blank ?? NaN,
    languages,
    todoCount: todoCount ?? NaN,
    largest: rows(page, 'Largest files').map(([file = '', size = '']) => `${file.replace(/^(`+) ?([^]*?) ?\1$/, '$2')}:${size}`),
    duplicateBlocks: duplicateBlocks ?? NaN,
    duplicateLines: duplicateLines ?? NaN,
    analysts: rows(page, 'Who did what').map(([analyst = '']) => analyst.replaceAll('`', '')),
  };
}

function numbers(page: string, pattern: RegExp): number[] {
  const found = pattern.exec(page);
  if (found === null) throw new Error(`The report has no line like ${String(pattern)}`);
  return found.slice(1).map(Number);
}

/** The cells of the table below a heading, without its head. */
function rows(page: string, heading: string): string[][] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? '';
  const table = section.split('\n').filter((line) => line.startsWith('| '));
  return table.slice(2).map((line) =>
    line
      .slice(2, -2)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim().replaceAll('\\|', '|')),
  );
}
