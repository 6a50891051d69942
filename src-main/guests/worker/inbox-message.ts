/**
 * Messages as a worker reads them. Only what is used is named, and what is not known is passed over: a worker may be older
 * than the core that adopted it.
 */
import * as z from 'zod';
import { Json } from '#shared/kernel/json.ts';

/** A message in the worker's inbox. */
export const InboxMessage = z.object({
  id: z.string(),
  from: z.object({ kind: z.string(), id: z.string() }),
  kind: z.string(),
  priority: z.string().default('normal'),
  subject: z.string().nullish(),
  body: z.string().default(''),
  data: Json.nullish(),
  inReplyTo: z.string().nullish(),
});
/** A message in the worker's inbox. */
export type InboxMessage = z.infer<typeof InboxMessage>;

/** What get_messages and wait_for_messages answer. */
export const InboxPage = z.object({ messages: z.array(InboxMessage), unread: z.number().default(0) });
/** What get_messages and wait_for_messages answer. */
export type InboxPage = z.infer<typeof InboxPage>;

/** What send_message answers. */
export const SentMessage = z.object({ messageId: z.string(), isDuplicate: z.boolean().default(false) });
/** What send_message answers. */
export type SentMessage = z.infer<typeof SentMessage>;

/** Whom to answer. Senders without an inbox of their own (a script's token, the core) are answered through the operator's. */
export function replyAddress(message: InboxMessage): string {
  return message.from.kind === 'agent' ? message.from.id : 'operator';
}

/** One line that says what a message is about. */
export function titleOf(message: InboxMessage): string {
  const text = message.subject?.trim() || message.body.trim().split('\n')[0]?.trim() || message.kind;
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
