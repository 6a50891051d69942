/** What the composer may promise about a message: no more than the core does. Pure. */
import type { Agent, AgentStatus } from '#shared/agents/model.ts';
import { BROADCAST } from '#shared/messages/model.ts';
import { ownEntry } from '#shared/kernel/own-entry.ts';
import { namesOf, spanText } from './message-words.ts';

/** Agents that ask for their messages by themselves, now or when they are through with what they do. */
const ASKING: readonly AgentStatus[] = ['starting', 'idle', 'working', 'waiting'];

interface Addressed {
  /** Ids of agents, or `*`. */
  readonly to: readonly string[];
  readonly agents: Readonly<Record<string, Agent>>;
  /** How many agents everyone is. */
  readonly everyone: number;
  /** Milliseconds until it expires; null: never. */
  readonly ttlMs: number | null;
}

/** Says when the message reaches whom. Empty while it goes to nobody. */
export function deliveryPromise({ to, agents, everyone, ttlMs }: Addressed): string {
  if (to.length === 0) return '';
  const end = ttlMs === null ? '' : ` Whoever has not acknowledged it after ${spanText(ttlMs)} does not get it.`;
  if (to.includes(BROADCAST)) {
    const whom = everyone === 1 ? 'one agent' : `${everyone} agents`;
    return `Goes to ${whom}. Each gets it when it next asks for messages.${end}`;
  }
  const away = to.filter((id) => !ASKING.includes(ownEntry(agents, id)?.state.status ?? 'stopped'));
  if (away.length === 0) {
    const who = to.length === 1 ? namesOf(to) : `Each of ${namesOf(to)}`;
    return `${who} gets it when it next asks for messages; nothing is typed into a dialog.${end}`;
  }
  const [first] = away;
  const status = first === undefined ? undefined : ownEntry(agents, first)?.state.status;
  const why = away.length === 1 && status !== undefined ? `${namesOf(away)} is ${status}` : `${namesOf(away)} do not run`;
  return `${why}: the message waits in the inbox until then.${end}`;
}
