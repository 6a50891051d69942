import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { TopicName, TopicPattern } from '#shared/topics/model.ts';
import { effort } from '#e2e/support/effort.ts';
import { TopicMatcher } from './topic-matcher.ts';

/** The meaning of patterns, said in the shortest way. */
function matches(pattern: readonly string[], name: readonly string[]): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return name.length === 0;
  if (first === '#') return matches(rest, name) || (name.length > 0 && matches(pattern, name.slice(1)));
  return name.length > 0 && (first === '*' || first === name[0]) && matches(rest, name.slice(1));
}

function ownersOf(patterns: ReadonlyMap<string, ReadonlySet<string>>, name: string): string[] {
  return [...patterns]
    .filter(([, owned]) => [...owned].some((pattern) => matches(pattern.split('.'), name.split('.'))))
    .map(([owner]) => owner)
    .sort();
}

const word = fc.constantFrom('a', 'b', 'c-1');
const name = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join('.'));
const pattern = fc
  .array(fc.oneof({ weight: 3, arbitrary: word }, { weight: 2, arbitrary: fc.constantFrom('*', '#') }), {
    minLength: 1,
    maxLength: 6,
  })
  .map((words) => words.join('.'));
const owner = fc.constantFrom('ada', 'ben', 'operator');

describe('the names that a pattern has', () => {
  it.each([
    ['health.db', ['health.db'], ['health', 'health.db.slow', 'health.dbs']],
    ['health.*', ['health.db'], ['health', 'health.db.slow', 'tasks.db']],
    ['*.db', ['health.db'], ['db', 'a.health.db']],
    ['tasks.#', ['tasks', 'tasks.build', 'tasks.build.web'], ['task', 'all.tasks']],
    ['#', ['a', 'a.b.c'], []],
    ['#.failed', ['failed', 'tasks.failed', 'tasks.build.failed'], ['failed.tasks', 'failed.failed.x']],
    ['a.#.z', ['a.z', 'a.b.z', 'a.b.c.z', 'a.z.z'], ['a', 'z', 'a.z.b']],
    ['#.a.#', ['a', 'x.a', 'a.x', 'x.a.x'], ['x', 'x.y']],
    ['*.#', ['a', 'a.b'], []],
    ['*.*', ['a.b'], ['a', 'a.b.c']],
  ])('%s', (text, has, hasNot) => {
    const matcher = new TopicMatcher();
    expect(matcher.add(TopicPattern.parse(text), 'ada')).toBe(true);
    expect(has.filter((topic) => matcher.match(TopicName.parse(topic)).length === 0)).toEqual([]);
    expect(hasNot.filter((topic) => matcher.match(TopicName.parse(topic)).length > 0)).toEqual([]);
  });
});

it('finds what the meaning says, whatever was added and taken away, and keeps nothing that nobody needs', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ isAdded: fc.boolean(), owner, pattern }), { maxLength: 40 }),
      fc.array(name, { minLength: 1, maxLength: 10 }),
      (steps, names) => {
        const matcher = new TopicMatcher();
        const model = new Map<string, Set<string>>();
        for (const step of steps) {
          const owned = model.get(step.owner) ?? new Set();
          model.set(step.owner, owned);
          expect(step.isAdded ? matcher.add(step.pattern, step.owner) : matcher.remove(step.pattern, step.owner)).toBe(
            step.isAdded !== owned.has(step.pattern),
          );
          if (step.isAdded) owned.add(step.pattern);
          else owned.delete(step.pattern);
        }
        for (const topic of names) expect([topic, matcher.match(topic)]).toEqual([topic, ownersOf(model, topic)]);
        for (const [who, owned] of model) for (const left of owned) expect(matcher.remove(left, who)).toBe(true);
        expect(matcher.size).toBe(0);
      },
    ),
    { numRuns: effort.propertyRuns * 10 },
  );
});

describe('looking up a name', () => {
  /** How often a match looks into a node: what it costs, whatever the machine is busy with. */
  function looksFor(matcher: TopicMatcher, name: string): number {
    const get = vi.spyOn(Map.prototype, 'get');
    try {
      matcher.match(name);
      return get.mock.calls.length;
    } finally {
      get.mockRestore();
    }
  }

  it('costs no more with thousands of subscriptions', () => {
    const matcher = new TopicMatcher();
    for (let i = 0; i < 10_000; i += 1) matcher.add(`tasks.area-${i % 200}.*.step-${i}`, `agent-${i}`);
    expect(matcher.match('tasks.area-7.x.step-207')).toEqual(['agent-207']);
    // Four words, each looked for as itself, as * and as #.
    expect(looksFor(matcher, 'tasks.area-7.x.step-207')).toBeLessThan(20);
  });

  it('costs little with patterns that are made to be slow', () => {
    const matcher = new TopicMatcher();
    for (const slow of ['#.a.#.a.#.a.#.a.#.b', '#.#.#.#.#.#.#.#.#.b', '*.#.*.#.*.#.*.#.*.b']) matcher.add(slow, 'slow');
    expect(matcher.match('a.a.a.a.a.a.a.a.a.a')).toEqual([]);
    expect(matcher.match('a.a.a.a.a.a.a.a.a.b')).toEqual(['slow']);
    // Trying every way to share ten words out would take tens of thousands.
    expect(looksFor(matcher, 'a.a.a.a.a.a.a.a.a.b')).toBeLessThan(1_500);
  });
});

describe('what is no name or pattern', () => {
  it.each(['', '.', 'a.', '.a', 'a..b', 'A', 'a b', 'ä', 'a.*', '#', Array(11).fill('a').join('.'), 'a'.repeat(129)])(
    'is said of the name %j',
    (text) => expect(TopicName.safeParse(text).success).toBe(false),
  );

  it.each(['', '*.', 'a.**', 'a*', '#a', 'a.#b', Array(11).fill('#').join('.')])('is said of the pattern %j', (text) =>
    expect(TopicPattern.safeParse(text).success).toBe(false),
  );

  it('with what is allowed', () => {
    expect(TopicName.safeParse('health.*').error?.issues[0]?.message).toMatch(/"health.db".*at most 10 words.*wildcards/);
    expect(TopicPattern.safeParse('Health').error?.issues[0]?.message).toMatch(/"tasks.#".*\* stands for one word/);
  });
});
