/** Facts about one file, from its bytes alone. */
import { hash } from 'node:crypto';
import type { FileFacts, TodoItem } from '#shared/worker/survey-model.ts';
import { BINARY, commentMarkers, languageOf } from './languages.ts';
import { isBinary, splitLines, toLatin1, toUtf8, trimAscii } from './text-lines.ts';

/** Bytes of a line's print. Six lines in a row must agree by chance (240 bits) for a false block. */
export const PRINT_BYTES = 5;
/** Larger files take no part in the search for duplicates: they are data, and their prints would not fit into messages. */
export const MAX_PRINTED_BYTES = 1024 * 1024;
/** Longest text of a TODO item, in characters. */
const MAX_TODO_CHARS = 200;

const TODO = /\b(TODO|FIXME)\b/;
/** Only printable ASCII that is neither letter nor digit, and tabs: brackets, rules, lone commas. */
const TRIVIAL = /^[\t -/:-@[-`{-~]*$/;

/** What `analyseFile` finds. */
export interface FileAnalysis {
  readonly facts: FileFacts;
  readonly todos: TodoItem[];
}

/**
 * Counts of a file. lines: newline-terminated, or a final partial line. blank: ASCII white space only.
 * comment: begins, trimmed, with a comment marker of its language. code: the rest.
 * TODOs: the first TODO or FIXME of a line, as a whole word in capitals.
 */
export function analyseFile(path: string, bytes: Uint8Array): FileAnalysis {
  const base = { path, bytes: bytes.byteLength };
  if (isBinary(bytes)) {
    return { facts: { ...base, language: BINARY, isBinary: true, lines: 0, blank: 0, comment: 0, code: 0 }, todos: [] };
  }
  const language = languageOf(path);
  const markers = commentMarkers(language);
  const lines = splitLines(toLatin1(bytes)).map(trimAscii);
  const todos: TodoItem[] = [];
  let blank = 0;
  let comment = 0;
  lines.forEach((line, index) => {
    if (line === '') blank += 1;
    else if (isComment(line, markers)) comment += 1;
    const todo = TODO.exec(line)?.[1];
    if (todo === 'TODO' || todo === 'FIXME')
      todos.push({ path, line: index + 1, kind: todo, text: toUtf8(line).slice(0, MAX_TODO_CHARS) });
  });
  const counts = { lines: lines.length, blank, comment, code: lines.length - blank - comment };
  const prints = bytes.byteLength <= MAX_PRINTED_BYTES ? printLines(lines) : {};
  return { facts: { ...base, language, isBinary: false, ...counts, ...prints }, todos };
}

function isComment(trimmed: string, markers: readonly string[]): boolean {
  // "* " is a marker inside C-style blocks; a bare star is the same line without a text.
  return markers.some((marker) => trimmed.startsWith(marker) || (marker === '* ' && trimmed === '*'));
}

/** Whether a trimmed line says nothing of its own. */
export function isTrivial(trimmed: string): boolean {
  return TRIVIAL.test(trimmed);
}

function printLines(trimmed: readonly string[]): { prints?: string; printed?: string } {
  const prints: Buffer[] = [];
  const printed = Buffer.alloc(Math.ceil(trimmed.length / 8));
  trimmed.forEach((line, index) => {
    if (isTrivial(line)) return;
    prints.push(hash('sha256', Buffer.from(line, 'latin1'), 'buffer').subarray(0, PRINT_BYTES));
    printed[index >> 3] = (printed[index >> 3] ?? 0) | (1 << (index & 7));
  });
  return prints.length === 0 ? {} : { prints: Buffer.concat(prints).toString('base64'), printed: printed.toString('base64') };
}
