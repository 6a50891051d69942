/**
 * Topics: names that messages are published to, and patterns by which agents and the operator subscribe to them.
 * A name is words joined by dots ("health.db"). In a pattern `*` stands for exactly one word and `#` for none or more, anywhere,
 * as in AMQP's topic exchanges: "health.*" has "health.db" and not "health"; "tasks.#" has "tasks" and "tasks.build.web".
 */
import * as z from 'zod';
import { MessageId, ProjectId } from '#shared/kernel/ids.ts';

/** Most words in a name or a pattern. */
export const MAX_TOPIC_WORDS = 10;
/** Longest name or pattern, in characters. */
export const MAX_TOPIC_CHARS = 128;
/** Most subscriptions of one subscriber in one project: each is a pattern, and one pattern may stand for any number of topics. */
export const MAX_SUBSCRIPTIONS = 200;

/** The wildcard for exactly one word. */
export const ANY_WORD = '*';
/** The wildcard for none or more words. */
export const ANY_WORDS = '#';

/** The words of a name or a pattern. */
export function wordsOf(text: string): string[] {
  return text.split('.');
}

const WORD = '[a-z0-9_-]+';
const FORM = `at most ${MAX_TOPIC_WORDS} words of a-z, 0-9, underscore and hyphen, joined by dots`;

/** What is made of such words. */
function joinedByDots(word: string): RegExp {
  return new RegExp(`^${word}(?:\\.${word}){0,${MAX_TOPIC_WORDS - 1}}$`);
}

/** The name of a topic. */
export const TopicName = z
  .string()
  .max(MAX_TOPIC_CHARS)
  .regex(joinedByDots(WORD), `must be a topic's name such as "health.db": ${FORM}; wildcards are for subscriptions`)
  .describe('A topic\'s name, for example "health.db"');
/** The name of a topic. */
export type TopicName = z.infer<typeof TopicName>;

/** What a subscription asks for. */
export const TopicPattern = z
  .string()
  .max(MAX_TOPIC_CHARS)
  .regex(
    joinedByDots(`(?:${WORD}|\\*|#)`),
    `must be a topic's name or a pattern such as "health.*" or "tasks.#": ${FORM}, where * stands for one word and # for none or more`,
  )
  .describe('A topic\'s name, or a pattern: * stands for exactly one word, # for none or more ("health.*", "tasks.#")');
/** What a subscription asks for. */
export type TopicPattern = z.infer<typeof TopicPattern>;

/** First words of topics that only the core publishes to: what is said there is evidence, not somebody's claim. */
export const CORE_TOPICS = ['agents', 'system'] as const;

/** Whether only the core publishes to a topic. */
export function isCoreTopic(name: string): boolean {
  const [first = ''] = wordsOf(name);
  return (CORE_TOPICS as readonly string[]).includes(first);
}

/** Topics on which the core says what becomes of a project's agents; the data of each message is a `PresenceData`. */
export const PRESENCE_TOPICS = {
  /** An agent was made. `to` is its state. */
  joined: 'agents.joined',
  /** An agent was removed. `from` is the state it was last in. */
  left: 'agents.left',
  /** Its state changed, from one to another; what lay between within a quarter of a second is left out. */
  state: 'agents.state',
  /** Its capabilities changed: all before, all now. */
  capabilities: 'agents.capabilities',
} as const;

/** What a message about an agent's presence carries as `data`. */
export const PresenceData = z.object({
  agentId: z.string(),
  from: z.union([z.string(), z.array(z.string())]).nullable(),
  to: z.union([z.string(), z.array(z.string())]).nullable(),
  /** When it happened, in milliseconds since 1970. */
  at: z.number().int(),
});
/** What a message about an agent's presence carries as `data`. */
export type PresenceData = z.infer<typeof PresenceData>;

/** A subscription, as it stands. */
export const Subscription = z.object({
  projectId: ProjectId,
  /** An agent's id, or "operator". */
  subscriber: z.string(),
  pattern: z.string(),
  subscribedAt: z.number().int(),
});
/** A subscription. */
export type Subscription = z.infer<typeof Subscription>;

/** A topic that something was published to. */
export const Topic = z.object({
  projectId: ProjectId,
  name: z.string(),
  /** Messages ever published to it. */
  messages: z.number().int(),
  firstAt: z.number().int(),
  lastAt: z.number().int(),
  /** The message published last; null when it is kept no more. */
  last: z
    .object({ id: MessageId, from: z.string(), kind: z.string(), subject: z.string().nullable(), excerpt: z.string() })
    .nullable(),
  /** Who would get the next message: subscribers with a pattern that has this name, each once, by id. */
  subscribers: z.array(z.string()),
});
/** A topic that something was published to. */
export type Topic = z.infer<typeof Topic>;
