/**
 * The service against a model in arrays: random histories of sends (delayed, mortal, repeated, to a topic), subscribing and
 * unsubscribing, reads, waits, acknowledgements, leases that are extended, given back or end, cancelling, retrying, callers that
 * go away, time that passes, restarts and crashes. After every step the counts agree, after every history the tables do.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import type { TestTopics } from '#core/topics/testing/open-topics.ts';
import { openTopics } from '#core/topics/testing/open-topics.ts';
import { AgentId, MessageId, mintId } from '#shared/kernel/ids.ts';
import type { MessageKind, Priority } from '#shared/messages/model.ts';
import { DEFAULT_LEASE_MS, MessageKind as Kinds, PRIORITIES } from '#shared/messages/model.ts';
import type { Agent, ModelMessage } from './testing/messages-model.ts';
import { AGENTS, expectPage, giveBack, handOut, kill, Model, queued, RANDOM } from './testing/messages-model.ts';
import { countedTables } from './testing/counted-tables.ts';
import { agentCaller, OPERATOR_CALLER } from './testing/open-messages.ts';

/** The service; replaced by a restart. */
interface Real {
  open: TestTopics;
  readonly clock: { now: number };
}

/** In memory where there is such a place: what is compared here is what is stored, not whether the disk keeps it, and it goes ten times as fast. */
function newFolder(): string {
  return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'qd-store-'));
}

async function openAt(clock: Real['clock'], dir = newFolder()): Promise<TestTopics> {
  const open = await openTopics({
    now: () => clock.now,
    extend: async () => ({ random: () => RANDOM, fairAfterMs: Number.POSITIVE_INFINITY }),
    dir,
  });
  for (const agent of AGENTS) open.addAgent(agent);
  return open;
}

function checkCounts(model: Model, { open }: Real): void {
  for (const agent of AGENTS) {
    expect(open.service.unreadOf(agent)).toBe(model.inOrder(agent, ['queued', 'delivered']).length);
    const held = model
      .inOrder(agent, ['delivered'])
      .filter(({ message }) => message.kind === 'task' || message.kind === 'request');
    expect(open.service.heldBy(agent)).toBe(held.length);
  }
}

/** One step: does the same to both and compares what they answer. */
abstract class Step implements fc.AsyncCommand<Model, Real> {
  check(): boolean {
    return true;
  }
  async run(model: Model, real: Real): Promise<void> {
    await this.step(model, real);
    checkCounts(model, real);
  }
  abstract step(model: Model, real: Real): Promise<void>;
  toString(): string {
    return `${this.constructor.name} ${JSON.stringify(this)}`;
  }
}

class Send extends Step {
  readonly what: {
    from: Agent;
    to: string;
    kind: MessageKind;
    priority: Priority;
    body: string;
    key: string | undefined;
    ttlMs: number | undefined;
    delayMs: number | undefined;
  };
  constructor(what: Send['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, { open, clock }: Real): Promise<void> {
    const { from, to, kind, priority, body, key, ttlMs, delayMs } = this.what;
    const address = to === '*' || to === TOPIC ? to : AgentId.parse(to);
    const sending = open.service.send(
      {
        to: address,
        kind,
        priority,
        body,
        ...(key === undefined ? {} : { idempotencyKey: key }),
        ...(ttlMs === undefined ? {} : { ttlMs }),
        ...(delayMs === undefined ? {} : { delayMs }),
      },
      agentCaller(from),
    );
    const earlier =
      key === undefined ? undefined : model.messages.find((message) => message.from === from && message.key === key);
    if (earlier) {
      const isSame =
        earlier.to === to &&
        earlier.kind === kind &&
        earlier.priority === priority &&
        earlier.body === body &&
        earlier.ttlMs === ttlMs &&
        (earlier.delayMs === undefined) === (delayMs === undefined);
      if (isSame) expect(await sending).toMatchObject({ messageId: earlier.id, isDuplicate: true });
      else await expect(sending).rejects.toMatchObject({ code: 'CONFLICT' });
      return;
    }
    if (to === 'ghost') {
      await expect(sending).rejects.toMatchObject({ code: 'NOT_FOUND' });
      return;
    }
    const { messageId: id, recipients } = await sending;
    const isMany = to === '*' || to === TOPIC;
    const expected = AGENTS.filter((agent) =>
      isMany ? agent !== from && (to === '*' || model.subscribed.has(agent)) : agent === to,
    );
    expect(recipients.filter((recipient) => recipient !== 'operator')).toEqual(expected);
    const message = { id, ...this.what };
    model.messages.push(message);
    for (const agent of expected) model.inboxes[agent].push(queued(message, agent, clock.now));
    await model.serve(clock.now);
  }
}

/** To the topic, or to it no more. What was published before stays where it is. */
class Subscribe extends Step {
  readonly what: { agent: Agent; isOn: boolean };
  constructor(what: Subscribe['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, { open }: Real): Promise<void> {
    const { agent, isOn } = this.what;
    const had = model.subscribed.has(agent);
    const patterns = ['news.*'];
    const answer = isOn
      ? await open.topics.subscribe({ patterns }, agentCaller(agent))
      : await open.topics.unsubscribe({ patterns }, agentCaller(agent));
    expect(answer).toMatchObject({ patterns: isOn ? patterns : [], changed: had === isOn ? [] : patterns });
    if (isOn) model.subscribed.add(agent);
    else model.subscribed.delete(agent);
  }
}

class Read extends Step {
  readonly what: { agent: Agent; unreadOnly: boolean; limit: number };
  constructor(what: Read['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, { open, clock }: Real): Promise<void> {
    const { agent, unreadOnly, limit } = this.what;
    const page = await open.service.inbox({ unreadOnly, limit }, agentCaller(agent));
    const expected = model.inOrder(agent, unreadOnly ? ['queued', 'delivered'] : ['queued', 'delivered', 'read']).slice(0, limit);
    for (const delivery of expected) if (delivery.state === 'queued') handOut(delivery, clock.now, DEFAULT_LEASE_MS);
    expectPage(page, expected);
  }
}

class Wait extends Step {
  readonly what: { agent: Agent; limit: number; leaseMs: number | undefined };
  constructor(what: Wait['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, { open, clock }: Real): Promise<void> {
    const { agent, limit, leaseMs } = this.what;
    const gone = new AbortController();
    const before = open.service.waiting;
    const input = { timeoutMs: 55_000, limit, ...(leaseMs === undefined ? {} : { leaseMs }) };
    const outcome = open.service.wait(input, agentCaller(agent), gone.signal);
    const expected = model.take(agent, limit, clock.now, leaseMs);
    if (expected.length > 0) {
      expectPage(await outcome, expected);
      return;
    }
    // A restart rejects it; whoever awaits it then sees that.
    outcome.catch(() => undefined);
    model.waiters[agent].push({ limit, leaseMs, outcome, gone });
    expect(open.service.waiting).toBe(before + 1);
  }
}

class GoAway extends Step {
  readonly what: { agent: Agent };
  constructor(what: GoAway['what']) {
    super();
    this.what = what;
  }
  async step(model: Model): Promise<void> {
    const waiter = model.waiters[this.what.agent].shift();
    waiter?.gone.abort();
    if (waiter) expectPage(await waiter.outcome, []);
  }
}

class Acknowledge extends Step {
  /** Which of the agent's messages, by place; one too far stands for an id that is not there. */
  readonly what: { agent: Agent; places: readonly number[] };
  constructor(what: Acknowledge['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, { open }: Real): Promise<void> {
    const { agent, places } = this.what;
    const chosen = places.map((place) => model.inboxes[agent][place]);
    const messageIds = chosen.map((delivery) => delivery?.message.id ?? MessageId.parse(mintId('msg')));
    const marking = open.service.markRead({ messageIds }, agentCaller(agent));
    if (chosen.includes(undefined)) {
      await expect(marking).rejects.toMatchObject({ code: 'NOT_FOUND' });
      return;
    }
    const unread = new Set(chosen.filter((delivery) => delivery?.state !== 'read' && delivery?.state !== 'dead'));
    for (const delivery of unread) if (delivery) Object.assign(delivery, { state: 'read', leasedUntil: null, heldUntil: null });
    expect(await marking).toEqual({ marked: unread.size });
  }
}

/** Extends or gives back, by place in the inbox. */
class Hold extends Step {
  readonly what: { agent: Agent; places: readonly number[]; how: 'extend' | 'release'; ms: number };
  constructor(what: Hold['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, { open, clock }: Real): Promise<void> {
    const { agent, places, how, ms: forMs } = this.what;
    const chosen = new Set(places.flatMap((place) => model.inboxes[agent][place] ?? []));
    if (chosen.size === 0) return;
    const held = [...chosen].filter(({ state }) => state === 'delivered');
    const notHeld = [...chosen].filter(({ state }) => state !== 'delivered').map(({ message }) => message.id);
    const messageIds = [...chosen].map(({ message }) => message.id);
    if (how === 'extend') {
      const answer = await open.service.extend({ messageIds, leaseMs: forMs + 1_000 }, agentCaller(agent));
      for (const delivery of held) delivery.leasedUntil = clock.now + forMs + 1_000;
      expect(answer).toEqual({ extended: held.length, leasedUntil: clock.now + forMs + 1_000, notHeld });
    } else {
      const answer = await open.service.release({ messageIds, delayMs: forMs }, agentCaller(agent));
      for (const delivery of held) giveBack(delivery, forMs === 0 ? null : clock.now + forMs);
      expect(answer).toEqual({ released: held.length, notHeld });
      await model.serve(clock.now);
    }
  }
}

class Cancel extends Step {
  readonly what: { place: number };
  constructor(what: Cancel['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, { open, clock }: Real): Promise<void> {
    const message = model.messages[this.what.place];
    if (!message) return;
    const copies = AGENTS.flatMap((agent) => model.inboxes[agent].filter((delivery) => delivery.message === message));
    const holders = copies.filter(({ state }) => state === 'delivered').map(({ agent }) => agent);
    const { acknowledged } = await open.service.cancel({ id: message.id }, OPERATOR_CALLER);
    for (const copy of copies) if (copy.state === 'queued' || copy.state === 'delivered') kill(copy, 'cancelled');
    expect(acknowledged).toEqual(copies.filter(({ state }) => state === 'read').map(({ agent }) => agent));
    if (holders.length === 0) return;
    const told = (await open.service.list({ limit: holders.length })).messages.toReversed();
    expect(told.map(({ inReplyTo, recipients }) => [inReplyTo, recipients])).toEqual(
      holders.map((agent) => [message.id, [agent]]),
    );
    for (const [index, agent] of holders.entries()) {
      const { id, body } = told[index] ?? { id: message.id, body: '' };
      const rest = { key: undefined, ttlMs: undefined, delayMs: undefined };
      const event: ModelMessage = { id, from: 'core', to: agent, kind: 'event', priority: 'high', body, ...rest };
      model.messages.push(event);
      model.inboxes[agent].push(queued(event, agent, clock.now));
    }
    await model.serve(clock.now);
  }
}

class Retry extends Step {
  readonly what: { place: number; agent: Agent | undefined };
  constructor(what: Retry['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, { open, clock }: Real): Promise<void> {
    const message = model.messages[this.what.place];
    if (!message) return;
    const wanted = AGENTS.filter((agent) => this.what.agent === undefined || agent === this.what.agent);
    const recipients = this.what.agent === undefined ? {} : { recipients: wanted };
    const { retried } = await open.service.retry({ id: message.id, ...recipients }, OPERATOR_CALLER);
    const dead = wanted.flatMap((agent) =>
      model.inboxes[agent].filter((delivery) => delivery.message === message && delivery.state === 'dead'),
    );
    expect(retried.filter((recipient) => recipient !== 'operator')).toEqual(dead.map(({ agent }) => agent));
    for (const delivery of dead) Object.assign(delivery, { ...queued(message, delivery.agent, clock.now), heldUntil: null });
    await model.serve(clock.now);
  }
}

class Pass extends Step {
  readonly what: { ms: number };
  constructor(what: Pass['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, { open, clock }: Real): Promise<void> {
    clock.now += this.what.ms;
    model.settle(clock.now);
    await open.service.settle();
    await model.serve(clock.now);
  }
}

class Reopen extends Step {
  /** How long nobody ran. */
  readonly what: { ms: number };
  constructor(what: Reopen['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, real: Real, dir = real.open.test.dir): Promise<void> {
    await real.open.close();
    for (const agent of AGENTS) {
      for (const waiter of model.waiters[agent]) await expect(waiter.outcome).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      model.waiters[agent] = [];
    }
    real.clock.now += this.what.ms;
    real.open = await openAt(real.clock, dir);
    model.settle(real.clock.now);
    await real.open.service.settle();
  }
}

/** As `kill -9` leaves it: the files as they are, the log not written back; what is in memory is gone. */
class Crash extends Step {
  readonly what: { ms: number };
  constructor(what: Crash['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, real: Real): Promise<void> {
    const from = real.open.test.dir;
    const to = newFolder();
    for (const name of ['quarterdeck.db', 'quarterdeck.db-wal'])
      if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
    await new Reopen(this.what).step(model, real, to);
    rmSync(from, { recursive: true, force: true });
  }
}

async function checkTables(model: Model, real: Real): Promise<void> {
  const { open } = real;
  for (const projectId of [undefined, open.projectId]) {
    const { queues, ...counts } = await open.service.counts(projectId === undefined ? {} : { projectId });
    expect({ ...counts, queues: new Set(queues) }).toEqual(countedTables(open, projectId));
  }
  const { messages } = await open.service.list({ limit: 500 });
  expect(messages.map((message) => [message.id, message.from.id, message.body])).toEqual(
    model.messages.toReversed().map(({ id, from, body }) => [id, from, body]),
  );
  for (const agent of AGENTS) {
    const page = await open.test.store.read('messages.inbox', {
      recipient: agent,
      unreadOnly: false,
      limit: 500,
      expiredUntil: 0,
    });
    expectPage({ messages: page ?? [], unread: 0 }, model.inOrder(agent, ['queued', 'delivered', 'read']));
    const queue = await open.service.queues({ agentId: AgentId.parse(agent), limit: 200 });
    const unsettled = model.inboxes[agent].filter(({ state }) => state === 'queued' || state === 'delivered');
    expect(
      new Map(
        queue.deliveries.map((copy) => [copy.messageId, [copy.attempts, copy.leasedUntil, copy.availableAt > real.clock.now]]),
      ),
    ).toEqual(new Map(unsettled.map((copy) => [copy.message.id, [copy.attempts, copy.leasedUntil, copy.heldUntil !== null]])));
    const dead = model.inboxes[agent].filter(({ state }) => state === 'dead').toReversed();
    for (const reason of [undefined, 'cancelled'] as const) {
      const { deliveries } = await open.service.dead({ to: agent, limit: 500, reason });
      const wanted = dead.filter(({ deadReason }) => (reason === undefined) === (deadReason !== 'cancelled'));
      expect(deliveries.map(({ messageId, deadReason }) => [messageId, deadReason])).toEqual(
        wanted.map(({ message, deadReason }) => [message.id, deadReason]),
      );
    }
  }
}

const TOPIC = 'topic:news.today';

const agent = fc.constantFrom(...AGENTS);
const limit = fc.integer({ min: 1, max: 4 });
const send = fc
  .record({
    from: agent,
    to: fc.oneof(
      { weight: 8, arbitrary: agent },
      { weight: 2, arbitrary: fc.constant('*') },
      { weight: 2, arbitrary: fc.constant(TOPIC) },
      { weight: 1, arbitrary: fc.constant('ghost') },
    ),
    kind: fc.constantFrom(...Kinds.options),
    priority: fc.constantFrom(...PRIORITIES),
    body: fc.constantFrom('x', 'y'),
    key: fc.option(fc.constantFrom('k1', 'k2'), { nil: undefined, freq: 5 }),
    ttlMs: fc.option(fc.constantFrom(1_000, 5_000), { nil: undefined, freq: 2 }),
    delayMs: fc.option(fc.constantFrom(500, 900), { nil: undefined, freq: 2 }),
  })
  .map((what) => new Send(what));
const read = fc.record({ agent, unreadOnly: fc.boolean(), limit }).map((what) => new Read(what));
const leaseMs = fc.option(fc.constantFrom(1_000, 5_000), { nil: undefined, freq: 3 });
const wait = fc.record({ agent, limit, leaseMs }).map((what) => new Wait(what));
const goAway = fc.record({ agent }).map((what) => new GoAway(what));
const acknowledge = fc
  .record({ agent, places: fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 4 }) })
  .map((what) => new Acknowledge(what));
const ms = fc.constantFrom(0, 999, 1_000, 7_000);
const places = fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 3 });
const hold = fc
  .record({ agent, places, how: fc.constantFrom('extend' as const, 'release' as const), ms })
  .map((what) => new Hold(what));
const cancel = fc.record({ place: fc.nat({ max: 8 }) }).map((what) => new Cancel(what));
const retry = fc
  .record({ place: fc.nat({ max: 8 }), agent: fc.option(agent, { nil: undefined }) })
  .map((what) => new Retry(what));
const pass = ms.map((some) => new Pass({ ms: some }));
const reopen = ms.map((some) => new Reopen({ ms: some }));
const crash = ms.map((some) => new Crash({ ms: some }));
const subscribe = fc.record({ agent, isOn: fc.boolean() }).map((what) => new Subscribe(what));

const STEPS = [
  send,
  send,
  send,
  send,
  read,
  read,
  wait,
  wait,
  wait,
  goAway,
  acknowledge,
  acknowledge,
  hold,
  hold,
  cancel,
  retry,
  pass,
  pass,
  subscribe,
];

it(
  'behaves as the model does in every history',
  async () => {
    let [histories, steps] = [0, 0];
    // Its own number, so that it is known of a run that found nothing, too.
    const seed = Math.floor(Math.random() * 2 ** 31);
    await fc.assert(
      fc.asyncProperty(
        fc.commands([...STEPS, ...STEPS, reopen, crash], {
          // At least so many: opening a store costs as much as that.
          maxCommands: Math.max(90, effort.propertyCommands),
          size: 'max',
        }),
        withinTime(async (commands) => {
          const clock = { now: Date.now() };
          const real: Real = { open: await openAt(clock), clock };
          const model = new Model();
          try {
            await fc.asyncModelRun(() => ({ model, real }), commands);
            await checkTables(model, real);
            histories += 1;
            steps += [...commands].length;
          } finally {
            await real.open.dispose();
            await Promise.allSettled(AGENTS.flatMap((name) => model.waiters[name].map((waiter) => waiter.outcome)));
          }
        }, effort.roundsBudgetMs / 2),
      ),
      { numRuns: effort.propertyRuns, seed },
    );
    process.stdout.write(`messages, model: seed ${seed}, ${histories} histories of ${steps} steps\n`);
    expect(histories).toBeGreaterThanOrEqual(effort.leastRounds);
  },
  effort.roundsTimeoutMs,
);
