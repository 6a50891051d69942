/** `topics`: what was published to, who subscribed to what, and one's own subscriptions. */
import type { Command } from 'commander';
import * as z from 'zod';
import { TopicPattern } from '#shared/topics/model.ts';
import type { CommandHost, Invocation } from '../command.ts';
import { addCommand, flag } from '../command.ts';
import { usageError } from '../cli-error.ts';
import type { CoreClient } from '../core-connection.ts';
import { wholeNumber } from '../option-schemas.ts';
import type { Output } from '../output.ts';
import { oneLine, shorten } from '../output.ts';
import { clockTime } from '../times.ts';
import { agentId } from './agents.ts';
import { projectChoice } from './project-choice.ts';

const ListOptions = z.object({
  pattern: z.string().optional(),
  agent: z.string().optional(),
  project: z.string().optional(),
  after: z.string().optional(),
  limit: wholeNumber(1, 500).default(100),
});
const OwnOptions = ListOptions.pick({ agent: true, project: true });

type Page = Awaited<ReturnType<CoreClient['topics']['list']>>;
type Standing = Awaited<ReturnType<CoreClient['topics']['subscribe']>>;

/** A pattern from the command line. */
function patternOf(text: string): TopicPattern {
  const pattern = TopicPattern.safeParse(text);
  if (!pattern.success) throw usageError(`"${text}" ${pattern.error.issues[0]?.message ?? 'is no pattern'}.`);
  return pattern.data;
}

function printPage(out: Output, { topics, next, subscriptions, subscriptionCount }: Page): void {
  out.table(
    ['TOPIC', 'MESSAGES', 'LAST', 'FROM', 'WHAT', 'SUBSCRIBERS'],
    topics.map((topic) => [
      { text: topic.name, style: 'strong' },
      String(topic.messages),
      clockTime(topic.lastAt),
      topic.last?.from ?? '',
      shorten(oneLine(topic.last?.subject ?? topic.last?.excerpt ?? ''), 60),
      topic.subscribers.join(', '),
    ]),
    'Nothing was published yet. Publish with `quarterdeck send topic:<name> "…"`.',
  );
  if (next !== null) out.note(`There are more: --after ${next}`);
  if (subscriptions.length === 0) return;
  out.line();
  out.table(
    ['SUBSCRIBER', 'PATTERN', 'SINCE'],
    subscriptions.map(({ subscriber, pattern, subscribedAt }) => [subscriber, pattern, clockTime(subscribedAt)]),
    '',
  );
  if (subscriptionCount > subscriptions.length)
    out.note(`${subscriptionCount} subscriptions in all; --agent shows those of one.`);
}

async function list(call: Invocation<z.infer<typeof ListOptions>>): Promise<void> {
  const { options: o, out } = call;
  await call.withCore(async (client) => {
    const page = await client.topics.list({
      limit: o.limit,
      ...(o.pattern === undefined ? {} : { pattern: patternOf(o.pattern) }),
      ...(o.agent === undefined ? {} : { subscriber: o.agent }),
      ...(o.after === undefined ? {} : { after: o.after }),
      ...(o.project === undefined ? {} : { projectId: await projectChoice(client, o.project, call.io.cwd) }),
    });
    out.result(page, () => printPage(out, page));
  });
}

/** A change of subscriptions: the operator's own, or those of an agent. */
function change(
  make: (client: CoreClient, input: Parameters<CoreClient['topics']['subscribe']>[0]) => Promise<Standing>,
): (call: Invocation<z.infer<typeof OwnOptions>>) => Promise<void> {
  return async (call) => {
    const { options: o, out } = call;
    const patterns = call.args.map(patternOf);
    await call.withCore(async (client) => {
      const standing = await make(client, {
        patterns,
        ...(o.agent === undefined ? {} : { agentId: agentId(o.agent) }),
        ...(o.project === undefined ? {} : { projectId: await projectChoice(client, o.project, call.io.cwd) }),
      });
      out.result(standing, () =>
        out.line(`${standing.subscriber} is subscribed to ${standing.patterns.join(', ') || 'nothing'}.`),
      );
    });
  };
}

/** Adds `topics`, `topics subscribe` and `topics unsubscribe`. */
export function addTopicCommands(program: Command, host: CommandHost): void {
  const project = flag('--project <folder or id>', 'of this project (default: the one opened last)');
  const topics = addCommand(program, host, {
    usage: 'topics',
    summary: 'Topics with what was published last, and who subscribed to what',
    examples: [
      ['quarterdeck topics --pattern "health.*"', 'only those that the pattern has'],
      ['quarterdeck topics subscribe "agents.#"', 'tells you in your inbox who joins, leaves and changes state'],
      ['quarterdeck send topic:health.db "slow again"', 'publishes'],
    ],
    flags: [
      flag('--pattern <pattern>', 'only topics that it has: * is one word, # none or more'),
      flag('--agent <id>', 'only what this agent, or "operator", gets and asks for'),
      project,
      flag('--after <name>', 'what comes after this topic'),
      flag('--limit <number>', 'at most this many (default 100)'),
    ],
    options: ListOptions,
    run: list,
  });
  const flags = [flag('--agent <id>', 'of this agent instead of your own'), project];
  addCommand(topics, host, {
    usage: 'subscribe <patterns...>',
    summary: 'Have what is published come to your inbox',
    examples: [['quarterdeck topics subscribe "tasks.#" --agent w1', 'everything under tasks, for an agent']],
    flags,
    options: OwnOptions,
    run: change((client, input) => client.topics.subscribe(input)),
  });
  addCommand(topics, host, {
    usage: 'unsubscribe [patterns...]',
    summary: 'End subscriptions, each by its pattern; all when none is named',
    flags,
    options: OwnOptions,
    run: change((client, { patterns, ...whose }) =>
      client.topics.unsubscribe(patterns.length === 0 ? whose : { ...whose, patterns }),
    ),
  });
}
