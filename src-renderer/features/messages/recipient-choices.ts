/** Whom the composer offers: agents, everybody, groups of agents, topics. Pure. */
import type { Agent } from '#shared/agents/model.ts';
import { Address, BROADCAST, groupOf, OPERATOR, TOPIC_PREFIX, topicOf } from '#shared/messages/model.ts';
import type { Topic } from '#shared/topics/model.ts';
import { isCoreTopic, TopicName } from '#shared/topics/model.ts';
import { nameOf } from './message-words.ts';

/** One that can be chosen. */
export interface RecipientChoice {
  readonly value: string;
  readonly text: string;
  readonly detail: string;
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`;
}

function tally(names: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** What is offered: everyone, each agent, what agents can do, what they were made from, and topics anybody may publish to. */
export function recipientChoices(
  agents: readonly Agent[],
  topics: readonly Pick<Topic, 'name' | 'subscribers'>[],
  chosen: readonly string[],
): RecipientChoice[] {
  const groups = (kind: 'capability' | 'template', names: readonly string[]): RecipientChoice[] =>
    tally(names).map(([name, count]) => {
      const value = `${kind}:${name}`;
      return { value, text: nameOf(value), detail: counted(count, 'agent') };
    });
  const offered: RecipientChoice[] = [
    { value: BROADCAST, text: 'everyone', detail: 'all agents of the project' },
    ...agents.map(({ id, state }) => ({ value: id as string, text: id as string, detail: state.status as string })),
    ...groups(
      'capability',
      agents.flatMap(({ config }) => [...new Set(config.capabilities)]),
    ),
    ...groups(
      'template',
      agents.flatMap(({ template }) => (template === null ? [] : [template])),
    ),
    ...topics
      .filter(({ name }) => !isCoreTopic(name))
      .map(({ name, subscribers }) => topicChoice(name, counted(subscribers.length, 'subscriber'))),
  ];
  const known = new Set(offered.map(({ value }) => value));
  const others = chosen.filter((address) => !known.has(address));
  return [...offered, ...others.map((value) => ({ value, text: nameOf(value), detail: '' }))];
}

/** The topic that somebody types the name of, to publish to it; undefined when it is no name, or the core's. */
export function typedTopic(typed: string): RecipientChoice | undefined {
  const name = typed.trim().replace(/^topic[: ]/, '');
  if (!TopicName.safeParse(name).success || isCoreTopic(name)) return undefined;
  return topicChoice(name, 'publish to it');
}

function topicChoice(name: string, detail: string): RecipientChoice {
  const value = `${TOPIC_PREFIX}${name}`;
  return { value, text: nameOf(value), detail };
}

/** Whether something can be sent there: an agent that is known, or an address that names a group or a topic. */
export function canBeChosen(address: string, isAgent: (id: string) => boolean): boolean {
  if (address === BROADCAST || isAgent(address)) return true;
  return (groupOf(address) !== undefined || topicOf(address) !== undefined) && Address.safeParse(address).success;
}

/** What is chosen after a change of the list: everyone stands alone, and a message has one topic. */
export function chosenAfter(before: readonly string[], values: readonly string[]): string[] {
  const added = values.find((value) => !before.includes(value));
  if (added === BROADCAST) return [BROADCAST];
  const isNewTopic = added !== undefined && topicOf(added) !== undefined;
  return values.filter((value) => value !== BROADCAST && (!isNewTopic || value === added || topicOf(value) === undefined));
}

/** Who is behind an address, as far as it is known; undefined for a topic that nothing was published to yet. */
export function membersOf(
  address: string,
  agents: readonly Agent[],
  topics: readonly Pick<Topic, 'name' | 'subscribers'>[],
): readonly string[] | undefined {
  const topic = topicOf(address);
  if (topic !== undefined)
    return topics.find(({ name }) => name === topic)?.subscribers.filter((subscriber) => subscriber !== OPERATOR);
  const group = groupOf(address);
  if (group === undefined) return [address];
  return agents
    .filter(({ config, template }) =>
      group.kind === 'template' ? template === group.name : config.capabilities.includes(group.name),
    )
    .map(({ id }) => id);
}
