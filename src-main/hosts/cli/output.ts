/**
 * What commands print. Results go to stdout, everything about them to stderr.
 * Invariant: text that agents wrote is printed without its control characters, so that it cannot drive the terminal.
 */
import { stripVTControlCharacters } from 'node:util';
import type { CliIo, CliOutput } from './io.ts';

/** Colours by what they mean. Codes of SGR (ECMA-48). */
const STYLES = { good: '32', bad: '31', busy: '36', warn: '33', dim: '2', strong: '1' } as const;
/** A way to print text. */
export type Style = keyof typeof STYLES;

/** One cell of a table. */
export type Cell = string | { readonly text: string; readonly style: Style };

/** Text of others without control characters; line breaks and tabs stay. */
export function plain(text: string): string {
  // Control characters of ASCII become their pictures (U+2400 and on).
  return stripVTControlCharacters(text).replaceAll(/\p{Cc}/gu, (character) => {
    if (character === '\n' || character === '\t') return character;
    const code = character.codePointAt(0) ?? 0;
    return character === '\r' ? '' : code < 0x20 ? String.fromCodePoint(0x2400 + code) : '\ufffd';
  });
}

/** The first line of a text of others, without control characters. */
export function oneLine(text: string): string {
  return plain(text).replaceAll(/\s+/g, ' ').trim();
}

/** The beginning of a text of at most `length` characters. */
export function shorten(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

const ZERO_WIDTH = /[\p{Mark}\u200b-\u200d\ufeff]/u;
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** Columns that a text takes on a terminal: near enough for tables. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += ZERO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

function clip(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let clipped = '';
  let used = 0;
  for (const character of text) {
    used += textWidth(character);
    if (used > width - 1) break;
    clipped += character;
  }
  return `${clipped}…`;
}

function hasColours(stream: CliOutput, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}

/** Least width of a table's last column, whatever the terminal's. */
const MIN_LAST_COLUMN = 16;

/** Prints what a command has to say. */
export class Output {
  /** Whether the result is one JSON document. */
  readonly isJson: boolean;
  readonly #io: CliIo;
  readonly #isColoured: boolean;

  constructor(io: CliIo, isJson: boolean) {
    this.#io = io;
    this.isJson = isJson;
    this.#isColoured = hasColours(io.stdout, io.env);
  }

  /** One JSON document: indented for people, on one line for programs. */
  json(value: unknown): void {
    const indent = this.#io.stdout.isTTY === true ? 2 : undefined;
    this.#io.stdout.write(`${JSON.stringify(value, undefined, indent)}\n`);
  }

  /** One JSON document on one line, of many that a command prints while it follows something. */
  jsonLine(value: unknown): void {
    this.#io.stdout.write(`${JSON.stringify(value)}\n`);
  }

  /** The result: as JSON when asked for, else as `print` puts it. */
  result(value: unknown, print: () => void): void {
    if (this.isJson) this.json(value);
    else print();
  }

  /** A line on stdout. */
  line(text = ''): void {
    this.#io.stdout.write(`${text}\n`);
  }

  /** A line on stderr: what happens, not what came of it. */
  note(text: string): void {
    this.#io.stderr.write(`${text}\n`);
  }

  /** Text in a style, where the terminal has colours. */
  style(text: string, style: Style): string {
    return this.#isColoured ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
  }

  /** Aligned columns under headings. On a terminal the last column is cut to what fits. */
  table(headings: readonly string[], rows: readonly (readonly Cell[])[], whenEmpty: string): void {
    if (rows.length === 0) {
      this.note(whenEmpty);
      return;
    }
    const texts = rows.map((row) => row.map((cell) => oneLine(typeof cell === 'string' ? cell : cell.text)));
    const widths = headings.map((heading, column) =>
      Math.max(textWidth(heading), ...texts.map((row) => textWidth(row[column] ?? ''))),
    );
    const last = headings.length - 1;
    const before = widths.slice(0, last).reduce((sum, width) => sum + width + 2, 0);
    const room =
      this.#io.stdout.isTTY === true && this.#io.stdout.columns !== undefined
        ? Math.max(MIN_LAST_COLUMN, this.#io.stdout.columns - before)
        : Infinity;
    const put = (cells: readonly string[], paint: (text: string, column: number) => string): void => {
      const parts = cells.map((cell, column) => {
        const text = column === last ? clip(cell, room) : cell;
        const padding = column === last ? '' : ' '.repeat((widths[column] ?? 0) - textWidth(text));
        return `${paint(text, column)}${padding}`;
      });
      this.line(parts.join('  ').trimEnd());
    };
    put(headings, (text) => this.style(text, 'dim'));
    for (const [index, row] of rows.entries()) {
      put(texts[index] ?? [], (text, column) => {
        const cell = row[column];
        return typeof cell === 'object' ? this.style(text, cell.style) : text;
      });
    }
  }
}
