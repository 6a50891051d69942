/** What a module is given and may answer. Pure. */
import * as z from 'zod';
import { canonicalJson, Json } from '#shared/kernel/json.ts';
import { MAX_BODY_CHARS, MAX_DATA_CHARS, MAX_TTL_MS, MIN_TTL_MS, Priority } from '#shared/messages/model.ts';
import type { MessageDraft } from '#core/messages/message-draft.ts';
import type { DraftChanges } from './draft-changes.ts';

/** Longest subject, in characters. */
const MAX_SUBJECT_CHARS = 200;

/** What a module sees of a draft. Only `subject`, `body`, `data`, `priority` and `ttlMs` may come back changed. */
export function plainDraft(draft: MessageDraft) {
  const { to, kind, priority, subject, body, data, topic, inReplyTo, ttlMs } = draft;
  return { to: [...to], kind, priority, subject, body, data, topic, inReplyTo, ttlMs };
}

const Refusal = z.strictObject({ refuse: z.string().min(1).max(500) });

/** What an answer says. */
export type ModuleVerdict = { readonly refuse: string } | { readonly changes: DraftChanges } | { readonly problem: string };

/** Reads the answer of a module about a draft. */
export function readAnswer(value: unknown, draft: MessageDraft): ModuleVerdict {
  const refusal = Refusal.safeParse(value);
  if (refusal.success) return refusal.data;
  const before = plainDraft(draft);
  // What an earlier step made longer than anybody may send can be passed on as it is.
  const room = (text: string | null, limit: number): number => Math.max(limit, text?.length ?? 0);
  const Answer = z.strictObject({
    to: z.unknown(),
    kind: z.unknown(),
    topic: z.unknown(),
    inReplyTo: z.unknown(),
    priority: Priority,
    subject: z.string().max(room(draft.subject, MAX_SUBJECT_CHARS)).nullable(),
    body: z.string().min(1).max(room(draft.body, MAX_BODY_CHARS)),
    data: Json.nullable(),
    ttlMs: z.number().int().min(MIN_TTL_MS).max(MAX_TTL_MS).nullable(),
  });
  const answer = Answer.safeParse(value);
  if (!answer.success) {
    const issue = answer.error.issues[0];
    const field = issue?.path.join('.');
    return {
      problem: `its answer is neither the message nor {refuse: "…"}${field ? `: "${field}"` : ''} (${issue?.message ?? 'not valid'})`,
    };
  }
  for (const field of ['to', 'kind', 'topic', 'inReplyTo'] as const) {
    if (canonicalJson(answer.data[field]) !== canonicalJson(before[field])) return { problem: `it may not change "${field}"` };
  }
  const { subject, body, data, priority, ttlMs } = answer.data;
  if (data !== null && JSON.stringify(data).length > room(draft.dataText, MAX_DATA_CHARS))
    return { problem: `its "data" is longer than ${MAX_DATA_CHARS} characters` };
  return { changes: { subject: subject?.toWellFormed() ?? null, body: body.toWellFormed(), data, priority, ttlMs } };
}
