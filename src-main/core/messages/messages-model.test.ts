/**
 * The service against a model that fits on a page: random histories of sends, reads, waits, acknowledgements, callers that
 * go away, time that passes and restarts. After every step the counts agree, after every history the tables do.
 */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import * as z from 'zod';
import { effort, withinTime } from '#e2e/support/effort.ts';
import { AgentId, MessageId, mintId } from '#shared/kernel/ids.ts';
import type { DeliveryState, MessageKind, Priority } from '#shared/messages/model.ts';
import { MessageKind as Kinds, PRIORITIES } from '#shared/messages/model.ts';
import type { TestMessages } from './testing/open-messages.ts';
import { agentCaller, openMessages } from './testing/open-messages.ts';
import type { InboxPage } from './waiters.ts';

const AGENTS = ['a', 'b', 'c'] as const;
type Agent = (typeof AGENTS)[number];

interface ModelMessage {
  readonly id: MessageId;
  readonly from: Agent;
  readonly to: string;
  readonly kind: MessageKind;
  readonly priority: Priority;
  readonly body: string;
  readonly key: string | undefined;
  readonly ttlMs: number | undefined;
  readonly expiresAt: number;
}

interface ModelDelivery {
  readonly message: ModelMessage;
  state: DeliveryState;
}

interface ModelWaiter {
  readonly limit: number;
  readonly outcome: Promise<InboxPage>;
  readonly gone: AbortController;
}

/** What must be true, kept in arrays. */
class Model {
  readonly messages: ModelMessage[] = [];
  readonly inboxes: Readonly<Record<Agent, ModelDelivery[]>> = { a: [], b: [], c: [] };
  readonly waiters: Record<Agent, ModelWaiter[]> = { a: [], b: [], c: [] };

  /** In the order of an inbox: the sort is stable, and messages are added oldest first. */
  inOrder(agent: Agent, states: readonly DeliveryState[]): ModelDelivery[] {
    return this.inboxes[agent]
      .filter((delivery) => states.includes(delivery.state))
      .sort((x, y) => PRIORITIES.indexOf(x.message.priority) - PRIORITIES.indexOf(y.message.priority));
  }

  /** Lets die what is not acknowledged and has expired. */
  expire(now: number): void {
    for (const agent of AGENTS)
      for (const delivery of this.inboxes[agent])
        if (delivery.state !== 'read' && delivery.message.expiresAt <= now) delivery.state = 'dead';
  }

  take(agent: Agent, limit: number): string[] {
    const taken = this.inOrder(agent, ['queued']).slice(0, limit);
    for (const delivery of taken) delivery.state = 'delivered';
    return taken.map((delivery) => delivery.message.id);
  }
}

/** The service; replaced by a restart. */
interface Real {
  open: TestMessages;
  readonly clock: { now: number };
}

async function openAt(clock: Real['clock'], dir?: string): Promise<TestMessages> {
  const open = await openMessages({ now: () => clock.now, ...(dir === undefined ? {} : { dir }) });
  for (const agent of AGENTS) open.addAgent(agent);
  return open;
}

function idsOf(page: InboxPage): string[] {
  return page.messages.map((message) => message.id);
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
  };
  constructor(what: Send['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, { open, clock }: Real): Promise<void> {
    const { from, to, kind, priority, body, key, ttlMs } = this.what;
    const address = to === '*' ? to : AgentId.parse(to);
    const sending = open.service.send(
      {
        to: address,
        kind,
        priority,
        body,
        ...(key === undefined ? {} : { idempotencyKey: key }),
        ...(ttlMs === undefined ? {} : { ttlMs }),
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
        earlier.ttlMs === ttlMs;
      if (isSame) expect(await sending).toMatchObject({ messageId: earlier.id, isDuplicate: true });
      else await expect(sending).rejects.toMatchObject({ code: 'CONFLICT' });
      return;
    }
    if (to === 'ghost') {
      await expect(sending).rejects.toMatchObject({ code: 'NOT_FOUND' });
      return;
    }
    const { messageId: id, recipients } = await sending;
    const expected = AGENTS.filter((agent) => (to === '*' ? agent !== from : agent === to));
    expect(recipients.filter((recipient) => recipient !== 'operator')).toEqual(expected);
    const message = { id, ...this.what, expiresAt: clock.now + (ttlMs ?? Number.POSITIVE_INFINITY) };
    model.messages.push(message);
    for (const agent of expected) {
      model.inboxes[agent].push({ message, state: 'queued' });
      const waiter = model.waiters[agent].shift();
      if (waiter) expect(idsOf(await waiter.outcome)).toEqual(model.take(agent, waiter.limit));
    }
  }
}

class Read extends Step {
  readonly what: { agent: Agent; unreadOnly: boolean; limit: number };
  constructor(what: Read['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, { open }: Real): Promise<void> {
    const { agent, unreadOnly, limit } = this.what;
    const page = await open.service.inbox({ unreadOnly, limit }, agentCaller(agent));
    const expected = model.inOrder(agent, unreadOnly ? ['queued', 'delivered'] : ['queued', 'delivered', 'read']).slice(0, limit);
    for (const delivery of expected) if (delivery.state === 'queued') delivery.state = 'delivered';
    expect(page.messages.map((message) => [message.id, message.state])).toEqual(
      expected.map((delivery) => [delivery.message.id, delivery.state]),
    );
  }
}

class Wait extends Step {
  readonly what: { agent: Agent; limit: number };
  constructor(what: Wait['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, { open }: Real): Promise<void> {
    const { agent, limit } = this.what;
    const gone = new AbortController();
    const before = open.service.waiting;
    const outcome = open.service.wait({ timeoutMs: 55_000, limit }, agentCaller(agent), gone.signal);
    const expected = model.take(agent, limit);
    if (expected.length > 0) {
      expect(idsOf(await outcome)).toEqual(expected);
      return;
    }
    // A restart rejects it; whoever awaits it then sees that.
    outcome.catch(() => undefined);
    model.waiters[agent].push({ limit, outcome, gone });
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
    if (waiter) expect(idsOf(await waiter.outcome)).toEqual([]);
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
    for (const delivery of unread) if (delivery) delivery.state = 'read';
    expect(await marking).toEqual({ marked: unread.size });
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
    model.expire(clock.now);
    await open.service.settle();
  }
}

class Reopen extends Step {
  /** How long nobody ran. */
  readonly what: { ms: number };
  constructor(what: Reopen['what']) {
    super();
    this.what = what;
  }
  async step(model: Model, real: Real): Promise<void> {
    const dir = real.open.test.dir;
    await real.open.close();
    for (const agent of AGENTS) {
      for (const waiter of model.waiters[agent]) await expect(waiter.outcome).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      model.waiters[agent] = [];
    }
    real.clock.now += this.what.ms;
    real.open = await openAt(real.clock, dir);
    model.expire(real.clock.now);
    await real.open.service.settle();
  }
}

const One = z.object({ n: z.number() });

/** The counts by counting, from the tables. */
function countedTables({ open }: Real, projectId?: string) {
  return open.test.store.peek((db) => {
    const count = (sql: string, ...params: string[]): number =>
      One.parse(db.prepare(sql).get(...params, ...(projectId === undefined ? [] : [projectId]))).n;
    const project = (alias: string): string => (projectId === undefined ? '' : `AND ${alias}.project_id = ?`);
    const queues = db
      .prepare(
        `SELECT recipient, sum(delivered_at IS NULL AND held_until IS NULL) AS queued, min(iif(delivered_at IS NULL AND held_until IS NULL, message_seq, NULL)) AS first,
           sum(held_until IS NOT NULL) AS delayed, sum(held_until IS NULL) AS unread
         FROM deliveries d WHERE read_at IS NULL AND dead_at IS NULL ${project('d')} GROUP BY recipient`,
      )
      .all(...(projectId === undefined ? [] : [projectId]))
      .map((row) =>
        z
          .object({
            recipient: z.string(),
            queued: z.number(),
            delayed: z.number(),
            first: z.number().nullable(),
            unread: z.number(),
          })
          .parse(row),
      )
      .map(({ first, ...queue }) => ({
        ...queue,
        oldestQueuedAt:
          first === null ? null : One.parse(db.prepare('SELECT sent_at AS n FROM messages WHERE seq = ?').get(first)).n,
      }));
    return {
      total: count(`SELECT count(*) AS n FROM messages m WHERE true ${project('m')}`),
      requests: count(`SELECT count(*) AS n FROM messages m WHERE kind = 'request' ${project('m')}`),
      dead: count(`SELECT count(DISTINCT message_seq) AS n FROM deliveries d WHERE dead_at IS NOT NULL ${project('d')}`),
      forOperator: queues.find(({ recipient }) => recipient === 'operator')?.unread ?? 0,
      queues: new Set(queues),
    };
  });
}

async function checkTables(model: Model, real: Real): Promise<void> {
  const { open } = real;
  for (const projectId of [undefined, open.projectId]) {
    const { queues, ...counts } = await open.service.counts(projectId === undefined ? {} : { projectId });
    expect({ ...counts, queues: new Set(queues) }).toEqual(countedTables(real, projectId));
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
    const expected = model
      .inOrder(agent, ['queued', 'delivered', 'read'])
      .map((delivery) => [delivery.message.id, delivery.state]);
    expect(page?.map((message) => [message.id, message.state])).toEqual(expected);
  }
}

const agent = fc.constantFrom(...AGENTS);
const limit = fc.integer({ min: 1, max: 4 });
const send = fc
  .record({
    from: agent,
    to: fc.oneof(
      { weight: 8, arbitrary: agent },
      { weight: 2, arbitrary: fc.constant('*') },
      { weight: 1, arbitrary: fc.constant('ghost') },
    ),
    kind: fc.constantFrom(...Kinds.options),
    priority: fc.constantFrom(...PRIORITIES),
    body: fc.constantFrom('x', 'y'),
    key: fc.option(fc.constantFrom('k1', 'k2'), { nil: undefined, freq: 5 }),
    ttlMs: fc.option(fc.constantFrom(1_000, 5_000), { nil: undefined, freq: 2 }),
  })
  .map((what) => new Send(what));
const read = fc.record({ agent, unreadOnly: fc.boolean(), limit }).map((what) => new Read(what));
const wait = fc.record({ agent, limit }).map((what) => new Wait(what));
const goAway = fc.record({ agent }).map((what) => new GoAway(what));
const acknowledge = fc
  .record({ agent, places: fc.array(fc.nat({ max: 6 }), { minLength: 1, maxLength: 4 }) })
  .map((what) => new Acknowledge(what));
const ms = fc.constantFrom(0, 999, 1_000, 7_000);
const pass = ms.map((some) => new Pass({ ms: some }));
const reopen = ms.map((some) => new Reopen({ ms: some }));

it(
  'behaves as the model does in every history',
  async () => {
    let histories = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.commands([send, send, send, send, read, read, wait, wait, wait, goAway, acknowledge, acknowledge, pass, reopen], {
          maxCommands: effort.propertyCommands,
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
          } finally {
            await real.open.dispose();
            await Promise.allSettled(AGENTS.flatMap((name) => model.waiters[name].map((waiter) => waiter.outcome)));
          }
        }, effort.roundsBudgetMs),
      ),
      { numRuns: effort.propertyRuns },
    );
    expect(histories).toBeGreaterThanOrEqual(effort.leastRounds);
  },
  effort.roundsTimeoutMs,
);
