import type { DeliveryState, Message } from '#shared/messages/model.ts';
import { OPERATOR } from '#shared/messages/model.ts';

/** Where a message stands with its recipients, in a few words. */
export interface DeliveryLook {
  readonly icon: 'queued' | 'delivered' | 'acknowledged' | 'unknown';
  readonly words: string;
}

/** Sums up the copies of a message. What is not known is not guessed: such a message is "stored". */
export function deliveryLook(message: Message, states: Readonly<Record<string, DeliveryState>> | undefined): DeliveryLook {
  const { recipients } = message;
  if (recipients.length === 0) return { icon: 'unknown', words: 'nobody there' };
  const known = recipients.flatMap((recipient) => states?.[recipient] ?? []);
  const count = (state: DeliveryState): number => known.filter((one) => one === state).length;
  const of = recipients.length === 1 ? '' : ` ${count('read')} of ${recipients.length}`;
  if (count('read') === recipients.length) return { icon: 'acknowledged', words: `acknowledged${of}` };
  if (recipients.length > 1 && count('read') > 0) return { icon: 'delivered', words: `acknowledged${of}` };
  if (known.length < recipients.length) return { icon: 'unknown', words: 'stored' };
  if (count('queued') > 0) return { icon: 'queued', words: 'queued' };
  return { icon: 'delivered', words: 'delivered' };
}

/** A participant as the operator reads it. */
export function nameOf(participant: string): string {
  if (participant === OPERATOR) return 'you';
  return participant === '*' ? 'everybody' : participant;
}
