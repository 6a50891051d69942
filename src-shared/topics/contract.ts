/** Procedures about topics. Whose subscriptions they are comes from the token. Publishing is `send_message` to "topic:<name>". */
import * as z from 'zod';
import { AgentId, ProjectId } from '#shared/kernel/ids.ts';
import { command, procedure, query } from '#shared/kernel/procedure.ts';
import { MAX_SUBSCRIPTIONS, Subscription, Topic, TopicName, TopicPattern } from './model.ts';

/** Most patterns in one call. */
const MAX_PATTERNS = 50;

const Whose = {
  agentId: AgentId.optional().describe("Management only: the subscriptions of this agent instead of the operator's"),
  projectId: ProjectId.optional().describe("Only for the operator's own, when more than one project is open"),
};

const Standing = z.object({
  projectId: ProjectId,
  subscriber: z.string(),
  patterns: z.array(z.string()).describe('All that stands now'),
  changed: z.array(z.string()).describe('What this call added or took away'),
});

/** Procedures about topics. */
export const topicsContract = {
  subscribe: procedure(command('subscribe_topics', 'LOW', { audience: 'both', toolset: 'agent-core' }), {
    method: 'POST',
    path: '/topics:subscribe',
    summary: 'Subscribe to topics',
    description: `Subscribes to topics of your project: from now on what is published to them comes to your inbox, once per message, also while you are stopped. In a pattern * stands for exactly one word and # for none or more: "health.*", "tasks.#". "agents.#" tells who joins, leaves, and changes state or capabilities. To publish, call send_message with to "topic:<name>". At most ${MAX_SUBSCRIPTIONS} subscriptions each; they last until unsubscribe_topics.`,
  })
    .input(
      z.strictObject({
        patterns: z.array(TopicPattern).min(1).max(MAX_PATTERNS),
        ...Whose,
      }),
    )
    .output(Standing),

  unsubscribe: procedure(command('unsubscribe_topics', 'LOW', { audience: 'both', toolset: 'agent-core' }), {
    method: 'POST',
    path: '/topics:unsubscribe',
    summary: 'Unsubscribe from topics',
    description:
      'Ends subscriptions, each named by the pattern it was made with; without patterns all of yours end. A pattern that is not subscribed changes nothing. What is in the inbox already stays there.',
  })
    .input(
      z.strictObject({
        patterns: z.array(TopicPattern).min(1).max(MAX_SUBSCRIPTIONS).optional().describe('Left out: all'),
        ...Whose,
      }),
    )
    .output(Standing),

  list: procedure(query('list_topics', 'agent-core', 'both'), {
    method: 'GET',
    path: '/topics',
    summary: 'List topics and subscriptions',
    description:
      'Lists the topics of a project that something was published to, by name, each with how many messages, the last one and who would get the next; and on the first page the subscriptions. A topic need not be made: publishing to it is enough.',
  })
    .input(
      z.strictObject({
        projectId: ProjectId.optional().describe('Management only, when more than one project is open'),
        pattern: TopicPattern.optional().describe('Only topics that this pattern has'),
        subscriber: z.string().max(64).optional().describe('Only what this agent (or "operator") gets or asks for'),
        limit: z.number().int().min(1).max(500).default(100),
        after: TopicName.optional().describe('What the page before said in "next"'),
      }),
    )
    .output(
      z.object({
        topics: z.array(Topic),
        next: TopicName.nullable().describe(
          'State it in "after" for more; null when there are none. A page may end before its limit',
        ),
        subscriptions: z.array(Subscription).describe('By subscriber and pattern; at most 1000, and none on later pages'),
        subscriptionCount: z.number().int().describe('How many there are in all'),
      }),
    ),
};
