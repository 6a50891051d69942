/** Characters that turn the order of what follows them: overrides, embeddings and isolates of Unicode's UAX #9. */
const REORDERING = /[\u202a-\u202e\u2066-\u2069]/g;

/**
 * A text of an agent with the characters that would show it in another order than it is written as marks, such as
 * `[U+202E]`: what is read must be what is answered. Arabic and Hebrew need none of them to be read.
 */
export function visibleText(text: string): string {
  return text.replaceAll(REORDERING, (found) => `[U+${found.charCodeAt(0).toString(16).toUpperCase()}]`);
}
