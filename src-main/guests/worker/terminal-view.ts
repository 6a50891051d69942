/**
 * What the operator sees in the worker's window: one line per thing that happens, output of commands indented below.
 * Nothing that comes from outside moves the cursor or talks to the terminal: of control sequences only colours pass.
 */
import { StringDecoder } from 'node:string_decoder';

/** Glyphs and their colours (SGR codes). */
const MARKS = {
  info: { glyph: '·', color: 2 },
  task: { glyph: '▸', color: 36 },
  done: { glyph: '✓', color: 32 },
  failed: { glyph: '✗', color: 31 },
  away: { glyph: '○', color: 33 },
  back: { glyph: '●', color: 32 },
  message: { glyph: '✉', color: 35 },
} as const;
/** What a line is about. */
export type Mark = keyof typeof MARKS;

/** Longest line of output before it is broken, in characters. */
const MAX_LINE_CHARS = 4096;
/** How long an unfinished line waits for its end before it is shown, in milliseconds. */
const PARTIAL_LINE_MS = 200;

/** Where lines go. */
export interface TerminalViewOptions {
  readonly write: (text: string) => void;
  readonly isColored: boolean;
  readonly now?: () => Date;
}

/** Output of one command, line by line. */
export interface OutputLines {
  add(chunk: Buffer): void;
  /** Shows what is left without a line end. */
  end(): void;
}

/** Writes lines. */
export class TerminalView {
  readonly #options: TerminalViewOptions;

  constructor(options: TerminalViewOptions) {
    this.#options = options;
  }

  /** One line: time, glyph, text. `tag` tells tasks apart that run at the same time. */
  line(mark: Mark, text: string, tag = ''): void {
    const { glyph, color } = MARKS[mark];
    const time = (this.#options.now?.() ?? new Date()).toTimeString().slice(0, 8);
    const [first = '', ...rest] = cleanText(text).split('\n');
    const head = `${this.#paint(time, 2)} ${this.#paint(glyph, color)} ${tag === '' ? '' : `${this.#paint(tag, 2)} `}`;
    this.#options.write(
      [`${head}${first}`, ...rest.map((line) => `${' '.repeat(11)}${line}`)].map((line) => `${line}\n`).join(''),
    );
  }

  /** Output of a command, indented. Call `end` when it is over. */
  output(tag = ''): OutputLines {
    const decoder = new StringDecoder('utf8');
    const indent = `${' '.repeat(11)}${tag === '' ? '' : `${this.#paint(tag, 2)} `}${this.#paint('│', 2)} `;
    let partial = '';
    let timer: NodeJS.Timeout | undefined;
    const show = (line: string): void =>
      this.#options.write(`${indent}${cleanOutput(line)}${this.#options.isColored ? '\u001b[0m' : ''}\n`);
    const flush = (): void => {
      clearTimeout(timer);
      timer = undefined;
      if (partial !== '') show(partial);
      partial = '';
    };
    return {
      add: (chunk) => {
        const lines = (partial + decoder.write(chunk)).split(/\r\n|\n|\r/);
        partial = lines.pop() ?? '';
        for (const line of lines) show(line);
        if (partial.length > MAX_LINE_CHARS) flush();
        clearTimeout(timer);
        timer = partial === '' ? undefined : setTimeout(flush, PARTIAL_LINE_MS);
      },
      end: () => {
        partial += decoder.end();
        flush();
      },
    };
  }

  #paint(text: string, color: number): string {
    return this.#options.isColored ? `\u001b[${color}m${text}\u001b[0m` : text;
  }
}

/** Text of a message or an error: no control characters but line ends. */
export function cleanText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is removed
  return text.replace(/\u001b\[[0-9;:?]*[ -/]*[@-~]/g, '').replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]+/g, ' ');
}

/** A line of a command's output: colours stay, every other control sequence goes; tabs become spaces. */
export function cleanOutput(line: string): string {
  return (
    line
      .replaceAll('\t', '    ')
      // oxlint-disable-next-line no-control-regex -- OSC and DCS strings, with their ends
      .replace(/\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?/g, '')
      // oxlint-disable-next-line no-control-regex -- CSI sequences: only SGR ("m") is kept
      .replace(/\u001b\[([0-9;:?<=>]*[ -/]*)([@-~])/g, (_whole, parameters: string, final: string) =>
        final === 'm' && /^[0-9;:]*$/.test(parameters) ? `\u001b[${parameters}m` : '',
      )
      // oxlint-disable-next-line no-control-regex -- what is left: other escapes and control characters
      .replace(/\u001b(?!\[[0-9;:]*m)[ -/]*[0-~]?|[\u0000-\u001a\u001c-\u001f\u007f-\u009f]/g, '')
  );
}
