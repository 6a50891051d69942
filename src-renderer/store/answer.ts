/**
 * Answers to messages: whom they go to, what is kept of the message that is answered, and the one answer that a question
 * gets. Pure.
 */
import type { Message } from '#shared/messages/model.ts';
import { Address, OPERATOR } from '#shared/messages/model.ts';
import { optionsOf } from '#shared/messages/question.ts';
import type { Answered, OutgoingMessage, WrittenMessage } from './outgoing-message.ts';

/** So much of the answered message is shown above the answer, in characters. */
const EXCERPT_CHARS = 160;

/** Whom an answer of the operator to a message goes to: its sender, or those whom the operator wrote it to. */
export function replyTargets({ from, to, recipients }: Pick<Message, 'from' | 'to' | 'recipients'>): readonly string[] {
  if (from.kind === 'agent') return [from.id];
  if (from.kind === 'operator') return to;
  // A script's token has no inbox: the answer goes to the others whom it wrote to.
  return recipients.filter((recipient) => recipient !== OPERATOR);
}

/** What is kept of the message that is answered. */
export function answeredBy(message: Message): Answered {
  const excerpt = (message.subject ?? message.body).replaceAll(/\s+/g, ' ').trim().slice(0, EXCERPT_CHARS);
  return { id: message.id, from: message.from.id, excerpt, to: [...replyTargets(message)] };
}

/** What a message on its way answers. An older window kept only the id of it. */
export function answeredOf({ answered, inReplyTo, to }: OutgoingMessage): Answered | undefined {
  if (answered !== null) return answered;
  return inReplyTo === null ? undefined : { id: inReplyTo, from: to[0] ?? '', excerpt: 'an earlier message', to: [...to] };
}

/** The names among these that something can be sent to. */
export function addressesOf(names: readonly string[]): Address[] {
  return names.flatMap((name) => {
    const parsed = Address.safeParse(name);
    return parsed.success ? [parsed.data] : [];
  });
}

/**
 * The key of the answer to a question: one question, one answer. Given again it is the same one, and another one, given in
 * another window meanwhile, is refused by the core instead of stored as well.
 */
export function answerKey(messageId: string): string {
  return `answer-${messageId}`;
}

/** The operator's answer to a question, the same wherever in the window it is given. */
export function answerTo(question: Message, text: string): WrittenMessage {
  const body = text.trim();
  return {
    key: answerKey(question.id),
    to: addressesOf(replyTargets(question)),
    body,
    kind: 'reply',
    priority: question.priority,
    subject: null,
    data: optionsOf(question.data).includes(body) ? { option: body } : null,
    ttlMs: null,
    delayMs: null,
    replyWithinMs: null,
    inReplyTo: question.id,
    projectId: null,
    answered: answeredBy(question),
    files: [],
  };
}
