/** A queue in words: how full it is, and where each message in it stands. Pure. */
import { clockTime } from '#renderer/ui/format-time.ts';
import type { Delivery, QueueInspection } from '#shared/messages/model.ts';
import { deliveryStepOf } from '#shared/messages/model.ts';

/** Characters as a size: "812", "12 K", "3.4 M". */
export function charsText(chars: number): string {
  if (chars < 1_000) return String(chars);
  if (chars < 1_000_000) return `${Math.round(chars / 1_000)} K`;
  return `${(chars / 1_000_000).toFixed(1)} M`;
}

/** How full a queue is, against what it may hold. */
export function fillText({ counts, chars, limits }: Pick<QueueInspection, 'counts' | 'chars' | 'limits'>): string {
  const messages = (counts.unread + counts.delayed).toLocaleString('en-GB');
  return `${messages} of ${limits.messages.toLocaleString('en-GB')} messages, ${charsText(chars)} of ${charsText(limits.chars)} characters`;
}

/** How much of what a queue may hold is taken, from 0 to 1: of messages or characters, whichever is fuller. */
export function fillOf({ counts, chars, limits }: Pick<QueueInspection, 'counts' | 'chars' | 'limits'>): number {
  return Math.min(1, Math.max((counts.unread + counts.delayed) / limits.messages, chars / limits.chars));
}

/** Where a copy in a queue stands at a time. `isNext`: nothing that is to be handed out stands before it. */
export function standText(copy: Delivery, now: number, isNext: boolean): string {
  const step = deliveryStepOf(copy, now);
  if (step === 'leased' && copy.leasedUntil !== null) return `has it until ${clockTime(copy.leasedUntil)}`;
  if (step === 'delivered') return 'seen, not acknowledged';
  if (copy.availableAt > now) return `held back until ${clockTime(copy.availableAt)}`;
  return isNext ? 'next' : 'queued';
}

/** Whether a copy is the next that is handed out, or might be: queued, and its time has come. */
export function isReady(copy: Delivery, now: number): boolean {
  return deliveryStepOf(copy, now) === 'queued' && copy.availableAt <= now;
}
