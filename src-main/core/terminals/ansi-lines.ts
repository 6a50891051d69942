/**
 * Reads captured lines of a terminal: text with the sequences that say how it looks (SGR, ECMA-48 8.3.117, with the colours of
 * ISO 8613-6). A line goes on in the look in which the one before it ended, as tmux prints them, so lines are read in
 * order. Everything else that a terminal would act upon is passed over.
 */
import type { TileColour, TileRow, TileRun, TileStyle } from '#shared/terminals/frames.ts';

/** What is set of a look; what is missing is as usual. */
interface Attributes {
  readonly fg?: TileColour | undefined;
  readonly bg?: TileColour | undefined;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly italic?: boolean;
  /** 1 single, 2 double, 3 curly, 4 dotted, 5 dashed. */
  readonly underline?: number;
  readonly underlineColour?: TileColour | undefined;
  readonly blink?: boolean;
  readonly inverse?: boolean;
  readonly hidden?: boolean;
  readonly strike?: boolean;
  readonly overline?: boolean;
}

/** How a piece of text looks, in the forms that are needed of it. Made once for each look: screens are read all the time. */
export interface Look {
  readonly attributes: Attributes;
  /** The SGR sequence that sets exactly this look; empty for the usual one. */
  readonly sgr: string;
  readonly tile: TileStyle;
  /** Tells styles of tiles apart. */
  readonly tileKey: string;
}

/** Text of one look. */
export interface LookRun {
  readonly text: string;
  readonly look: Look;
}

type Mutable = { -readonly [K in keyof Attributes]: Attributes[K] };

/** Looks known by heart; more than a screen of the wildest colours has, and forgotten when full. */
const MAX_KNOWN = 8_192;
const known = new Map<string, Look>();
/** The look after a sequence, by the look before it and the sequence's parameters. */
const steps = new Map<string, Look>();

function lookOf(attributes: Attributes): Look {
  const sgr = sgrOf(attributes);
  const found = known.get(sgr);
  if (found) return found;
  const tile = tileStyleOf(attributes);
  const look: Look = { attributes, sgr, tile, tileKey: JSON.stringify(tile) };
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(sgr, look);
  return look;
}

const PLAIN: Look = { attributes: {}, sgr: '', tile: {}, tileKey: '{}' };
known.set('', PLAIN);

/** The look after an SGR sequence. */
function step(look: Look, parameters: string): Look {
  const key = `${look.sgr}>${parameters}`;
  const found = steps.get(key);
  if (found) return found;
  const next = lookOf(applySgr(look.attributes, parameters));
  if (steps.size >= MAX_KNOWN) steps.clear();
  steps.set(key, next);
  return next;
}

/**
 * SGR; any other CSI; a string sequence (OSC, DCS, SOS, PM, APC) with its end; a character set; another escape; a control
 * character. An ESC ends a sequence that has no end and begins the next.
 */
const SEQUENCE =
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  /\x1b\[([\d;:]*)m|\x1b\[[\x20-\x3f]*[\x40-\x7e]?|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[\x20-\x2f]+[\x30-\x7e]?|\x1b[\x30-\x7e]?|[\x00-\x1f\x7f]/g;

// oxlint-disable-next-line no-control-regex -- as above
const CONTROL = /[\x00-\x1f\x7f]/;

/** Shift out and shift in: tmux puts line-drawing characters between them. */
const SHIFT_OUT = '\u000e';
const SHIFT_IN = '\u000f';
/** What the characters from ` to ~ are in DEC's line-drawing set. */
const DRAWING = '◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·';

function drawn(text: string): string {
  return text.replaceAll(/[`-~]/g, (one) => DRAWING[one.charCodeAt(0) - 0x60] ?? one);
}

/** Reads lines in order. */
export class AnsiLines {
  #look: Look = PLAIN;
  #isDrawing = false;

  /** The runs of the next line: none is empty, neighbours look different unless something was passed over between them. */
  read(line: string): LookRun[] {
    // Most lines of most histories hold nothing but text.
    if (!this.#isDrawing && !CONTROL.test(line)) return line === '' ? [] : [{ text: line, look: this.#look }];
    const runs: LookRun[] = [];
    let from = 0;
    const take = (to: number): void => {
      if (to === from) return;
      const text = line.slice(from, to);
      runs.push({ text: this.#isDrawing ? drawn(text) : text, look: this.#look });
    };
    SEQUENCE.lastIndex = 0;
    for (let match = SEQUENCE.exec(line); match !== null; match = SEQUENCE.exec(line)) {
      take(match.index);
      from = match.index + match[0].length;
      if (match[1] !== undefined) this.#look = step(this.#look, match[1]);
      else if (match[0] === SHIFT_OUT) this.#isDrawing = true;
      else if (match[0] === SHIFT_IN) this.#isDrawing = false;
    }
    take(line.length);
    return runs;
  }
}

/** A line without its sequences. */
export function plainText(line: string): string {
  return new AnsiLines()
    .read(line)
    .map(({ text }) => text)
    .join('');
}

/** What is set after an SGR sequence with these parameters. Those that are not known change nothing. */
function applySgr(look: Attributes, parameters: string): Attributes {
  const next: Mutable = { ...look };
  const groups = parameters.split(';');
  for (let at = 0; at < groups.length; at += 1) {
    const [first = '', ...rest] = (groups[at] ?? '').split(':');
    const code = first === '' ? 0 : Number(first);
    if (code === 38 || code === 48 || code === 58) {
      const key = code === 38 ? 'fg' : code === 48 ? 'bg' : 'underlineColour';
      // With colons the values belong to the code; with semicolons they are the next parameters.
      const isOneGroup = rest.length > 0;
      const values = isOneGroup ? rest : groups.slice(at + 1, at + 5);
      const { colour, used } = readColour(values, isOneGroup);
      if (colour !== undefined) next[key] = colour;
      if (!isOneGroup) at += used;
    } else {
      applyCode(next, code, rest[0]);
    }
  }
  return next;
}

/** A colour from the values behind 38, 48 or 58, and how many of them it takes. */
function readColour(values: readonly string[], isOneGroup: boolean): { colour: TileColour | undefined; used: number } {
  const [kind] = values;
  if (kind === '5') return { colour: byteOf(values[1]), used: 2 };
  if (kind !== '2') return { colour: undefined, used: kind === undefined ? 0 : 1 };
  // With colons a colour space may stand before the three values.
  const from = isOneGroup && values.length >= 5 ? 2 : 1;
  const parts = values.slice(from, from + 3).map(byteOf);
  const [red, green, blue] = parts;
  const colour = red === undefined || green === undefined || blue === undefined ? undefined : hexOf(red, green, blue);
  return { colour, used: 4 };
}

function byteOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  return Number.isInteger(number) && number >= 0 && number <= 255 ? number : undefined;
}

function hexOf(...parts: readonly number[]): TileColour {
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}

/** What the codes without a value set, by code. */
const CODES: ReadonlyMap<number, Partial<Attributes>> = new Map<number, Partial<Attributes>>([
  [1, { bold: true }],
  [2, { dim: true }],
  [3, { italic: true }],
  [5, { blink: true }],
  [6, { blink: true }],
  [7, { inverse: true }],
  [8, { hidden: true }],
  [9, { strike: true }],
  [21, { underline: 2 }],
  [22, { bold: false, dim: false }],
  [23, { italic: false }],
  [24, { underline: 0 }],
  [25, { blink: false }],
  [27, { inverse: false }],
  [28, { hidden: false }],
  [29, { strike: false }],
  [39, { fg: undefined }],
  [49, { bg: undefined }],
  [53, { overline: true }],
  [55, { overline: false }],
  [59, { underlineColour: undefined }],
]);

const KEYS = [
  'fg',
  'bg',
  'bold',
  'dim',
  'italic',
  'underline',
  'underlineColour',
  'blink',
  'inverse',
  'hidden',
  'strike',
  'overline',
] as const;

function applyCode(look: Mutable, code: number, value: string | undefined): void {
  if (code === 0) for (const key of KEYS) delete look[key];
  else if (code === 4) look.underline = value === undefined ? 1 : Math.min(5, byteOf(value) ?? 1);
  else if (code >= 30 && code <= 37) look.fg = code - 30;
  else if (code >= 40 && code <= 47) look.bg = code - 40;
  else if (code >= 90 && code <= 97) look.fg = code - 82;
  else if (code >= 100 && code <= 107) look.bg = code - 92;
  else Object.assign(look, CODES.get(code));
}

function sgrColour(colour: TileColour, base: 30 | 40 | 50): string {
  if (typeof colour === 'string') {
    const value = Number.parseInt(colour.slice(1), 16);
    const parts = [(value >> 16) & 255, (value >> 8) & 255, value & 255];
    return base === 50 ? `58:2::${parts.join(':')}` : `${base + 8};2;${parts.join(';')}`;
  }
  if (base === 50) return `58:5:${colour}`;
  if (colour < 8) return String(base + colour);
  return colour < 16 ? String(base + 52 + colour) : `${base + 8};5;${colour}`;
}

/** See `Look.sgr`. */
function sgrOf(look: Attributes): string {
  const codes: string[] = [];
  if (look.bold === true) codes.push('1');
  if (look.dim === true) codes.push('2');
  if (look.italic === true) codes.push('3');
  if (look.underline !== undefined && look.underline > 0) codes.push(look.underline === 1 ? '4' : `4:${look.underline}`);
  if (look.blink === true) codes.push('5');
  if (look.inverse === true) codes.push('7');
  if (look.hidden === true) codes.push('8');
  if (look.strike === true) codes.push('9');
  if (look.overline === true) codes.push('53');
  if (look.fg !== undefined) codes.push(sgrColour(look.fg, 30));
  if (look.bg !== undefined) codes.push(sgrColour(look.bg, 40));
  if (look.underlineColour !== undefined) codes.push(sgrColour(look.underlineColour, 50));
  return codes.length === 0 ? '' : `\u001b[0;${codes.join(';')}m`;
}

/** A line as terminal output that begins and ends in the usual look. */
export function ansiOf(runs: readonly LookRun[]): string {
  let output = '';
  let hasLook = false;
  for (const {
    text,
    look: { sgr },
  } of runs) {
    if (sgr !== '' || hasLook) output += sgr === '' ? '\u001b[0m' : sgr;
    hasLook = sgr !== '';
    output += text;
  }
  return hasLook ? `${output}\u001b[0m` : output;
}

function tileStyleOf(look: Attributes): TileStyle {
  const style: TileStyle = {};
  if (look.fg !== undefined) style.fg = look.fg;
  if (look.bg !== undefined) style.bg = look.bg;
  if (look.bold === true) style.bold = true;
  if (look.dim === true) style.dim = true;
  if (look.italic === true) style.italic = true;
  if (look.underline !== undefined && look.underline > 0) style.underline = true;
  if (look.inverse === true) style.inverse = true;
  if (look.strike === true) style.strike = true;
  return style;
}

function showsBlanks(style: TileStyle): boolean {
  return style.bg !== undefined || style.inverse === true || style.underline === true || style.strike === true;
}

/** A line of a tile: neighbours of one look joined, without blanks at its end that show nothing. */
export function tileRow(runs: readonly LookRun[]): TileRow {
  const joined: { text: string; look: Look }[] = [];
  for (const { text, look } of runs) {
    // What is hidden takes room and shows nothing: a wide character would take two cells, which nobody can tell.
    const shown = look.attributes.hidden === true ? ' '.repeat([...text].length) : text;
    const last = joined.at(-1);
    if (last?.look.tileKey === look.tileKey) last.text += shown;
    else joined.push({ text: shown, look });
  }
  for (let last = joined.at(-1); last !== undefined && !showsBlanks(last.look.tile); last = joined.at(-1)) {
    last.text = last.text.trimEnd();
    if (last.text !== '') break;
    joined.pop();
  }
  return joined.map(({ text, look }): TileRun => (Object.keys(look.tile).length === 0 ? [text] : [text, look.tile]));
}
