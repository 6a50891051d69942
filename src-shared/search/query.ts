/**
 * The query language of the search. Pure: from what somebody typed to what is looked for, or to what is wrong with it.
 *
 *   words        all of them must be there, in any order: deploy failed
 *   "a phrase"   these words side by side
 *   -word        must not be there; also -"a phrase" and -from:api
 *   dep*         begins with these, two at least
 *   from: to:    an agent's id, operator, or a token's name; to: takes every address, for example to:*
 *   kind: priority: topic: session:   as messages say them; session:current is the one under way
 *   after: before:   a day (2026-11-21), a time (2026-11-21T14:30) or how long ago (30m, 12h, 7d): from then on; until then
 *
 * A colon after anything else is part of the text. Whatever is typed is either understood or told: there is no syntax of the
 * index that a query could reach.
 */
import { MessageKind, PRIORITIES } from '#shared/messages/model.ts';
import { foldWord, isUnspaced, wordsOf } from './words.ts';

/** Longest query in characters. */
export const MAX_QUERY_CHARS = 500;
/** Most words, phrases and filters of a query. */
export const MAX_TERMS = 32;
/** Fewest characters before a `*`. */
export const MIN_PREFIX_CHARS = 2;

/** What a message can be filtered by. */
export const FILTERS = ['from', 'to', 'kind', 'priority', 'topic', 'session'] as const;
/** What a message can be filtered by. */
export type FilterName = (typeof FILTERS)[number];

/** Words side by side; a single one is the usual case. */
export interface WordTerm {
  readonly kind: 'words';
  /** Folded; at least one. */
  readonly words: readonly string[];
  /** Whether the last word is only the beginning of one. */
  readonly isPrefix: boolean;
  /** Whether these are characters of a script without spaces, found inside words. */
  readonly isUnspaced: boolean;
  readonly isNegated: boolean;
}

/** A fact about the message. */
export interface FilterTerm {
  readonly kind: 'filter';
  readonly name: FilterName;
  readonly value: string;
  readonly isNegated: boolean;
}

/** What is looked for: every term, and a span of time. */
export interface SearchQuery {
  readonly terms: readonly (WordTerm | FilterTerm)[];
  /** Milliseconds since 1970, inclusive. */
  readonly after: number | undefined;
  /** Milliseconds since 1970, exclusive. */
  readonly before: number | undefined;
}

/** What is wrong with a query. */
export interface QueryProblem {
  /** A sentence that says what to do. */
  readonly text: string;
  /** Where, in the query. */
  readonly start: number;
  readonly end: number;
}

/** A query, or what is wrong with it. */
export type ParsedQuery =
  | { readonly ok: true; readonly query: SearchQuery }
  | { readonly ok: false; readonly problem: QueryProblem };

class Wrong extends Error {
  readonly start: number;
  readonly end: number;

  constructor(text: string, start: number, end: number) {
    super(text);
    this.start = start;
    this.end = end;
  }
}

/** A piece of a query: an optional minus, an optional name with a colon, and a value in quotes or up to the next space. */
interface Piece {
  readonly isNegated: boolean;
  readonly name: string | undefined;
  readonly value: string;
  readonly isQuoted: boolean;
  readonly hasStar: boolean;
  readonly start: number;
  readonly end: number;
}

const NAME = /^(from|to|kind|priority|topic|session|after|before):/i;

function pieceAt(text: string, start: number): Piece {
  let at = start;
  // One minus before a word; --port is the name of an option, and looked for.
  const isNegated = text[at] === '-' && /^-[^\s-]/.test(text.slice(at, at + 2));
  if (isNegated) at += 1;
  const named = NAME.exec(text.slice(at));
  if (named) at += named[0].length;
  const name = named?.[1]?.toLowerCase();
  if (text[at] === '"') {
    const close = text.indexOf('"', at + 1);
    if (close === -1) throw new Wrong('A quotation mark is not closed: end the phrase with ".', at, text.length);
    const hasStar = text[close + 1] === '*';
    return { isNegated, name, value: text.slice(at + 1, close), isQuoted: true, hasStar, start, end: close + (hasStar ? 2 : 1) };
  }
  const rest = /^[^\s"]*/.exec(text.slice(at))?.[0] ?? '';
  const end = at + rest.length;
  const hasStar = name === undefined && /[^*]\*$/.test(rest);
  return { isNegated, name, value: hasStar ? rest.slice(0, -1) : rest, isQuoted: false, hasStar, start, end };
}

const AGO = /^(\d{1,5})([mhdw])$/i;
const AGO_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?$/i;

/** The time that a piece names. Without a zone it is that of the machine. */
function timeOf(piece: Piece, now: number): number {
  const value = piece.value.trim();
  const ago = AGO.exec(value);
  if (ago) return now - Number(ago[1]) * (AGO_MS[(ago[2] ?? '').toLowerCase()] ?? 0);
  const at = DAY.test(value) ? dayOf(value) : MOMENT.test(value) ? new Date(value.toUpperCase()).getTime() : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new Wrong(
    `${piece.name ?? ''}: takes a day (2026-11-21), a time (2026-11-21T14:30) or how long ago (30m, 12h, 7d), not "${value.slice(0, 40)}".`,
    piece.start,
    piece.end,
  );
}

/** The start of a day; NaN for one that no calendar has. */
function dayOf(text: string): number {
  const [year = 0, month = 0, day = 0] = text.split('-').map(Number);
  const date = new Date(year, month - 1, day);
  return date.getMonth() === month - 1 && date.getDate() === day ? date.getTime() : Number.NaN;
}

const CHOICES: Partial<Record<FilterName, readonly string[]>> = { kind: MessageKind.options, priority: PRIORITIES };

function filterOf(piece: Piece, name: FilterName): FilterTerm {
  const value = piece.value.trim();
  if (value === '') throw new Wrong(`${name}: needs a value right behind the colon.`, piece.start, piece.end);
  const choices = CHOICES[name];
  const known = choices === undefined ? value : value.toLowerCase();
  if (choices !== undefined && !choices.includes(known))
    throw new Wrong(`${name}: is one of ${choices.join(', ')}, not "${value.slice(0, 40)}".`, piece.start, piece.end);
  return { kind: 'filter', name, value: known, isNegated: piece.isNegated };
}

/** The words of a piece; undefined when it holds none. */
function wordTermOf(piece: Piece): WordTerm | undefined {
  const { isNegated, hasStar: isPrefix } = piece;
  const text = piece.name === undefined ? piece.value : `${piece.name}:${piece.value}`;
  const found = wordsOf(text);
  if (found.length === 0) return undefined;
  if (isPrefix && [...(found.at(-1)?.folded ?? '')].length < MIN_PREFIX_CHARS && !isUnspaced(text))
    throw new Wrong(`A beginning needs ${MIN_PREFIX_CHARS} characters before the "*" at least.`, piece.start, piece.end);
  // Of a script without spaces nobody knows where words begin: its characters are looked for, side by side.
  if (isUnspaced(text) && found.length === 1)
    return {
      kind: 'words',
      words: [...text].map(foldWord).filter((part) => wordsOf(part).length > 0),
      isPrefix: false,
      isUnspaced: true,
      isNegated,
    };
  return { kind: 'words', words: found.map(({ folded }) => folded), isPrefix, isUnspaced: false, isNegated };
}

function isFilterName(name: string | undefined): name is FilterName {
  return FILTERS.some((known) => known === name);
}

/** Reads a query. `now` is in milliseconds since 1970. */
export function parseQuery(text: string, now: number): ParsedQuery {
  try {
    return { ok: true, query: read(text, now) };
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return { ok: false, problem: { text: error.message, start: error.start, end: error.end } };
  }
}

function read(text: string, now: number): SearchQuery {
  if (text.length > MAX_QUERY_CHARS)
    throw new Wrong(
      `A query has at most ${MAX_QUERY_CHARS} characters, this one has ${text.length}.`,
      MAX_QUERY_CHARS,
      text.length,
    );
  const terms: (WordTerm | FilterTerm)[] = [];
  let after: number | undefined;
  let before: number | undefined;
  for (let at = 0; at < text.length;) {
    if (/\s/.test(text[at] ?? '')) {
      at += 1;
      continue;
    }
    const piece = pieceAt(text, at);
    at = Math.max(piece.end, at + 1);
    if (piece.name === 'after' || piece.name === 'before') {
      if (piece.isNegated)
        throw new Wrong(
          `-${piece.name}: cannot be; use ${piece.name === 'after' ? 'before' : 'after'}: instead.`,
          piece.start,
          piece.end,
        );
      const time = timeOf(piece, now);
      if (piece.name === 'after') after = Math.max(after ?? time, time);
      else before = Math.min(before ?? time, time);
      continue;
    }
    const term = isFilterName(piece.name) ? filterOf(piece, piece.name) : wordTermOf(piece);
    if (term === undefined) continue;
    terms.push(term);
    if (terms.length > MAX_TERMS)
      throw new Wrong(`A query has at most ${MAX_TERMS} words, phrases and filters.`, piece.start, text.length);
  }
  if (terms.length === 0 && after === undefined && before === undefined)
    throw new Wrong('There is nothing to look for: type a word, a "phrase" or a filter such as from:api.', 0, text.length);
  return { terms, after, before };
}
