/** Messages with copies that died, as a list shows them. Pure. */
import type { Delivery, Message } from '#shared/messages/model.ts';

/** A message with its dead copies: at least one. */
export interface DeadLetter {
  readonly message: Message;
  readonly copies: readonly Delivery[];
  /** When the last of them died, in milliseconds since the epoch. */
  readonly diedAt: number;
  /** What that one died of. */
  readonly reason: string | null;
}

/** Puts messages and their dead copies together, in the order of the messages. */
export function deadLettersOf(messages: readonly Message[], deliveries: readonly Delivery[]): DeadLetter[] {
  const copies = new Map<string, Delivery[]>();
  for (const delivery of deliveries) {
    if (delivery.state === 'dead') copies.set(delivery.messageId, [...(copies.get(delivery.messageId) ?? []), delivery]);
  }
  return messages.flatMap((message) => {
    const its = copies.get(message.id) ?? [];
    const [last] = its.toSorted((a, b) => (b.deadAt ?? 0) - (a.deadAt ?? 0));
    if (last === undefined) return [];
    return [{ message, copies: its, diedAt: last.deadAt ?? message.sentAt, reason: last.deadReason }];
  });
}

/** "One dead letter is", "12 dead letters are". */
export function tallyText(count: number): string {
  return count === 1 ? 'One dead letter is' : `${count.toLocaleString('en-GB')} dead letters are`;
}
