/** A message of the operator's as it is kept until the core has it. */
import * as z from 'zod';
import { AttachmentId, MessageId, ProjectId } from '#shared/kernel/ids.ts';
import { Json } from '#shared/kernel/json.ts';
import { Address, MessageKind, Priority } from '#shared/messages/model.ts';

/** The message that an answer belongs to, as far as it is shown beside the answer. */
export const Answered = z.object({
  id: MessageId,
  from: z.string(),
  excerpt: z.string(),
  /** Whom the answer goes to. */
  to: z.array(z.string()),
});
/** The message that an answer belongs to. */
export type Answered = z.infer<typeof Answered>;

/** A file that the core has stored, and that goes with a message. */
export const OutgoingFile = z.object({ attachmentId: AttachmentId, name: z.string(), bytes: z.number() });
/** A file that the core has stored, and that goes with a message. */
export type OutgoingFile = z.infer<typeof OutgoingFile>;

/** A message as the operator wrote it. */
export const OutgoingMessage = z.object({
  /** The same for every try. */
  key: z.string().min(1).max(80),
  to: z.array(Address).min(1),
  body: z.string().min(1),
  kind: MessageKind,
  priority: Priority,
  subject: z.string().nullable(),
  data: Json.nullable(),
  ttlMs: z.number().nullable(),
  /** Missing in what an older window kept, as the next. */
  delayMs: z.number().nullable().default(null),
  replyWithinMs: z.number().nullable().default(null),
  inReplyTo: MessageId.nullable(),
  projectId: ProjectId.nullable(),
  /** What is shown of the message that it answers; null when it answers none. Missing in what an older window kept. */
  answered: Answered.nullable().default(null),
  /** Missing in what an older window kept. */
  files: z.array(OutgoingFile).default([]),
  /** When it was first sent, in milliseconds since the epoch. */
  sentAt: z.number(),
});
/** A message as the operator wrote it. */
export type OutgoingMessage = z.infer<typeof OutgoingMessage>;
/** A message that was not sent yet. */
export type WrittenMessage = Omit<OutgoingMessage, 'sentAt'>;
