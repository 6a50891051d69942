/** Messages that are being written. They are kept in the browser, one by one, so that nothing but sending or emptying ends them. */
import * as z from 'zod';
import { MessageId, uuidv7 } from '#shared/kernel/ids.ts';
import { Priority } from '#shared/messages/model.ts';

/** The message that a draft answers, as far as the composer shows it. */
export const Answered = z.object({
  id: MessageId,
  from: z.string(),
  excerpt: z.string(),
  /** Whom the answer goes to. */
  to: z.array(z.string()),
});
/** The message that a draft answers. */
export type Answered = z.infer<typeof Answered>;

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
});
/** A message that is being written. */
export type Draft = z.infer<typeof Draft>;

/** A draft in which nothing is written yet. */
export function newDraft(to: readonly string[] = []): Draft {
  return { key: `window-${uuidv7()}`, text: '', to: [...to], kind: 'note', priority: 'normal', ttlMs: null };
}

/** What comes after a sent draft: another message to the same, unless it was something special. */
export function nextDraft(draft: Draft): Draft {
  return { ...newDraft(draft.to), kind: draft.kind };
}

/** Whether there is something in it that would be missed. */
export function isWritten(draft: Draft): boolean {
  return draft.text.trim() !== '' || (draft.subject ?? '').trim() !== '';
}

const DRAFT = 'quarterdeck.draft.';
const ANSWERING = 'quarterdeck.answering.';

function read<T>(storage: Pick<Storage, 'getItem'>, name: string, schema: z.ZodType<T>): T | undefined {
  try {
    return schema.safeParse(JSON.parse(storage.getItem(name) ?? 'null')).data;
  } catch {
    return undefined;
  }
}

/** The draft that is kept for a place; undefined when there is none. A place is a screen, or a message that is answered. */
export function keptDraft(storage: Pick<Storage, 'getItem'>, place: string): Draft | undefined {
  return read(storage, DRAFT + place, Draft);
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
