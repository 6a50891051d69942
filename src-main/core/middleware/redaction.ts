/** Takes credentials out of texts. Pure. What is found is found in the text as it came, so that no order among shapes matters. */
import type { Json } from '#shared/kernel/json.ts';
import type { CredentialKind } from '#shared/middleware/model.ts';
import { CREDENTIAL_SHAPES } from './credential-shapes.ts';

/** A part of a text that is to go. */
interface Range {
  readonly from: number;
  readonly to: number;
  readonly kind: string;
}

/** What is looked for. */
export interface Redactor {
  readonly patterns: readonly CredentialKind[];
  /** Where values of stored secrets stand; undefined: they are not looked for. */
  readonly findSecrets?: ((text: string) => readonly { from: number; to: number }[]) | undefined;
}

/** How often each kind was found. */
export type RedactionCounts = Map<string, number>;

function rangesOf(text: string, redactor: Redactor): Range[] {
  const found: Range[] = (redactor.findSecrets?.(text) ?? []).map((range) => ({ ...range, kind: 'secret' }));
  for (const kind of redactor.patterns) {
    for (const shape of CREDENTIAL_SHAPES[kind]) {
      for (const match of text.matchAll(shape)) {
        const [from, to] = match.indices?.groups?.['secret'] ?? [match.index, match.index + match[0].length];
        if (to > from) found.push({ from, to, kind });
      }
    }
  }
  return found.sort((a, b) => a.from - b.from || b.to - a.to);
}

/** The text without credentials; each is replaced by `[redacted:<kind>]`, those that overlap by one. Counts them. */
export function redactText(text: string, redactor: Redactor, counts: RedactionCounts): string {
  const ranges = rangesOf(text, redactor);
  if (ranges.length === 0) return text;
  let out = '';
  let done = 0;
  for (let i = 0; i < ranges.length;) {
    const first = ranges[i];
    if (!first) break;
    let { to } = first;
    for (i += 1; ; i += 1) {
      const next = ranges[i];
      if (!next || next.from > to) break;
      to = Math.max(to, next.to);
    }
    out += `${text.slice(done, first.from)}[redacted:${first.kind}]`;
    done = to;
    counts.set(first.kind, (counts.get(first.kind) ?? 0) + 1);
  }
  return out + text.slice(done);
}

/** The same for every text in a value, names of fields included. Returns the very value where nothing was found. */
export function redactJson(value: Json, redactor: Redactor, counts: RedactionCounts): Json {
  if (typeof value === 'string') return redactText(value, redactor, counts);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const list = value.map((entry) => redactJson(entry, redactor, counts));
    return list.some((entry, index) => entry !== value[index]) ? list : value;
  }
  let isChanged = false;
  const entries = new Map<string, Json>();
  for (const [key, inner] of Object.entries(value)) {
    const cleanKey = redactText(key, redactor, counts);
    const clean = redactJson(inner, redactor, counts);
    isChanged ||= cleanKey !== key || clean !== inner;
    let name = cleanKey;
    // Two names that became the same are kept apart.
    for (let n = 2; cleanKey !== key && (entries.has(name) || Object.hasOwn(value, name)); n += 1) name = `${cleanKey}#${n}`;
    entries.set(name, clean);
  }
  return isChanged ? Object.fromEntries(entries) : value;
}
