/**
 * Finds the values of stored secrets in texts without keeping them: of each, a mark of eight characters from its middle is
 * kept, made with a key of this process. Where a text has the mark, the secret is opened and compared, and forgotten again.
 */
import { randomInt } from 'node:crypto';

/** Length of what is marked, in characters. Shorter secrets are not looked for: they would be found in ordinary words. */
export const MARK_CHARS = 8;

/** Where a secret is kept. */
export interface SecretPlace {
  readonly name: string;
  readonly projectId: string;
}

interface Mark<P> {
  readonly place: P;
  readonly form: number;
  /** Where the marked characters begin in the value. */
  readonly offset: number;
}

/** The forms in which a value may stand in a text: as it is, in JSON, in an address. */
function formsOf(value: string): string[] {
  const inUrl = (): string => {
    try {
      return encodeURIComponent(value);
    } catch {
      return value; // Half of a surrogate pair has no such form.
    }
  };
  return [...new Set([value, JSON.stringify(value).slice(1, -1), inUrl()])];
}

/** Marks of secrets. `P` says where each is kept. */
export class SecretMarks<P extends SecretPlace> {
  readonly #marks = new Map<number, Mark<P>[]>();
  /** Odd, so that the hash keeps every character; not known outside. */
  readonly #base = (randomInt(2 ** 31) | 1) >>> 0;
  readonly #power: number;

  constructor() {
    let power = 1;
    for (let i = 1; i < MARK_CHARS; i += 1) power = Math.imul(power, this.#base);
    this.#power = power;
  }

  /** Marks one more secret; its value is not kept. */
  add(place: P, value: string): void {
    for (const [form, text] of formsOf(value).entries()) {
      if (text.length < MARK_CHARS) continue;
      const offset = Math.floor((text.length - MARK_CHARS) / 2);
      const hash = this.#hash(text, offset);
      const marks = this.#marks.get(hash);
      const mark = { place, form, offset };
      if (marks) marks.push(mark);
      else this.#marks.set(hash, [mark]);
    }
  }

  /** Where secrets stand in a text, from and to. `open` gives the value of one. Linear in the text where there are none. */
  find(text: string, open: (place: P) => string | undefined): { from: number; to: number }[] {
    const found: { from: number; to: number }[] = [];
    if (this.#marks.size === 0 || text.length < MARK_CHARS) return found;
    const opened = new Map<P, readonly string[]>();
    let hash = this.#hash(text, 0);
    for (let at = 0; ; at += 1) {
      for (const { place, form, offset } of this.#marks.get(hash) ?? []) {
        let forms = opened.get(place);
        if (!forms) {
          const value = open(place);
          forms = value === undefined ? [] : formsOf(value);
          opened.set(place, forms);
        }
        const whole = forms[form];
        const from = at - offset;
        if (whole !== undefined && from >= 0 && text.startsWith(whole, from)) found.push({ from, to: from + whole.length });
      }
      if (at + MARK_CHARS >= text.length) return found;
      hash = Math.imul((hash - Math.imul(text.charCodeAt(at), this.#power)) | 0, this.#base);
      hash = (hash + text.charCodeAt(at + MARK_CHARS)) | 0;
    }
  }

  #hash(text: string, from: number): number {
    let hash = 0;
    for (let i = from; i < from + MARK_CHARS; i += 1) hash = (Math.imul(hash, this.#base) + text.charCodeAt(i)) | 0;
    return hash;
  }
}
