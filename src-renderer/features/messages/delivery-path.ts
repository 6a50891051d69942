/** The way of one copy of a message, as steps with times. Pure. */
import { clockTime } from '#renderer/ui/format-time.ts';
import type { Delivery } from '#shared/messages/model.ts';
import { deliveryStepOf, MAX_ATTEMPTS } from '#shared/messages/model.ts';

/** One step of a copy's path, for the list of steps. */
export interface PathStep {
  readonly name:
    | 'queued'
    | 'held back'
    | 'delivered'
    | 'leased'
    | 'queued again'
    | 'acknowledged'
    | 'expired'
    | 'cancelled'
    | 'dead';
  /** now: where it stands, and goes on from. */
  readonly state: 'done' | 'now' | 'open' | 'failed';
  /** When it was, in milliseconds since the epoch; null when it was not, or is not known. */
  readonly at: number | null;
  /** What more there is to say: until when, how often, why. */
  readonly note: string | undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  expired: 'its time was up',
  cancelled: 'taken back before it was acknowledged',
  attempts: `handed out ${MAX_ATTEMPTS} times, never acknowledged`,
  'recipient-removed': 'the agent was removed',
  retention: 'deleted with old messages',
  imported: 'imported, so handed to nobody',
};

/** Why a copy died, as half a sentence. A reason that is not known here is said as it stands. */
export function reasonText(reason: string | null): string {
  return reason === null ? 'not delivered' : (REASONS[reason] ?? reason);
}

/** The path of a copy at a time: the steps that were done, where it stands, and those that are ahead of it. */
export function pathOf(copy: Delivery, now: number): readonly PathStep[] {
  const { attempts, availableAt, deliveredAt, leasedUntil } = copy;
  const stands = deliveryStepOf(copy, now);
  const wasHandedOut = attempts > 0 || deliveredAt !== null;
  const queued: PathStep = { name: 'queued', state: 'done', at: copy.queuedAt === 0 ? null : copy.queuedAt, note: undefined };
  const times = attempts > 1 ? `${attempts} of ${MAX_ATTEMPTS} times` : undefined;
  const delivered: PathStep = { name: 'delivered', state: 'done', at: deliveredAt, note: times };
  const ahead = (name: 'delivered' | 'acknowledged'): PathStep => ({ name, state: 'open', at: null, note: undefined });
  switch (stands) {
    case 'acknowledged':
      return [queued, delivered, { name: 'acknowledged', state: 'done', at: copy.readAt, note: undefined }];
    case 'expired':
    case 'dead': {
      const name = stands === 'dead' && copy.deadReason === 'cancelled' ? 'cancelled' : stands;
      const end: PathStep = { name, state: 'failed', at: copy.deadAt, note: reasonText(copy.deadReason) };
      return [queued, ...(wasHandedOut ? [delivered] : []), end];
    }
    case 'delivered':
      return [queued, delivered, ahead('acknowledged')];
    case 'leased':
      return [
        queued,
        delivered,
        { name: 'leased', state: 'now', at: null, note: leasedUntil === null ? undefined : `until ${clockTime(leasedUntil)}` },
        ahead('acknowledged'),
      ];
    case 'queued': {
      const isLater = availableAt > now;
      if (!wasHandedOut) {
        const held: PathStep = { name: 'held back', state: 'now', at: null, note: `until ${clockTime(availableAt)}` };
        return [queued, ...(isLater ? [held] : []), ahead('delivered'), ahead('acknowledged')];
      }
      const note = isLater ? `handed out from ${clockTime(availableAt)} on` : 'handed out when it next asks';
      return [queued, delivered, { name: 'queued again', state: 'now', at: null, note }, ahead('acknowledged')];
    }
  }
}

/** The recipients whose copies are neither acknowledged nor dead. Of whom nothing is known is not among them. */
export function openRecipients(recipients: readonly string[], copyOf: (recipient: string) => Delivery | undefined): string[] {
  return recipients.filter((recipient) => {
    const state = copyOf(recipient)?.state;
    return state === 'queued' || state === 'delivered';
  });
}
