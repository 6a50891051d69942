/** What is known of a run of messages beyond each of them. Pure. */
import type { Message } from '#shared/messages/model.ts';

/** What the rows of a run say about one another. */
export function threadFacts(messages: readonly Message[]): {
  readonly byId: ReadonlyMap<string, Message>;
  readonly repliedAt: ReadonlyMap<string, number>;
} {
  const repliedAt = new Map<string, number>();
  for (const { kind, inReplyTo, sentAt } of messages)
    if (kind === 'reply' && inReplyTo !== null && !repliedAt.has(inReplyTo)) repliedAt.set(inReplyTo, sentAt);
  return { byId: new Map(messages.map((message) => [message.id, message])), repliedAt };
}

/** Where in a run another day begins. */
export function dayStartsOf(messages: readonly Message[]): ReadonlySet<number> {
  const starts = new Set<number>();
  let day = '';
  for (const [index, { sentAt }] of messages.entries()) {
    const its = new Date(sentAt).toDateString();
    if (its !== day) starts.add(index);
    day = its;
  }
  return starts;
}
