/** Changes to a draft. Pure. */
import { canonicalJson } from '#shared/kernel/json.ts';
import type { MessageDraft } from '#core/messages/message-draft.ts';

/** What steps may change. */
export type DraftChanges = Partial<Pick<MessageDraft, 'subject' | 'body' | 'data' | 'priority' | 'ttlMs'>>;

/** The draft with changes, and the names of the fields that are different now; the very draft where none is. */
export function changeDraft(draft: MessageDraft, changes: DraftChanges): { draft: MessageDraft; fields: string[] } {
  const fields = (['subject', 'body', 'data', 'priority', 'ttlMs'] as const).filter(
    (field) =>
      changes[field] !== undefined &&
      (field === 'data' ? canonicalJson(changes.data) !== canonicalJson(draft.data) : changes[field] !== draft[field]),
  );
  if (fields.length === 0) return { draft, fields };
  const next = { ...draft, ...Object.fromEntries(fields.map((field) => [field, changes[field]])) };
  return { draft: { ...next, dataText: next.data === null ? null : JSON.stringify(next.data) }, fields };
}
