/** Says in one sentence what is wrong with an input: each field by name, and what is allowed there. */
import * as z from 'zod';

/** One complaint of a schema, as standard schemas and zod state it. The optional fields are zod's. */
export interface InputIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: string | undefined;
  readonly keys?: readonly string[] | undefined;
  /** Of a key that is not allowed: why. */
  readonly issues?: readonly { readonly message: string }[] | undefined;
}

/** A part of a JSON schema, as far as it is read here. */
interface JsonSchemaPart {
  readonly type?: string | readonly string[] | undefined;
  readonly description?: string | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly properties?: Readonly<Record<string, JsonSchemaPart>> | undefined;
  readonly additionalProperties?: JsonSchemaPart | boolean | undefined;
  readonly items?: JsonSchemaPart | undefined;
  readonly anyOf?: readonly JsonSchemaPart[] | undefined;
  readonly oneOf?: readonly JsonSchemaPart[] | undefined;
  readonly allOf?: readonly JsonSchemaPart[] | undefined;
}

/** More than this many complaints are counted, not listed. */
const MAX_LISTED = 5;
/** A name or message longer than this, in characters, is cut: inputs are untrusted and errors go into logs and models. */
const MAX_TEXT = 300;

/** What is wrong with an input. */
export interface InputComplaint {
  readonly message: string;
  /** The fields, in dotted form, at most `MAX_LISTED`. */
  readonly fields: readonly string[];
}

/** The JSON schema of an input, from the side of the caller (before defaults and transforms). */
export function inputJsonSchema(schema: z.ZodType): Record<string, unknown> {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
}

/** The complaints about a value in one sentence without its beginning and full stop; `schema` is its JSON schema. */
export function describeIssues(issues: readonly InputIssue[], schema: object, value: unknown): InputComplaint {
  const listed = issues.slice(0, MAX_LISTED).map((issue) => describeIssue(issue, schema, value));
  const more = issues.length > MAX_LISTED ? `; and ${issues.length - MAX_LISTED} more` : '';
  return { message: `${listed.map(({ text }) => text).join('; ')}${more}`, fields: listed.map(({ field }) => field) };
}

/** The same, of what a zod schema found. */
export function describeInvalid(schema: z.ZodType, error: z.ZodError, value: unknown): InputComplaint {
  return describeIssues(error.issues, inputJsonSchema(schema), value);
}

/** Puts one complaint into words: the field in dotted form, and what is wrong and allowed there. */
export function describeIssue(issue: InputIssue, schema: JsonSchemaPart, input: unknown): { field: string; text: string } {
  const keys = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  const part = partAt(schema, keys);
  if (issue.code === 'unrecognized_keys') {
    const unknown = (issue.keys ?? []).map((key) => cut([...keys, key].join('.')));
    const allowed = Object.keys(part?.properties ?? {});
    const field = unknown[0] ?? 'input';
    return {
      field,
      text: `${list(unknown)} ${unknown.length === 1 ? 'is' : 'are'} not known here (allowed: ${allowed.length > 0 ? allowed.join(', ') : 'no fields at all'})`,
    };
  }
  const field = keys.length === 0 ? 'input' : cut(keys.join('.'));
  const hint = hintOf(part);
  const message = cut((issue.code === 'invalid_key' ? issue.issues?.[0]?.message : undefined) ?? issue.message);
  if (keys.length > 0 && issue.code !== 'custom' && issue.code !== 'invalid_key' && valueAt(input, keys) === undefined)
    return { field, text: `"${field}" is missing${hint === '' ? '' : ` (${hint})`}` };
  if (issue.code === 'invalid_union' || message === 'Invalid input')
    return { field, text: `"${field}" is not valid${hint === '' ? '' : `; allowed: ${hint}`}` };
  // The contract's own messages continue the field's name ("must be …", "is required …").
  if (/^(must|is|are|cannot|has|needs) /.test(message)) return { field, text: `"${field}" ${message}` };
  const allowed = issue.code === 'invalid_type' || issue.code === 'invalid_format' ? hint : '';
  return {
    field,
    text: `"${field}": ${message.charAt(0).toLowerCase()}${message.slice(1)}${allowed === '' ? '' : ` (${allowed})`}`,
  };
}

function valueAt(input: unknown, keys: readonly string[]): unknown {
  let value = input;
  for (const key of keys)
    value = typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
  return value;
}

function partAt(schema: JsonSchemaPart, keys: readonly string[]): JsonSchemaPart | undefined {
  let parts: readonly JsonSchemaPart[] = [schema];
  for (const key of keys) {
    parts = parts.flatMap(branches).flatMap((part) => {
      const next =
        (Object.hasOwn(part.properties ?? {}, key) ? part.properties?.[key] : undefined) ??
        part.items ??
        part.additionalProperties;
      return typeof next === 'object' ? [next] : [];
    });
  }
  return parts[0];
}

function branches(part: JsonSchemaPart): readonly JsonSchemaPart[] {
  return [part, ...(part.anyOf ?? []), ...(part.oneOf ?? []), ...(part.allOf ?? [])];
}

function hintOf(part: JsonSchemaPart | undefined): string {
  if (part === undefined) return '';
  const choices = part.enum === undefined ? '' : `one of ${part.enum.map((value) => JSON.stringify(value)).join(', ')}`;
  const type = typeof part.type === 'string' ? `of type ${part.type}` : '';
  return [choices === '' ? type : choices, part.description ?? ''].filter((text) => text !== '').join(': ');
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, MAX_LISTED).map((name) => `"${name}"`);
  return names.length > MAX_LISTED ? `${shown.join(', ')} and ${names.length - MAX_LISTED} more` : shown.join(', ');
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
