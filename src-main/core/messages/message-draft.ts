/** A message before it is stored: what its content is, and whether two are the same. Pure. */
import { AppError } from '#shared/kernel/errors.ts';
import type { MessageId, ProjectId } from '#shared/kernel/ids.ts';
import type { Json } from '#shared/kernel/json.ts';
import { canonicalJson } from '#shared/kernel/json.ts';
import type { messagesContract } from '#shared/messages/contract.ts';
import type { Address, Message, MessageKind, Priority } from '#shared/messages/model.ts';
import type { Attachment } from '#shared/messages/attachment.ts';
import { MAX_DATA_CHARS, topicOf } from '#shared/messages/model.ts';
import type { Caller } from '#core/caller.ts';
import type { HandlersOf } from '#core/procedures.ts';
import type { Tx } from '#core/store/store.ts';
import { isWork } from './boundary-rule.ts';
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
  /** How long nobody is handed it, in milliseconds; null: not at all. */
  readonly delayMs: number | null;
  /** How long its sender waits for an answer, in milliseconds; null: it does not say. */
  readonly replyWithinMs: number | null;
  /** The topic among its addresses; null when there is none. */
  readonly topic: string | null;
  readonly attachments: readonly Attachment[];
  /** What whoever prepared it stores with it; called in its write, after its event. No part of the content. */
  readonly onStored?: (tx: Tx, message: Message, caller: Caller) => void;
}

/**
 * Takes the content from what a caller states. PAYLOAD_TOO_LARGE when `data` is too large.
 * Texts are made well-formed: SQLite keeps UTF-8, which cannot hold half of a surrogate pair.
 */
export function draftOf(input: SendInput, attachments: readonly Attachment[] = []): MessageDraft {
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
  refuseOddTimes(input);
  const to = withoutRepetitions(Array.isArray(input.to) ? input.to : [input.to]);
  return {
    to,
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
    delayMs: input.delayMs ?? null,
    replyWithinMs: input.replyWithinMs ?? null,
    topic: topicAmong(to),
    attachments,
  };
}

/** BAD_REQUEST when the times that are stated make no sense together. */
function refuseOddTimes({ kind, delayMs, ttlMs, replyWithinMs }: SendInput): void {
  const refuse = (field: string, why: string): void => {
    throw new AppError('BAD_REQUEST', `${why} Nothing was sent.`, { data: { field } });
  };
  if (replyWithinMs !== undefined && !isWork(kind))
    refuse('replyWithinMs', `replyWithinMs goes with a task or a request, and this is a ${kind}: nobody is to answer it.`);
  if (delayMs !== undefined && ttlMs !== undefined && delayMs >= ttlMs)
    refuse('ttlMs', `It would expire (ttlMs ${ttlMs}) before it may be handed out (delayMs ${delayMs}): both count from now.`);
  if (delayMs !== undefined && replyWithinMs !== undefined && delayMs >= replyWithinMs)
    refuse(
      'replyWithinMs',
      `The reply would be late (replyWithinMs ${replyWithinMs}) before it may be handed out (delayMs ${delayMs}): both count from now.`,
    );
}

/** The topic among addresses; null when there is none. BAD_REQUEST when there are several. */
function topicAmong(to: readonly Address[]): string | null {
  const [topic, other] = to.flatMap((address) => topicOf(address) ?? []);
  if (other === undefined) return topic ?? null;
  throw new AppError(
    'BAD_REQUEST',
    `A message has one topic at most, and this one names "${topic}" and "${other}". Nothing was sent. Send one message for each topic.`,
    {
      data: { field: 'to' },
    },
  );
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
    (message.notBefore === null) === (draft.delayMs === null) &&
    (message.replyBy === null) === (draft.replyWithinMs === null) &&
    canonicalJson(message.data) === canonicalJson(draft.data) &&
    canonicalJson(message.attachments) === canonicalJson([...draft.attachments])
  );
}
