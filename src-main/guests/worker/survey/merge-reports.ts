/** The facts of the whole from the reports on its shares: the same, however the work was split. */
import type { AnalysisReport, FileFacts, LanguageTotals, Survey } from '#shared/worker/survey-model.ts';
import { findDuplicates } from './duplicates.ts';

/** How many files, blocks and places of a block a survey names. */
const TOP = 20;

/** How many open items a survey lists: it travels in messages. */
const MAX_TODOS = 1000;

/** Merges reports. A file that is in several reports counts once. */
export function mergeReports(reports: readonly AnalysisReport[]): Survey {
  const files = uniqueByPath(reports);
  const paths = new Map<string, number>();
  reports.forEach((report, index) => {
    for (const file of report.files) if (!paths.has(file.path)) paths.set(file.path, index);
  });
  const todos = reports
    .flatMap((report, index) => report.todos.filter((todo) => paths.get(todo.path) === index))
    .sort((a, b) => compareText(a.path, b.path) || a.line - b.line);
  const duplicates = findDuplicates(files);
  const byLanguage = Map.groupBy(files, (file) => file.language);
  const languages = [...byLanguage]
    .map(([language, group]): LanguageTotals => ({ language, ...totalsOf(group) }))
    .sort((a, b) => b.lines - a.lines || compareText(a.language, b.language));
  return {
    totals: totalsOf(files),
    languages,
    todoCount: todos.length,
    todos: todos.slice(0, MAX_TODOS),
    largestFiles: files
      .toSorted((a, b) => b.bytes - a.bytes || compareText(a.path, b.path))
      .slice(0, TOP)
      .map(({ path, bytes, lines, language }) => ({ path, bytes, lines, language })),
    duplicates: {
      blocks: duplicates.blocks.length,
      lines: duplicates.lines,
      largest: duplicates.blocks.slice(0, TOP).map((block) => ({ ...block, occurrences: block.occurrences.slice(0, TOP) })),
    },
    missing: [...new Set(reports.flatMap((report) => report.missing))].sort(),
    analysts: reports.map((report) => {
      const { files: count, bytes, lines } = totalsOf(report.files);
      return { analyst: report.analyst, files: count, bytes, lines, durationMs: report.durationMs };
    }),
  };
}

function uniqueByPath(reports: readonly AnalysisReport[]): FileFacts[] {
  const byPath = new Map<string, FileFacts>();
  for (const report of reports) for (const file of report.files) if (!byPath.has(file.path)) byPath.set(file.path, file);
  return [...byPath.values()].sort((a, b) => compareText(a.path, b.path));
}

function totalsOf(files: readonly FileFacts[]): Survey['totals'] {
  const totals = { files: files.length, bytes: 0, lines: 0, blank: 0, comment: 0, code: 0 };
  for (const file of files) {
    totals.bytes += file.bytes;
    totals.lines += file.lines;
    totals.blank += file.blank;
    totals.comment += file.comment;
    totals.code += file.code;
  }
  return totals;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
