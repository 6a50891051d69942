/** What the composer may promise about a message: no more than the core does. Pure. */
import type { Agent, AgentStatus } from '#shared/agents/model.ts';
import { BROADCAST } from '#shared/messages/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import { namesOf, spanText } from './message-words.ts';

/** Agents that ask for their messages by themselves, now or when they are through with what they do. */
const ASKING: readonly AgentStatus[] = ['starting', 'idle', 'working', 'waiting'];

interface Addressed {
  /** Ids of agents, groups, a topic, or `*`. */
  readonly to: readonly string[];
  readonly agents: Readonly<Record<string, Agent>>;
  /** How many agents everyone is. */
  readonly everyone: number;
  /** Milliseconds until it expires; null: never. */
  readonly ttlMs: number | null;
  /** Milliseconds until it is handed out; null: at once. */
  readonly delayMs: number | null;
  /** Milliseconds until an answer is wanted; null: no deadline. */
  readonly replyWithinMs: number | null;
  /** Who is behind a group or a topic; undefined when it is not known. */
  readonly membersOf: (address: string) => readonly string[] | undefined;
}

/** Says when the message reaches whom. Empty while it goes to nobody. */
export function deliveryPromise(addressed: Addressed): string {
  return addressed.to.length === 0 ? '' : `${whenText(addressed)}${endText(addressed)}`;
}

function whenText({ to, agents, everyone, delayMs, membersOf }: Addressed): string {
  const later = delayMs === null ? '' : ` Nobody is handed it in the next ${spanText(delayMs)}.`;
  if (to.includes(BROADCAST)) {
    const whom = everyone === 1 ? 'one agent' : `${everyone} agents`;
    return `Goes to ${whom}. Each gets it when it next asks for messages.${later}`;
  }
  const groups = to.filter((address) => address.includes(':'));
  if (groups.length > 0) {
    const open = groups.filter((address) => membersOf(address) === undefined);
    const all = [...new Set(to.flatMap((address) => membersOf(address) ?? []))];
    const whom = all.length === 0 ? '' : `Goes to ${all.length === 1 ? '' : `${all.length} agents: `}${namesOf(all, 4)}.`;
    const unknown = open.length === 0 ? '' : `Nothing was published on ${namesOf(open)} yet: whoever subscribed to it gets it.`;
    const text = [whom, unknown].filter((part) => part !== '').join(' ');
    if (text === '') return `Nobody is behind ${namesOf(groups)} at present.`;
    return `${text}${later}`;
  }
  const away = to.filter((id) => !ASKING.includes(ownEntry(agents, id)?.state.status ?? 'stopped'));
  if (away.length === 0) {
    const who = to.length === 1 ? namesOf(to) : `Each of ${namesOf(to)}`;
    return `${who} gets it when it next asks for messages; nothing is typed into a dialog.${later}`;
  }
  const [first] = away;
  const status = first === undefined ? undefined : ownEntry(agents, first)?.state.status;
  const why = away.length === 1 && status !== undefined ? `${namesOf(away)} is ${status}` : `${namesOf(away)} do not run`;
  return `${why}: the message waits in the inbox until then.${later}`;
}

function endText({ ttlMs, replyWithinMs }: Addressed): string {
  const end = ttlMs === null ? '' : ` Whoever has not acknowledged it after ${spanText(ttlMs)} does not get it.`;
  return replyWithinMs === null ? end : `${end} You are told when no answer came within ${spanText(replyWithinMs)}.`;
}
