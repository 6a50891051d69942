/** A survey as a Markdown page. The same survey gives the same page, byte for byte. */
import type { DuplicateBlock, Survey } from '#shared/worker/survey-model.ts';

/** Marks a file that a worker may replace. */
export const REPORT_MARKER = '<!-- Written by a Quarterdeck worker; it may be replaced. -->';

/** How many open items the page lists. */
const MAX_TODOS = 200;
/** How many places of one block the page names. */
const MAX_PLACES = 10;

/** The page. */
export function renderReport(title: string, survey: Survey): string {
  const { totals } = survey;
  const sections = [
    REPORT_MARKER,
    `# ${escapeText(title)}`,
    `${count(totals.files, 'file')}, ${number(totals.bytes)} bytes, ${count(totals.lines, 'line')}: ${number(totals.code)} code, ${number(totals.comment)} comment, ${number(totals.blank)} blank.`,
    '## By language',
    table(
      ['Language', 'Files', 'Bytes', 'Lines', 'Code', 'Comment', 'Blank'],
      survey.languages.map((row) => [
        escapeText(row.language),
        ...[row.files, row.bytes, row.lines, row.code, row.comment, row.blank].map(number),
      ]),
    ),
    '## Open items',
    survey.todoCount === 0 ? 'No TODO or FIXME.' : `${count(survey.todoCount, 'line')} with TODO or FIXME.`,
    ...(survey.todos.length === 0
      ? []
      : [
          table(
            ['Kind', 'Where', 'Text'],
            survey.todos.slice(0, MAX_TODOS).map((todo) => [todo.kind, code(`${todo.path}:${todo.line}`), code(todo.text)]),
            'left',
          ),
        ]),
    ...(survey.todoCount > MAX_TODOS ? [`The first ${MAX_TODOS} are shown.`] : []),
    '## Largest files',
    table(
      ['File', 'Bytes', 'Lines', 'Language'],
      survey.largestFiles.map((file) => [code(file.path), number(file.bytes), number(file.lines), escapeText(file.language)]),
    ),
    '## Duplicate blocks',
    survey.duplicates.blocks === 0
      ? 'No text of six or more telling lines occurs twice.'
      : `${count(survey.duplicates.blocks, 'block')} of six or more telling lines, ${count(survey.duplicates.lines, 'line')} in all.`,
    ...(survey.duplicates.blocks === 0 ? [] : [table(['Lines', 'Times', 'Where'], survey.duplicates.largest.map(blockRow))]),
    '## Who did what',
    table(
      ['Analyst', 'Files', 'Bytes', 'Lines', 'Milliseconds'],
      survey.analysts.map((analyst) => [
        code(analyst.analyst),
        ...[analyst.files, analyst.bytes, analyst.lines, Math.round(analyst.durationMs)].map(number),
      ]),
    ),
    ...(survey.missing.length === 0
      ? []
      : ['## Not read', `Gone or unreadable when their turn came: ${survey.missing.map(code).join(', ')}.`]),
  ];
  return `${sections.join('\n\n')}\n`;
}

function blockRow(block: DuplicateBlock): string[] {
  const places = block.occurrences.slice(0, MAX_PLACES).map((place) => code(`${place.path}:${place.startLine}-${place.endLine}`));
  const more = block.times - places.length;
  return [number(block.lines), number(block.times), [...places, ...(more > 0 ? [`${more} more`] : [])].join(', ')];
}

/** First column to the left; the others by `align`. */
function table(head: readonly string[], rows: readonly (readonly string[])[], align: 'left' | 'right' = 'right'): string {
  const rule = head.map((_, index) => (index === 0 || align === 'left' ? '---' : '---:'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function number(value: number): string {
  return String(value);
}

function count(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? '' : 's'}`;
}

/** Plain text in a table cell: nothing of it is Markdown or HTML. */
function escapeText(text: string): string {
  return oneLine(text).replace(/[\\`*_[\]<>|&#~]/g, (character) => `\\${character}`);
}

/** A code span in a table cell. A pipe must be escaped even there; back-ticks inside need a longer fence. */
function code(text: string): string {
  const plain = oneLine(text).replaceAll('|', '\\|');
  const longest = Math.max(0, ...[...plain.matchAll(/`+/g)].map((run) => run[0].length));
  const fence = '`'.repeat(longest + 1);
  const pad = plain.startsWith('`') || plain.endsWith('`') ? ' ' : '';
  return `${fence}${pad}${plain}${pad}${fence}`;
}

/** Control characters, line ends among them, become spaces. */
function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is removed
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ');
}
