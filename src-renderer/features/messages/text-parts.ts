/** What a message's text is made of. It is plain text: only code, links and mentions are told apart. Pure. */

/** A piece of a text. */
export type TextPart =
  | { readonly kind: 'text' | 'code' | 'block' | 'mention'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string };

/** Blocks between three backticks, code between single ones on one line, https links, names after an @ that starts a word. */
const SPECIAL = /```(?:\w*\n)?([\s\S]*?)```|`([^`\n]+)`|(https:\/\/[^\s<>"'`]+)|(?<![\w.@])@([a-z0-9][a-z0-9._-]{0,62})/g;
/** What closes a sentence is no part of a link or a name. */
const CLOSING = /[.,;:!?)\]}_-]+$/;

/** In a longer text so many parts are told apart at most; what follows stands there as it is: each is an element of the page. */
const MOST_PARTS = 2_000;

/** Splits a text. `isName` says what after an @ names somebody. */
export function textParts(text: string, isName: (name: string) => boolean): readonly TextPart[] {
  const parts: TextPart[] = [];
  let at = 0;
  const plain = (to: number): void => {
    if (to > at) parts.push({ kind: 'text', text: text.slice(at, to) });
  };
  for (const match of text.matchAll(SPECIAL)) {
    const [whole, block, code, link, name] = match;
    const part = partOf(block, code, link, name, isName);
    if (part === undefined) continue;
    plain(match.index);
    parts.push(part);
    at = match.index + (part.kind === 'link' || part.kind === 'mention' ? part.text.length : whole.length);
    if (parts.length >= MOST_PARTS) break;
  }
  plain(text.length);
  return parts;
}

function partOf(
  block: string | undefined,
  code: string | undefined,
  link: string | undefined,
  name: string | undefined,
  isName: (name: string) => boolean,
): TextPart | undefined {
  if (block !== undefined) return { kind: 'block', text: block.replace(/\n$/, '') };
  if (code !== undefined) return { kind: 'code', text: code };
  if (link !== undefined) {
    const href = link.replace(CLOSING, '');
    const url = URL.parse(href);
    // Before an @ stands a name, not where it leads: "https://example.org@elsewhere" is read as the one and goes to the other.
    return url && url.username === '' && url.password === '' ? { kind: 'link', text: href, href } : undefined;
  }
  if (name === undefined) return undefined;
  const trimmed = [name, name.replace(CLOSING, '')].find(isName);
  return trimmed === undefined ? undefined : { kind: 'mention', text: `@${trimmed}` };
}

/** A name in a text: from the @ to its end. */
export interface MentionSpan {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/** Where a text mentions somebody, at most the first so many times. What stands in code is no mention. */
export function mentionSpans(text: string, isName: (name: string) => boolean, most = Infinity): readonly MentionSpan[] {
  const spans: MentionSpan[] = [];
  for (const match of text.matchAll(SPECIAL)) {
    const [, block, code, link, name] = match;
    const part = partOf(block, code, link, name, isName);
    if (part?.kind !== 'mention') continue;
    spans.push({ name: part.text.slice(1), start: match.index, end: match.index + part.text.length });
    if (spans.length >= most) break;
  }
  return spans;
}

/** The names that a text mentions, each once, in order. */
export function mentionsIn(text: string, isName: (name: string) => boolean): readonly string[] {
  return [...new Set(mentionSpans(text, isName).map(({ name }) => name))];
}

/** Of a longer text only the beginning is shown at first: at most so many characters and lines. */
const PREVIEW_CHARS = 420;
const PREVIEW_LINES = 6;

/** The beginning of a text; undefined when it is short enough to be shown whole. */
export function previewOf(text: string): string | undefined {
  const lines = text.split('\n', PREVIEW_LINES + 1);
  const head = lines.slice(0, PREVIEW_LINES).join('\n');
  if (head.length > PREVIEW_CHARS) return `${head.slice(0, PREVIEW_CHARS).replace(/\s+\S*$/, '')}…`;
  return lines.length > PREVIEW_LINES ? `${head.replace(/[\s.]+$/, '')}…` : undefined;
}

/** As much of a text as a glance at it wants: its beginning, or all of a short one. */
export function beginningOf(text: string): string {
  return previewOf(text) ?? text;
}
