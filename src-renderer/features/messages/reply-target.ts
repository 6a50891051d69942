import type { Message } from '#shared/messages/model.ts';
import { OPERATOR } from '#shared/messages/model.ts';
import type { Answered } from './drafts.ts';

/** So much of the answered message is shown above the answer. */
const EXCERPT_CHARS = 160;

/** Whom an answer of the operator to a message goes to: its sender, or those whom the operator wrote it to. */
export function replyTargets({ from, to, recipients }: Pick<Message, 'from' | 'to' | 'recipients'>): readonly string[] {
  if (from.kind === 'agent') return [from.id];
  if (from.kind === 'operator') return to;
  // A script's token has no inbox: the answer goes to the others whom it wrote to.
  return recipients.filter((recipient) => recipient !== OPERATOR);
}

/** What the composer keeps of the message that is answered. */
export function answeredBy(message: Message): Answered {
  const excerpt = (message.subject ?? message.body).replaceAll(/\s+/g, ' ').trim().slice(0, EXCERPT_CHARS);
  return { id: message.id, from: message.from.id, excerpt, to: [...replyTargets(message)] };
}
