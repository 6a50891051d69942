/**
 * What the index holds of a message, and what it is asked. Pure.
 * Invariant: the index sees nothing but words of src-shared/search/words.ts and facts in hexadecimal, in an entry as in a
 * question: nothing that somebody typed is ever part of its syntax.
 */
import * as z from 'zod';
import { OPERATOR, PRIORITIES } from '#shared/messages/model.ts';
import type { FilterName, SearchQuery, WordTerm } from '#shared/search/query.ts';
import { partsOf, wordsOf } from '#shared/search/words.ts';
import type { HistoryFilter } from '#core/messages/history-filter.ts';

/** Of `data` so many characters of its JSON text are indexed; subject and body are indexed whole. */
export const MAX_INDEXED_DATA_CHARS = 64 * 1024;

/** The columns of a message that are indexed, from `messages m`. */
export const INDEXED_COLUMNS =
  'm.seq, m.id, m.project_id, m.session_id, m.from_kind, m.from_id, m.addressed_to, m.recipients, m.kind, m.priority, m.subject, m.body, m.data, m.topic, m.attachments';

/** A row of them. */
export const IndexedRow = z.object({
  seq: z.number(),
  id: z.string(),
  project_id: z.string(),
  session_id: z.string(),
  from_kind: z.string(),
  from_id: z.string(),
  addressed_to: z.string(),
  recipients: z.string(),
  kind: z.string(),
  priority: z.number(),
  subject: z.string().nullable(),
  body: z.string(),
  data: z.string().nullable(),
  topic: z.string().nullable(),
  attachments: z.string().nullable(),
});
/** A row of them. */
export type IndexedRow = z.infer<typeof IndexedRow>;

/** The texts of a message that are searched. */
export interface Texts {
  readonly subject: string;
  readonly body: string;
  readonly data: string;
  /** Names of files, one a line. */
  readonly attachments: string;
}

/** What the index holds of a message: words and facts, parted by spaces. */
export interface IndexEntry {
  readonly subject: string;
  readonly body: string;
  readonly data: string;
  /** What stands inside words. */
  readonly parts: string;
  readonly facts: string;
}

const Names = z.array(z.string());
const Files = z.array(z.object({ name: z.string() }));

/** The texts of a row. */
export function textsOf(row: Pick<IndexedRow, 'subject' | 'body' | 'data' | 'attachments'>): Texts {
  return {
    subject: row.subject ?? '',
    body: row.body,
    data: (row.data ?? '').slice(0, MAX_INDEXED_DATA_CHARS),
    attachments:
      row.attachments === null
        ? ''
        : Files.parse(JSON.parse(row.attachments))
            .map(({ name }) => name)
            .join('\n'),
  };
}

/** A fact as a word of the index: its sort, and its value in hexadecimal. */
function fact(sort: string, value: string): string {
  return `${sort}${Buffer.from(value, 'utf8').toString('hex')}`;
}

/** The sorts of facts; `mailbox` and `project` are asked for by the core only. */
const SORTS: Readonly<Record<FilterName | 'mailbox' | 'project', string>> = {
  from: 'f',
  to: 't',
  kind: 'k',
  priority: 'p',
  topic: 'c',
  session: 's',
  mailbox: 'm',
  project: 'j',
};
/** Every message has it: something to subtract from, and to walk along. */
const EVERY = 'e';

function factsOf(row: IndexedRow): string[] {
  const recipients = Names.parse(JSON.parse(row.recipients));
  const facts = [
    EVERY,
    fact(SORTS.from, row.from_id),
    fact(SORTS.kind, row.kind),
    fact(SORTS.priority, PRIORITIES[row.priority] ?? 'normal'),
    fact(SORTS.session, row.session_id),
    fact(SORTS.project, row.project_id),
    ...recipients.flatMap((name) => [fact(SORTS.to, name), fact(SORTS.mailbox, name)]),
    ...Names.parse(JSON.parse(row.addressed_to)).map((name) => fact(SORTS.to, name)),
  ];
  if (row.from_kind === 'agent') facts.push(fact(SORTS.mailbox, row.from_id));
  if (row.topic !== null) facts.push(fact(SORTS.topic, row.topic));
  return [...new Set(facts)];
}

/** What the index holds of a row. */
export function entryOf(row: IndexedRow): IndexEntry {
  const parts: string[] = [];
  const words = (text: string): string =>
    wordsOf(text)
      .map(({ folded, start, end }) => {
        parts.push(...partsOf(text.slice(start, end)));
        return folded;
      })
      .join(' ');
  const texts = textsOf(row);
  const subject = words(texts.subject);
  const body = words(texts.body);
  const data = words(`${texts.data}\n${texts.attachments}`);
  return { subject, body, data, parts: parts.join(' '), facts: factsOf(row).join(' ') };
}

/** Whose mail is searched, and what of it. */
export interface SearchScope {
  /** An agent: only what it sent or was sent. */
  readonly mailbox: string | undefined;
  readonly filter: Omit<HistoryFilter, 'from' | 'to'>;
  /** What session:current stands for. */
  readonly currentSession: string;
}

/** Words in the columns where they stand side by side as they do in the text; a single one also inside of words. */
function phrase(term: WordTerm): string {
  const words = `"${term.words.join(' ')}"${term.isPrefix ? ' *' : ''}`;
  if (term.isUnspaced) return `parts : ${words}`;
  return term.words.length === 1 ? `- facts : ${words}` : `- {parts facts} : ${words}`;
}

/** What the index knows of a scope. It may let more pass: the message itself decides, and threads and states stand in it only. */
function scopeOf({ mailbox, filter: f }: SearchScope): string[] {
  const has = (sort: string, value: string): string => `facts : "${fact(sort, value)}"`;
  const wanted: string[] = [];
  if (mailbox !== undefined) wanted.push(has(SORTS.mailbox, mailbox));
  if (f.projectId !== undefined) wanted.push(has(SORTS.project, f.projectId));
  if (f.sessionId !== undefined) wanted.push(has(SORTS.session, f.sessionId));
  if (f.participant !== undefined) wanted.push(`${has(SORTS.from, f.participant)} OR ${has(SORTS.to, f.participant)}`);
  if (f.forOperator === true) wanted.push(has(SORTS.to, OPERATOR));
  if (f.kind !== undefined) wanted.push(has(SORTS.kind, f.kind));
  if (f.priority !== undefined) wanted.push(has(SORTS.priority, f.priority));
  if (f.topic !== undefined) wanted.push(has(SORTS.topic, f.topic));
  return wanted;
}

/** The question to the index. */
export function matchOf(query: SearchQuery, scope: SearchScope): string {
  const wanted: string[] = [];
  const unwanted: string[] = [];
  for (const term of query.terms) {
    if (term.kind === 'words') {
      (term.isNegated ? unwanted : wanted).push(phrase(term));
    } else {
      const value = term.name === 'session' && term.value === 'current' ? scope.currentSession : term.value;
      (term.isNegated ? unwanted : wanted).push(`facts : "${fact(SORTS[term.name], value)}"`);
    }
  }
  wanted.push(...scopeOf(scope));
  if (wanted.length === 0) wanted.push(`facts : "${EVERY}"`);
  const positive = wanted.map((part) => `(${part})`).join(' AND ');
  return unwanted.length === 0 ? positive : `(${positive}) NOT (${unwanted.map((part) => `(${part})`).join(' OR ')})`;
}
