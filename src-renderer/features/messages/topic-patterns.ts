/** Patterns of subscriptions against names of topics, by the rules of src-shared/topics/model.ts. Pure. */
import type { Subscription, Topic } from '#shared/topics/model.ts';
import { ANY_WORD, ANY_WORDS, TopicPattern, wordsOf } from '#shared/topics/model.ts';

/** Whether a pattern has a topic. */
export function hasTopic(pattern: string, name: string): boolean {
  return matches(wordsOf(pattern), wordsOf(name));
}

function matches(pattern: readonly string[], name: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return name.length === 0;
  // At most ten words on either side: trying all ways costs nothing.
  if (first === ANY_WORDS) return name.some((_word, at) => matches(rest, name.slice(at))) || matches(rest, []);
  return name.length > 0 && (first === ANY_WORD || first === name[0]) && matches(rest, name.slice(1));
}

/** Who gets what is published to a topic, each with the patterns by which: by name. */
export function subscribersOf(
  { name, subscribers }: Pick<Topic, 'name' | 'subscribers'>,
  subscriptions: readonly Subscription[],
): { readonly subscriber: string; readonly patterns: readonly string[] }[] {
  return subscribers.map((subscriber) => ({
    subscriber,
    patterns: subscriptions
      .filter((each) => each.subscriber === subscriber && hasTopic(each.pattern, name))
      .map(({ pattern }) => pattern),
  }));
}

/** What is wrong with a pattern that is typed, and how to put it right; undefined when nothing is. */
export function patternProblem(text: string): string | undefined {
  if (TopicPattern.safeParse(text).success) return undefined;
  return 'Words of a-z, 0-9, _ and -, joined by dots. * stands for one word, # for none or more: health.*, tasks.#';
}
