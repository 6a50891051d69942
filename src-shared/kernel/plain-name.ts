/** Names that people decide by: of files, of programs that want to be let in. */

/** What turns the order of the text behind it (UAX #9), or stands between letters unseen. */
const DECEIVING = /[\u202a-\u202e\u2066-\u2069\u200b\u2060\ufeff]/;

/** Whether a name is read as it is written: nothing in it turns its order or is invisible between its letters, and something shows. */
export function isPlainName(text: string): boolean {
  return !DECEIVING.test(text) && /[^\p{C}\p{Z}\p{M}]/u.test(text);
}
