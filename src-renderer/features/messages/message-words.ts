/** Messages in words: who, what for, where its copies stand. Pure. */
import { clockTime, shortDuration } from '#renderer/ui/format-time.ts';
import type { Copies } from '#renderer/store/message-filter.ts';
import type { AgentStatus } from '#shared/agents/model.ts';
import type { Delivery, DeliveryState, Message } from '#shared/messages/model.ts';
import { BROADCAST, OPERATOR } from '#shared/messages/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';

/** A participant as the operator reads it. */
export function nameOf(participant: string): string {
  if (participant === OPERATOR) return 'you';
  const colon = participant.indexOf(':');
  // Groups and topics: "capability:api" is said "capability api".
  if (colon > 0) return `${participant.slice(0, colon)} ${participant.slice(colon + 1)}`;
  return participant === BROADCAST ? 'everyone' : participant;
}

/** Some names in a line: "ada", "ada and ben", "ada, ben and 3 more". */
export function namesOf(participants: readonly string[], most = 3): string {
  const names = participants.map(nameOf);
  const shown = names.length > most ? [...names.slice(0, most - 1), `${names.length - most + 1} more`] : names;
  const last = shown.at(-1) ?? 'nobody';
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(', ')} and ${last}`;
}

/** A time since a message was sent: "0.3s", "41.0s", "6m 20s". */
export function tookText(ms: number): string {
  return ms < 60_000 ? `${(Math.max(0, ms) / 1_000).toFixed(1)}s` : shortDuration(ms);
}

/** A span in its largest unit, as it is said in a sentence: "30 s", "10 min", "2 h", "1 d". */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 36 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

/** Whether an agent asked the operator something: what is to be answered in amber, as long as it is not dealt with. */
export function isQuestion(message: Pick<Message, 'from' | 'kind' | 'recipients'>): boolean {
  return (
    message.from.kind === 'agent' &&
    (message.kind === 'request' || message.kind === 'task') &&
    message.recipients.includes(OPERATOR)
  );
}

/** What a message is for, beside its route. */
export function kindText(message: Message): string {
  const { kind, to, recipients } = message;
  if (kind === 'request') return isQuestion(message) ? 'question' : 'request';
  if (kind !== 'note') return kind;
  if (message.topic !== null) return `published to ${recipients.length}`;
  if (to.includes(BROADCAST) || recipients.length > 1) return `broadcast to ${recipients.length}`;
  return 'direct';
}

/** Where a message stands, in two lines. */
export interface DeliveryLook {
  readonly tone: 'quiet' | 'dead' | 'needs';
  readonly icon: 'queued' | 'delivered' | 'acknowledged' | 'dead' | 'needs' | 'unknown';
  readonly words: string;
  /** The steps on the way, as short texts; empty when there is nothing more to say. */
  readonly steps: readonly string[];
}

/** What is known about a message beyond its copies. */
export interface DeliveryFacts {
  /** When the first reply to it was sent; undefined when none is known. */
  readonly repliedAt: number | undefined;
  /** It waits in the operator's inbox. */
  readonly isForYou: boolean;
  /** It is a question to the operator, and somebody waits for the answer. */
  readonly isAwaited: boolean;
  /** The state of its one recipient, when that is an agent. */
  readonly status: AgentStatus | undefined;
  /** In milliseconds since the epoch; matters to what is held back only. */
  readonly now: number;
}

/** Sums up the copies of a message. What is not known is not guessed: such a message is "stored". */
export function deliveryLook(message: Message, copies: Copies | undefined, facts: DeliveryFacts): DeliveryLook {
  const { recipients, sentAt } = message;
  if (recipients.length === 0) return { tone: 'quiet', icon: 'unknown', words: 'nobody there', steps: [] };
  const known = recipients.flatMap((recipient) => ownEntry(copies ?? {}, recipient) ?? []);
  const count = (state: DeliveryState): number => known.filter((copy) => copy.state === state).length;
  const total = recipients.length;
  const [only] = known;
  if (count('dead') > 0) return deadLook(message, known);
  if (facts.isAwaited) {
    return {
      tone: 'needs',
      icon: 'needs',
      words: 'waiting for you',
      steps: facts.status === 'waiting' ? ['agent is waiting'] : [],
    };
  }
  if (facts.repliedAt !== undefined) {
    const words = `replied in ${tookText(facts.repliedAt - sentAt)}`;
    return { tone: 'quiet', icon: 'acknowledged', words, steps: total === 1 ? stepsOf(message, only) : [] };
  }
  if (count('read') > 0) {
    const isAll = count('read') === total;
    const words = total === 1 ? `acknowledged${tryText(only)}` : `acknowledged ${count('read')} of ${total}`;
    const others = [
      count('delivered') > 0 ? `${count('delivered')} delivered` : '',
      count('queued') > 0 ? `${count('queued')} queued` : '',
    ];
    const steps = total === 1 ? stepsOf(message, only) : isAll ? slowest(message, known) : others.filter((text) => text !== '');
    return { tone: 'quiet', icon: isAll ? 'acknowledged' : 'delivered', words, steps };
  }
  if (known.length < total) return { tone: 'quiet', icon: 'unknown', words: 'stored', steps: [] };
  if (facts.isForYou) return { tone: 'quiet', icon: 'queued', words: 'unread', steps: [] };
  if (count('queued') > 0) {
    if (total === 1 && only !== undefined && only.attempts > 0) {
      const steps = [`handed out ${only.attempts === 1 ? 'once' : `${only.attempts} times`}`, ...expiry(message)];
      return { tone: 'quiet', icon: 'queued', words: 'queued again', steps };
    }
    if (message.notBefore !== null && message.notBefore > facts.now) {
      const steps = [`from ${clockTime(message.notBefore)} on`, ...expiry(message)];
      return { tone: 'quiet', icon: 'queued', words: 'held back', steps };
    }
    const state = total === 1 && facts.status !== undefined ? `, agent is ${facts.status}` : '';
    const some = total === 1 || count('queued') === total ? 'queued' : `queued for ${count('queued')} of ${total}`;
    return { tone: 'quiet', icon: 'queued', words: `${some}${state}`, steps: expiry(message) };
  }
  const steps = [...(total === 1 ? stepsOf(message, only) : []), ...expiry(message)];
  return { tone: 'quiet', icon: 'delivered', words: `delivered${total === 1 ? tryText(only) : ''}`, steps };
}

/** Which try it was, when it was not the first. */
function tryText(copy: Delivery | undefined): string {
  return copy === undefined || copy.attempts < 2 ? '' : `, try ${copy.attempts}`;
}

/** What a copy died of, in a word or two; the panel says more. */
const DEATHS: Readonly<Record<string, string>> = { attempts: 'not acknowledged', 'recipient-removed': 'agent removed' };

function deadLook(message: Message, known: readonly Delivery[]): DeliveryLook {
  const dead = known.filter(({ state }) => state === 'dead');
  const [first] = dead;
  const reason = DEATHS[first?.deadReason ?? ''] ?? first?.deadReason ?? 'not delivered';
  const after = first?.deadAt === null || first === undefined ? [] : [`after ${spanText(first.deadAt - message.sentAt)}`];
  const read = known.filter(({ state }) => state === 'read').length;
  const total = message.recipients.length;
  if (dead.every(({ deadReason }) => deadReason === 'cancelled')) {
    const words = total === 1 ? 'taken back' : `taken back from ${dead.length} of ${total}`;
    return { tone: 'quiet', icon: 'dead', words, steps: [...after, ...(read > 0 ? [`acknowledged ${read}`] : [])] };
  }
  return {
    tone: 'dead',
    icon: 'dead',
    words: total === 1 ? `dead: ${reason}` : `${dead.length} of ${total} dead: ${reason}`,
    steps: [
      ...(first !== undefined && first.deliveredAt !== null && total === 1
        ? [`delivered +${tookText(first.deliveredAt - message.sentAt)}`]
        : []),
      ...after,
      ...(read > 0 ? [`acknowledged ${read}`] : []),
    ],
  };
}

function stepsOf({ sentAt }: Message, copy: Delivery | undefined): string[] {
  if (copy === undefined) return [];
  return [
    ...(copy.deliveredAt === null ? [] : [`delivered +${tookText(copy.deliveredAt - sentAt)}`]),
    ...(copy.readAt === null ? [] : [`ack +${tookText(copy.readAt - sentAt)}`]),
  ];
}

function slowest({ sentAt }: Message, known: readonly Delivery[]): string[] {
  const times = known.flatMap(({ readAt }) => (readAt === null ? [] : [readAt - sentAt]));
  return times.length < known.length ? [] : [`slowest ${tookText(Math.max(...times))}`];
}

function expiry({ expiresAt }: Message): string[] {
  return expiresAt === null ? [] : [`expires ${clockTime(expiresAt)}`];
}
