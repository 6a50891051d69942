/** Where a query is found in a message's texts, the piece that shows it, and how well it fits. Pure. */
import type { Mark, Snippet } from '#shared/search/model.ts';
import { SNIPPET_CHARS } from '#shared/search/model.ts';
import type { SearchQuery, WordTerm } from '#shared/search/query.ts';
import type { Word } from '#shared/search/words.ts';
import { foldWord, partsOf, wordsOf } from '#shared/search/words.ts';
import type { Texts } from './index-entry.ts';

/** The fields in the order in which a piece is taken from them; what each counts for relevance. */
const FIELDS = [
  { name: 'body', weight: 1 },
  { name: 'subject', weight: 3 },
  { name: 'data', weight: 0.5 },
  { name: 'attachments', weight: 1 },
] as const;
type Field = (typeof FIELDS)[number]['name'];

/** How much of a piece stands before what was found, in characters. */
const LEAD_CHARS = 60;
/** A field is looked through for so many places at most. */
const MOST_MARKS = 200;

function isAt(words: readonly Word[], at: number, term: WordTerm): boolean {
  return term.words.every((wanted, index) => {
    const word = words[at + index]?.folded;
    if (word === undefined) return false;
    return term.isPrefix && index === term.words.length - 1 ? word.startsWith(wanted) : word === wanted;
  });
}

/** Where single characters of a script without spaces stand side by side. */
function unspacedMarks(text: string, term: WordTerm): Mark[] {
  const chars: { folded: string; start: number; end: number }[] = [];
  for (const { start, end } of wordsOf(text)) {
    let at = start;
    for (const char of text.slice(start, end)) {
      const folded = foldWord(char);
      if (folded !== '') chars.push({ folded, start: at, end: at + char.length });
      at += char.length;
    }
  }
  const marks: Mark[] = [];
  for (let at = 0; at < chars.length && marks.length < MOST_MARKS; at += 1) {
    if (!term.words.every((wanted, index) => chars[at + index]?.folded === wanted)) continue;
    marks.push({ start: chars[at]?.start ?? 0, end: chars[at + term.words.length - 1]?.end ?? 0 });
  }
  return marks;
}

/** Where a term stands in a text. */
function marksOf(text: string, words: readonly Word[], term: WordTerm): Mark[] {
  if (term.isUnspaced) return unspacedMarks(text, term);
  const marks: Mark[] = [];
  const [single] = term.words;
  for (let at = 0; at < words.length && marks.length < MOST_MARKS; at += 1) {
    const word = words[at];
    if (word === undefined) continue;
    if (isAt(words, at, term)) marks.push({ start: word.start, end: words[at + term.words.length - 1]?.end ?? word.end });
    else if (term.words.length === 1 && single !== undefined && isPartOf(text.slice(word.start, word.end), single, term.isPrefix))
      marks.push({ start: word.start, end: word.end });
  }
  return marks;
}

function isPartOf(word: string, wanted: string, isPrefix: boolean): boolean {
  return partsOf(word).some((part) => (isPrefix ? part.startsWith(wanted) : part === wanted));
}

/** What was found in one field, in order, without overlaps. */
interface Found {
  readonly field: Field;
  readonly marks: readonly Mark[];
}

/** How a message fits a query. */
export interface Fit {
  readonly snippet: Snippet;
  /** What was found in the subject. */
  readonly subjectMatches: readonly Mark[];
  /** How often each word or phrase that is looked for was found, weighted by field. */
  readonly counts: readonly number[];
  /** Words of subject and body. */
  readonly length: number;
  /** Whether each word or phrase that is looked for stands somewhere. */
  readonly isFound: boolean;
}

function merge(marks: Mark[]): Mark[] {
  const merged: { start: number; end: number }[] = [];
  for (const mark of marks.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const last = merged.at(-1);
    if (last && mark.start < last.end) last.end = Math.max(last.end, mark.end);
    else merged.push({ ...mark });
  }
  return merged;
}

/** Looks a query up in a message's texts. */
export function fitOf(query: SearchQuery, texts: Texts): Fit {
  const terms = query.terms.filter((term): term is WordTerm => term.kind === 'words' && !term.isNegated);
  const counts = terms.map(() => 0);
  const found: Found[] = [];
  let length = 0;
  for (const { name, weight } of FIELDS) {
    const text = texts[name];
    if (text === '') continue;
    const words = wordsOf(text);
    if (name === 'body' || name === 'subject') length += words.length;
    const marks = terms.flatMap((term, index) => {
      const own = marksOf(text, words, term);
      counts[index] = (counts[index] ?? 0) + own.length * weight;
      return own;
    });
    if (marks.length > 0) found.push({ field: name, marks: merge(marks) });
  }
  const subjectMatches = found.find(({ field }) => field === 'subject')?.marks ?? [];
  return { snippet: snippetOf(texts, found), subjectMatches, counts, length, isFound: counts.every((count) => count > 0) };
}

/** Not in the middle of a pair of surrogates. */
function whole(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit <= 0xdfff && at > 0 ? at - 1 : at;
}

function snippetOf(texts: Texts, found: readonly Found[]): Snippet {
  // The subject is shown besides.
  const best = found.find(({ field }) => field === 'body') ?? found.find(({ field }) => field !== 'subject');
  const field = best === undefined || best.field === 'subject' ? 'body' : best.field;
  const text = texts[field];
  const first = best?.marks[0]?.start ?? 0;
  let start = 0;
  if (first > LEAD_CHARS && text.length > SNIPPET_CHARS) {
    const lead = text.slice(first - LEAD_CHARS, first);
    const space = lead.search(/\s\S/);
    start = whole(text, first - LEAD_CHARS + (space === -1 ? 0 : space + 1));
  }
  const end = whole(text, Math.min(text.length, start + SNIPPET_CHARS));
  return {
    field,
    text: text.slice(start, end),
    matches: (best?.marks ?? [])
      .filter((mark) => mark.start >= start && mark.start < end)
      .map((mark) => ({ start: mark.start - start, end: Math.min(mark.end, end) - start })),
    isCutBefore: start > 0,
    isCutAfter: end < text.length,
  };
}
