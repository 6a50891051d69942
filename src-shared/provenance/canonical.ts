/**
 * The canonical form of a message, version 1: the text that is hashed and signed, the same in every language.
 *
 * It is the JSON text (RFC 8785, JCS) of one object with the fields of `SIGNED_FIELDS` and `v`: UTF-8, no white space, keys in
 * the order of their UTF-16 code units at every depth, numbers as ECMAScript writes them, strings with the short escapes
 * \b \t \n \f \r \" \\, \u00xx for other control characters, and nothing else escaped. One thing beyond RFC 8785, which forbids
 * them: halves of surrogate pairs, which only `data` and names of attachments can hold, are written as \udxxx in lower case.
 */
import type { Json } from '#shared/kernel/json.ts';
import type { Message } from '#shared/messages/model.ts';

/** What a canonical message begins its life with: no other text that is hashed says the same. */
export const MESSAGE_FORM = 'quarterdeck-message-1';

/** The fields of a message that are signed: all that say what it is, in the order of the canonical form. */
export const SIGNED_FIELDS = [
  'attachments',
  'body',
  'data',
  'expiresAt',
  'from',
  'id',
  'inReplyTo',
  'kind',
  'notBefore',
  'originator',
  'priority',
  'projectId',
  'recipients',
  'replyBy',
  'sentAt',
  'sessionId',
  'subject',
  'threadId',
  'to',
  'topic',
] as const satisfies readonly (keyof Message)[];

/** The canonical text of a JSON value. Depth is limited by what makes the value (MAX_JSON_DEPTH in a message's data). */
export function canonicalText(value: Json): string {
  if (typeof value === 'string') return JSON.stringify(value);
  // As in RFC 8785: finite numbers are written as ECMAScript does.
  if (typeof value !== 'object' || value === null) return String(value);
  let text = '';
  if (Array.isArray(value)) {
    for (const item of value) text += text === '' ? canonicalText(item) : `,${canonicalText(item)}`;
    return `[${text}]`;
  }
  for (const key of sortedKeys(value)) {
    const entry = `${JSON.stringify(key)}:${canonicalText(value[key] ?? null)}`;
    text += text === '' ? entry : `,${entry}`;
  }
  return `{${text}}`;
}

/** The keys in the order of their code units. Most objects are small and have them in order, or nearly so. */
function sortedKeys(value: { readonly [key: string]: Json }): string[] {
  const keys = Object.keys(value);
  return keys.length === 1 ? keys : keys.sort(byCodeUnits);
}

function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The canonical form of a message. */
export function canonicalMessage(message: Message): string {
  let text = '{';
  // The fields stand in order already: sorting them for every message would cost more than writing them.
  for (const field of SIGNED_FIELDS) text += `"${field}":${canonicalText(message[field])},`;
  return `${text}"v":"${MESSAGE_FORM}"}`;
}
