/**
 * What a word is, for search: the same in the index, in a query and in the marks on a match. Pure.
 *
 * A word is a run of letters, digits and marks, in small letters and without accents. Everything else parts words, so that
 * `foo_bar` and `src/core/app.ts` are found by each of their parts, and as a whole because their words stand side by side.
 * What stands inside a word is found by its *parts*: the humps of `fooBar`, and single characters of scripts that put no
 * spaces between words. (Trigrams would find any three characters anywhere, in an index three times as large, and no word of
 * two.)
 */

/** Of a longer word only so many characters count, in the index as in a query. */
export const MAX_WORD_CHARS = 64;

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
/** Combining marks of Latin, Greek and Cyrillic, as canonical decomposition parts them from their letters. */
const ACCENTS = /[\u0300-\u036f]/g;
const IS_ASCII = /^[\x20-\x7e]*$/;
/** Scripts written without spaces between words. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;
const HUMP = /\p{Ll}\p{Lu}|\p{Lu}\p{Lu}\p{Ll}/u;
const HUMP_PARTS = /\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{M}]+|\p{N}+/gu;

/** A word in a text. */
export interface Word {
  /** As it is compared: small letters, no accents, cut at MAX_WORD_CHARS. */
  readonly folded: string;
  /** Where it stands in the text. */
  readonly start: number;
  /** Behind its last character. */
  readonly end: number;
}

/** A word as it is compared; '' when nothing of it is left. */
export function foldWord(word: string): string {
  if (IS_ASCII.test(word)) return word.slice(0, MAX_WORD_CHARS).toLowerCase();
  const folded = word
    .normalize('NFD')
    .toLowerCase()
    .normalize('NFD')
    .replaceAll(ACCENTS, '')
    .replaceAll('ς', 'σ')
    .normalize('NFC');
  return [...folded].slice(0, MAX_WORD_CHARS).join('');
}

/** The words of a text, in order. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  for (const match of text.matchAll(WORD)) {
    const folded = foldWord(match[0]);
    if (folded !== '') words.push({ folded, start: match.index, end: match.index + match[0].length });
  }
  return words;
}

/** Whether a word is of a script without spaces, so that it is looked for by its characters. */
export function isUnspaced(text: string): boolean {
  return UNSPACED.test(text);
}

/** The parts inside a word, as it stands in a text; none where it has no parts. */
export function partsOf(word: string): string[] {
  if (isUnspaced(word)) return [...word].map(foldWord).filter((part) => part !== '');
  if (!HUMP.test(word)) return [];
  return [...word.matchAll(HUMP_PARTS)].map(([part]) => foldWord(part)).filter((part) => part !== '');
}
