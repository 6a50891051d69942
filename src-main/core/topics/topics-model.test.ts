/** Model-based: random histories of subscribing, publishing, removing and restarting go as a list of patterns says. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Message } from '#shared/messages/model.ts';
import { agentCaller, OPERATOR_CALLER } from '#core/messages/testing/open-messages.ts';
import { effort, withinTime } from '#e2e/support/effort.ts';
import type { TestTopics } from './testing/open-topics.ts';
import { openTopics } from './testing/open-topics.ts';

const AGENTS = ['ada', 'ben', 'cleo'] as const;
const EVERYBODY = [...AGENTS, 'operator'] as const;
type Who = (typeof EVERYBODY)[number];

interface Model {
  readonly patterns: Map<Who, Set<string>>;
  readonly removed: Set<Who>;
  readonly inboxes: Map<Who, string[]>;
  readonly counts: Map<string, number>;
}
interface Real {
  open: TestTopics;
}

const callerOf = (who: Who) => (who === 'operator' ? OPERATOR_CALLER : agentCaller(who));

/** Matching by a regular expression: another way than the one that is tested. */
function has(pattern: string, topic: string): boolean {
  const words = pattern.split('.').map((word) => (word === '#' ? '(?:\\.[^.]+)*' : word === '*' ? '\\.[^.]+' : `\\.${word}`));
  return new RegExp(`^${words.join('')}$`).test(`.${topic}`);
}

abstract class Step implements fc.AsyncCommand<Model, Real> {
  check(): boolean {
    return true;
  }
  abstract run(model: Model, real: Real): Promise<void>;
  toString(): string {
    return `${this.constructor.name} ${JSON.stringify(this)}`;
  }
}

class Subscribe extends Step {
  readonly who: Who;
  readonly patterns: string[];
  constructor({ who, patterns }: { who: Who; patterns: string[] }) {
    super();
    this.who = who;
    this.patterns = patterns;
  }
  async run(model: Model, { open }: Real): Promise<void> {
    const call = open.topics.subscribe({ patterns: this.patterns }, callerOf(this.who));
    if (model.removed.has(this.who)) {
      await expect(call).rejects.toMatchObject({ code: 'NOT_FOUND' });
      return;
    }
    const own = model.patterns.get(this.who) ?? new Set();
    model.patterns.set(this.who, own);
    const changed = [...new Set(this.patterns)].filter((pattern) => !own.has(pattern));
    for (const pattern of changed) own.add(pattern);
    expect(await call).toMatchObject({ patterns: [...own].sort(), changed });
  }
}

class Unsubscribe extends Step {
  readonly who: Who;
  readonly patterns: string[] | undefined;
  constructor({ who, patterns }: { who: Who; patterns: string[] | undefined }) {
    super();
    this.who = who;
    this.patterns = patterns;
  }
  async run(model: Model, { open }: Real): Promise<void> {
    const call = open.topics.unsubscribe(this.patterns === undefined ? {} : { patterns: this.patterns }, callerOf(this.who));
    if (model.removed.has(this.who)) {
      await expect(call).rejects.toMatchObject({ code: 'NOT_FOUND' });
      return;
    }
    const own = model.patterns.get(this.who) ?? new Set();
    for (const pattern of this.patterns ?? [...own]) own.delete(pattern);
    expect((await call).patterns).toEqual([...own].sort());
  }
}

class Publish extends Step {
  readonly who: Who;
  readonly topic: string;
  constructor({ who, topic }: { who: Who; topic: string }) {
    super();
    this.who = who;
    this.topic = topic;
  }
  async run(model: Model, { open }: Real): Promise<void> {
    const call = open.service.send(
      { to: `topic:${this.topic}`, body: this.topic, kind: 'note', priority: 'normal' },
      callerOf(this.who),
    );
    if (model.removed.has(this.who)) {
      await expect(call).rejects.toMatchObject({ code: 'FORBIDDEN' });
      return;
    }
    const reached = EVERYBODY.filter(
      (who) =>
        who !== this.who &&
        !model.removed.has(who) &&
        [...(model.patterns.get(who) ?? [])].some((pattern) => has(pattern, this.topic)),
    );
    const sent = await call;
    expect(sent.recipients).toEqual([...reached].sort());
    for (const who of reached) model.inboxes.set(who, [...(model.inboxes.get(who) ?? []), sent.messageId]);
    model.counts.set(this.topic, (model.counts.get(this.topic) ?? 0) + 1);
  }
}

class Remove extends Step {
  readonly who: Who;
  /** Whether the core ends before it has ended the subscriptions. */
  readonly isCutOff: boolean;
  constructor({ who, isCutOff }: { who: Who; isCutOff: boolean }) {
    super();
    this.who = who;
    this.isCutOff = isCutOff;
  }
  async run(model: Model, { open }: Real): Promise<void> {
    const agent = open.agents.get(this.who);
    if (!agent) return;
    open.agents.set(this.who, { ...agent, isRemoved: true });
    model.removed.add(this.who);
    model.patterns.delete(this.who);
    if (!this.isCutOff) await open.topics.forgetRemoved(this.who);
  }
}

class Restart extends Step {
  async run(_model: Model, real: Real): Promise<void> {
    const { agents, test } = real.open;
    await real.open.close();
    real.open = await openTopics({ dir: test.dir, agents });
    await real.open.topics.forgetRemoved();
  }
}

async function checkAll(model: Model, { open }: Real): Promise<void> {
  const { topics, subscriptions } = await open.topics.list({ limit: 500 }, OPERATOR_CALLER);
  expect(topics.map(({ name, messages }) => [name, messages])).toEqual([...model.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  expect(subscriptions.map(({ subscriber, pattern }) => `${subscriber} ${pattern}`)).toEqual(
    EVERYBODY.flatMap((who) => [...(model.patterns.get(who) ?? [])].sort().map((pattern) => `${who} ${pattern}`)),
  );
  for (const who of EVERYBODY) {
    const { messages } = await open.service.list({ to: who, limit: 500 });
    expect([who, messages.toReversed().map((message: Message) => message.id)]).toEqual([who, model.inboxes.get(who) ?? []]);
  }
}

const word = fc.constantFrom('a', 'b');
const topic = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join('.'));
const pattern = fc
  .array(fc.oneof(word, fc.constantFrom('*', '#')), { minLength: 1, maxLength: 4 })
  .map((words) => words.join('.'));
const patterns = fc.array(pattern, { minLength: 1, maxLength: 3 });
const who = fc.constantFrom(...EVERYBODY);
const publish = fc.record({ who, topic }).map((what) => new Publish(what));
const subscribe = fc.record({ who, patterns }).map((what) => new Subscribe(what));
const unsubscribe = fc
  .record({ who, patterns: fc.option(patterns, { nil: undefined, freq: 4 }) })
  .map((what) => new Unsubscribe(what));
const remove = fc.record({ who: fc.constantFrom(...AGENTS), isCutOff: fc.boolean() }).map((what) => new Remove(what));
const restart = fc.constant(new Restart());

it(
  'goes as the model says in every history',
  async () => {
    let histories = 0;
    const seed = Math.floor(Math.random() * 2 ** 31);
    await fc.assert(
      fc.asyncProperty(
        fc.commands([publish, publish, publish, publish, subscribe, subscribe, subscribe, unsubscribe, remove, restart], {
          maxCommands: effort.propertyCommands,
          size: 'max',
        }),
        withinTime(async (commands) => {
          const real: Real = { open: await openTopics() };
          for (const name of AGENTS) real.open.addAgent(name);
          const model: Model = { patterns: new Map(), removed: new Set(), inboxes: new Map(), counts: new Map() };
          try {
            await fc.asyncModelRun(() => ({ model, real }), commands);
            await checkAll(model, real);
            histories += 1;
          } finally {
            await real.open.dispose();
          }
        }, effort.roundsBudgetMs / 3),
      ),
      { numRuns: effort.propertyRuns, seed },
    );
    process.stdout.write(`topics, model: seed ${seed}, ${histories} histories\n`);
    expect(histories).toBeGreaterThanOrEqual(effort.leastRounds);
  },
  effort.roundsTimeoutMs,
);
