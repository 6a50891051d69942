/** Messages that are being written. They are kept in the browser, one by one, so that nothing but sending or emptying ends them. */
import * as z from 'zod';
import type { OutgoingMessage } from '#renderer/store/outgoing-message.ts';
import { Answered, OutgoingFile } from '#renderer/store/outgoing-message.ts';
import { uuidv7 } from '#shared/kernel/ids.ts';
import { Priority } from '#shared/messages/model.ts';

/** The kinds that a person writes; what answers a message is a reply. */
export const WRITTEN_KINDS = ['note', 'request', 'task'] as const;

/** A message that is being written. */
export const Draft = z.object({
  /** The key of the message that it becomes: the same for every try. */
  key: z.string().min(1),
  text: z.string(),
  /** undefined while there is none and none is wished for. */
  subject: z.string().optional(),
  /** Chosen recipients; those that the text mentions come on top. */
  to: z.array(z.string()),
  kind: z.enum(WRITTEN_KINDS),
  priority: Priority,
  /** Milliseconds until it expires; null: never. */
  ttlMs: z.number().nullable(),
  /** Milliseconds until it is handed to anybody; null: at once. Missing in what an older window kept, as the next. */
  delayMs: z.number().nullable().default(null),
  /** Milliseconds until an answer is wanted; null: no deadline. Only of what is to be answered. */
  replyWithinMs: z.number().nullable().default(null),
  /** Files that go with it. */
  files: z.array(OutgoingFile).default([]),
});
/** A message that is being written. */
export type Draft = z.infer<typeof Draft>;

/** A draft in which nothing is written yet. */
export function newDraft(to: readonly string[] = []): Draft {
  const key = `window-${uuidv7()}`;
  return {
    key,
    text: '',
    to: [...to],
    kind: 'note',
    priority: 'normal',
    ttlMs: null,
    delayMs: null,
    replyWithinMs: null,
    files: [],
  };
}

/** What comes after a sent draft: another message to the same, unless it was something special. */
export function nextDraft(draft: Draft): Draft {
  return { ...newDraft(draft.to), kind: draft.kind };
}

/** Whether there is something in it that would be missed. */
export function isWritten(draft: Draft): boolean {
  return draft.text.trim() !== '' || (draft.subject ?? '').trim() !== '' || draft.files.length > 0;
}

const DRAFT = 'quarterdeck.draft.';
const ANSWERING = 'quarterdeck.answering.';

function read<T>(storage: Pick<Storage, 'getItem'>, name: string, schema: z.ZodType<T>): T | undefined {
  return parsed(storage.getItem(name), schema);
}

function parsed<T>(text: string | null, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text ?? 'null')).data;
  } catch {
    return undefined;
  }
}

/**
 * What is to be kept after a change here, where another window may have written in the same place without this one having
 * heard of it yet: both texts, the other one's first.
 */
export function joinedDraft(stored: Draft | undefined, next: Draft): Draft {
  if (stored === undefined || stored.key === next.key) return next;
  const files = joinedFiles(stored.files, next.files);
  if (stored.text.trim() === '' || stored.text === next.text) return { ...next, files };
  return { ...next, files, key: stored.key, text: next.text.trim() === '' ? stored.text : `${stored.text}\n\n${next.text}` };
}

/** Each file once. */
export function joinedFiles(first: readonly OutgoingFile[], second: readonly OutgoingFile[]): OutgoingFile[] {
  return [...first, ...second.filter(({ attachmentId }) => first.every((file) => file.attachmentId !== attachmentId))];
}

/** What another window did to the storage, as far as it is about this place. */
export interface DraftElsewhere {
  readonly name: string;
  readonly text: string | null;
  readonly before: string | null;
}

/**
 * The draft of a place after another window wrote, sent or emptied it: the last one to write is followed. A text that the
 * other window did not know of stays. undefined: nothing changes.
 */
export function draftAfter(draft: Draft, place: string, { name, text, before }: DraftElsewhere): Draft | undefined {
  if (name !== DRAFT + place) return undefined;
  if (text !== null) return parsed(text, Draft);
  const known = parsed(before, Draft);
  const isKnown = draft.files.every((file) => known?.files.some(({ attachmentId }) => attachmentId === file.attachmentId));
  return isKnown && (draft.text === '' || draft.text === known?.text) ? nextDraft(draft) : undefined;
}

/** A text that was not sent, put back before what is written in its place meanwhile. */
export function givenBack(written: Draft, lost: OutgoingMessage): Partial<Draft> {
  const kind = WRITTEN_KINDS.find((one) => one === lost.kind);
  const { text, to, subject } = written;
  return {
    text: text.trim() === '' ? lost.body : `${lost.body}\n\n${text}`,
    to: to.length === 0 ? [...lost.to] : to,
    ...(lost.subject === null || (subject ?? '').trim() !== '' ? {} : { subject: lost.subject }),
    ...(kind === undefined ? {} : { kind }),
    priority: lost.priority,
    ttlMs: lost.ttlMs,
    delayMs: lost.delayMs,
    replyWithinMs: lost.replyWithinMs,
    files: joinedFiles(lost.files, written.files),
  };
}

/** The draft that is kept for a place; undefined when there is none. A place is a screen, or a message that is answered. */
export function keptDraft(storage: Pick<Storage, 'getItem'>, place: string): Draft | undefined {
  return read(storage, DRAFT + place, Draft);
}

/**
 * What another window wrote in a place between the first look at it and the moment from which it is listened to; undefined:
 * nothing, or something is written here already (the next change joins both).
 */
export function missedDraft(storage: Pick<Storage, 'getItem'>, place: string, draft: Draft): Draft | undefined {
  return isWritten(draft) ? undefined : keptDraft(storage, place);
}

/** Keeps a draft, or lets go of one in which nothing is written. */
export function keepDraft(storage: Pick<Storage, 'setItem' | 'removeItem'>, place: string, draft: Draft): void {
  if (isWritten(draft)) storage.setItem(DRAFT + place, JSON.stringify(draft));
  else storage.removeItem(DRAFT + place);
}

/** The message that the composer of a screen was answering. */
export function keptAnswered(storage: Pick<Storage, 'getItem'>, screen: string): Answered | undefined {
  return read(storage, ANSWERING + screen, Answered);
}

/** Remembers what the composer of a screen answers; undefined: nothing. */
export function keepAnswered(
  storage: Pick<Storage, 'setItem' | 'removeItem'>,
  screen: string,
  answered: Answered | undefined,
): void {
  if (answered === undefined) storage.removeItem(ANSWERING + screen);
  else storage.setItem(ANSWERING + screen, JSON.stringify(answered));
}
