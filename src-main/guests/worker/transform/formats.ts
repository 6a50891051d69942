/** Rows to text and back: JSON, JSON lines, CSV (RFC 4180) and plain lines. */
import { Json } from '#shared/kernel/json.ts';
import type { InputFormat, OutputFormat } from '#shared/worker/transform-model.ts';
import { isObject } from '../references.ts';
import type { JsonObject } from '../references.ts';
import { TaskFailure } from '../task-failure.ts';

const BY_EXTENSION: Readonly<Record<string, InputFormat>> = {
  json: 'json',
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  csv: 'csv',
  txt: 'lines',
  log: 'lines',
};

/** The format that a file's name stands for. */
export function formatOfPath(path: string): InputFormat | undefined {
  return BY_EXTENSION[path.slice(path.lastIndexOf('.') + 1).toLowerCase()];
}

/** Reads rows. Throws a TaskFailure that names the line. A byte order mark at the beginning is not part of the text. */
export function parseRows(text: string, format: InputFormat): Json[] {
  const content = text.startsWith('\uFEFF') ? text.slice(1) : text;
  switch (format) {
    case 'json': {
      const value = parseJson(content, 'the text');
      return Array.isArray(value) ? value : [value];
    }
    case 'jsonl':
      return linesOf(content).flatMap((line, index) => (line.trim() === '' ? [] : [parseJson(line, `line ${index + 1}`)]));
    case 'csv':
      return parseCsv(content);
    case 'lines':
      return linesOf(content).map((line, index) => ({ line: index + 1, text: line }));
  }
}

function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function parseJson(text: string, where: string): Json {
  try {
    return Json.parse(JSON.parse(text));
  } catch (error) {
    throw new TaskFailure('input', `${where} is not JSON: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

/** CSV with a header line; every value is a text. Missing cells are "", cells beyond the header are an error. */
function parseCsv(text: string): Json[] {
  const [header, ...records] = csvRecords(text);
  if (header === undefined) return [];
  return records.map((cells, index) => {
    if (cells.length > header.length)
      throw new TaskFailure('input', `record ${index + 2} has ${cells.length} cells, the header ${header.length}`);
    return Object.fromEntries(header.map((name, column) => [name, cells[column] ?? '']));
  });
}

function csvRecords(text: string): string[][] {
  const records: string[][] = [];
  let record: string[] = [];
  let cell = '';
  let isQuoted = false;
  let at = 0;
  const endRecord = (): void => {
    record.push(cell);
    // An empty line is no record.
    if (record.length > 1 || record[0] !== '') records.push(record);
    record = [];
    cell = '';
  };
  while (at < text.length) {
    const character = text[at] ?? '';
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else isQuoted = false;
    } else if (character === '"' && cell === '') isQuoted = true;
    else if (character === ',') {
      record.push(cell);
      cell = '';
    } else if (character === '\n' || (character === '\r' && text[at + 1] === '\n')) {
      if (character === '\r') at += 1;
      endRecord();
    } else cell += character;
    at += 1;
  }
  if (isQuoted) throw new TaskFailure('input', 'a quoted cell is not closed');
  if (cell !== '' || record.length > 0) endRecord();
  return records;
}

/** Writes rows; the text ends with a newline unless it is empty. */
export function formatRows(rows: readonly Json[], format: OutputFormat): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(rows, null, 2)}\n`;
    case 'jsonl':
      return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    case 'csv':
      return formatCsv(rows);
  }
}

/** Columns in the order in which they are first seen. Rows that are no objects go into a column "value". */
function formatCsv(rows: readonly Json[]): string {
  const records = rows.map((row): JsonObject => (isObject(row) ? row : { value: row }));
  const columns = [...new Set(records.flatMap((record) => Object.keys(record)))];
  if (columns.length === 0) return '';
  const lines = [
    columns,
    ...records.map((record) => columns.map((column) => cellText(Object.hasOwn(record, column) ? record[column] : undefined))),
  ];
  return lines.map((cells) => `${csvLine(cells)}\n`).join('');
}

function csvLine(cells: readonly string[]): string {
  // A single empty cell would look like an empty line.
  if (cells.length === 1 && cells[0] === '') return '""';
  return cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',');
}

function cellText(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
