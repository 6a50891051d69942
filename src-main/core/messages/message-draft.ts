/** A message before it is stored: what its content is, and whether two are the same. Pure. */
import { AppError } from '#shared/kernel/errors.ts';
import type { MessageId, ProjectId } from '#shared/kernel/ids.ts';
import type { Json } from '#shared/kernel/json.ts';
import { canonicalJson } from '#shared/kernel/json.ts';
import type { messagesContract } from '#shared/messages/contract.ts';
import type { Address, Message, MessageKind, Priority } from '#shared/messages/model.ts';
import { MAX_DATA_CHARS } from '#shared/messages/model.ts';
import type { HandlersOf } from '#core/procedures.ts';
import { withoutRepetitions } from './resolve-recipients.ts';

/** What callers state, by procedure. */
export type MessageInputs = { [K in keyof typeof messagesContract]: Parameters<HandlersOf<typeof messagesContract>[K]>[0] };
/** What a caller states about a message. */
export type SendInput = MessageInputs['send'];

/** The content of a message, in the form in which it is stored. */
export interface MessageDraft {
  readonly to: readonly Address[];
  readonly kind: MessageKind;
  readonly priority: Priority;
  readonly subject: string | null;
  readonly body: string;
  readonly data: Json | null;
  /** `data` as JSON text; null when there is none. */
  readonly dataText: string | null;
  readonly inReplyTo: MessageId | null;
  readonly projectId: ProjectId | undefined;
  readonly idempotencyKey: string | null;
  /** How long it is to live, in milliseconds; null: for ever. */
  readonly ttlMs: number | null;
}

/**
 * Takes the content from what a caller states. PAYLOAD_TOO_LARGE when `data` is too large.
 * Texts are made well-formed: SQLite keeps UTF-8, which cannot hold half of a surrogate pair.
 */
export function draftOf(input: SendInput): MessageDraft {
  const data = input.data ?? null;
  const dataText = data === null ? null : JSON.stringify(data);
  if (dataText !== null && dataText.length > MAX_DATA_CHARS) {
    throw new AppError(
      'PAYLOAD_TOO_LARGE',
      `"data" is ${dataText.length} characters of JSON; at most ${MAX_DATA_CHARS} are allowed. Nothing was sent. Put it into a file in the workspace and name the file in the message.`,
      {
        data: { field: 'data', chars: dataText.length, allowed: MAX_DATA_CHARS },
      },
    );
  }
  return {
    to: withoutRepetitions(Array.isArray(input.to) ? input.to : [input.to]),
    kind: input.kind,
    priority: input.priority,
    subject: input.subject?.toWellFormed() ?? null,
    body: input.body.toWellFormed(),
    data,
    dataText,
    inReplyTo: input.inReplyTo ?? null,
    projectId: input.projectId,
    idempotencyKey: input.idempotencyKey?.toWellFormed() ?? null,
    ttlMs: input.ttlMs ?? null,
  };
}

/** Whether a message has the content of a draft. A broadcast is the same whoever was there. */
export function hasContentOf(message: Message, draft: MessageDraft): boolean {
  return (
    message.kind === draft.kind &&
    message.priority === draft.priority &&
    message.subject === draft.subject &&
    message.body === draft.body &&
    message.inReplyTo === draft.inReplyTo &&
    (draft.projectId === undefined || draft.projectId === message.projectId) &&
    message.to.length === draft.to.length &&
    message.to.every((address, index) => address === draft.to[index]) &&
    canonicalJson(message.data) === canonicalJson(draft.data)
  );
}
