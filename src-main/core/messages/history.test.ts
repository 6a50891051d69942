/** The history against a model that filters an array: every filter, both directions, while messages go on arriving. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { AgentId, MessageId, mintId } from '#shared/kernel/ids.ts';
import type { ProjectId } from '#shared/kernel/ids.ts';
import type { Address, Delivery, Message } from '#shared/messages/model.ts';
import { MessageKind, PRIORITIES } from '#shared/messages/model.ts';
import type { HistoryFilter } from './history-filter.ts';
import type { HistoryArgs, HistoryPage } from './history-repository.ts';
import { historyPage, MAX_PAGE_DELIVERIES } from './history-repository.ts';
import { insertMessage } from './messages-repository.ts';
import type { TestMessages } from './testing/open-messages.ts';
import { agentCaller, openMessages, OPERATOR_CALLER } from './testing/open-messages.ts';

const AGENTS = ['a', 'b', 'c'] as const;
const NAMES = [...AGENTS, 'd', 'operator'] as const;
/** Messages of the random history. */
const STORED = 250;
/** More places than any stream of these tests has. */
const ALL = 100_000;

interface Known {
  readonly message: Message;
  readonly deliveries: readonly Delivery[];
}

let t: TestMessages;
let other: ProjectId;
let clock: { now: number };
/** Everything, oldest first. */
let known: Known[];

let seed = 20_261_121;

/** The same numbers in every run, from 0 to 1: mulberry32. */
function random(): number {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

const TOPICS = ['health.db', 'tasks'];

function pick<T>(items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

async function sendRandom(): Promise<MessageId> {
  const from = pick(NAMES);
  const to = from === 'd' ? ['operator', 'd'] : [...AGENTS, 'operator', '*', 'd'];
  const answered = random() < 0.3 ? known.at(-1)?.message : undefined;
  const mayAnswer = answered && (answered.from.id === from || answered.recipients.includes(from));
  const address = pick(to) as Address;
  // Who writes to another project publishes nothing there.
  const isWithin = from !== 'operator' && from !== 'd' && address !== 'd';
  const topic = isWithin && random() < 0.3 ? [pick(TOPICS)] : [];
  const { messageId } = await t.service.send(
    {
      to: [address, ...topic.map((name): Address => `topic:${name}`)],
      body: 'x',
      kind: pick(MessageKind.options),
      priority: pick(PRIORITIES),
      ...(random() < 0.3 ? { ttlMs: pick([1_000, 60_000]) } : {}),
      ...(mayAnswer ? { inReplyTo: answered.id } : {}),
    },
    from === 'operator' ? OPERATOR_CALLER : agentCaller(from),
  );
  return messageId;
}

async function learn(id: MessageId): Promise<Known> {
  return t.service.get({ id });
}

beforeAll(async () => {
  clock = { now: 1_800_000_000_000 };
  t = await openMessages({ now: () => clock.now });
  other = await t.addProject();
  for (const agent of AGENTS) t.addAgent(agent);
  t.addAgent('d', { projectId: other });
  known = [];
  for (let n = 0; n < STORED; n += 1) {
    clock.now += pick([0, 1, 400]);
    known.push(await learn(await sendRandom()));
    const reader = pick(NAMES);
    const caller = reader === 'operator' ? OPERATOR_CALLER : agentCaller(reader);
    if (random() < 0.3) await t.service.wait({ timeoutMs: 0, limit: 2 }, caller, new AbortController().signal);
    const mine = known.filter(({ message }) => message.recipients.includes(reader));
    if (mine.length > 0 && random() < 0.5) await t.service.markRead({ messageIds: [pick(mine).message.id] }, caller);
    await t.service.settle();
  }
  known = await Promise.all(known.map(({ message }) => learn(message.id)));
}, effort.roundsTimeoutMs);

afterAll(async () => {
  await t.dispose();
});

function page(args: HistoryArgs, scannedAtMost = ALL): HistoryPage {
  const found = t.test.store.peek((db) => historyPage(db, args, scannedAtMost));
  if (!found) throw new Error('the page begins nowhere');
  return found;
}

/** What the filters mean, in the words of the contract. */
function passes({ message, deliveries }: Known, f: HistoryFilter): boolean {
  const isIn = (delivery: Delivery): boolean =>
    f.state === undefined ||
    delivery.state === f.state ||
    (f.state === 'unsettled' && (delivery.state === 'queued' || delivery.state === 'delivered'));
  const asked = [f.to, f.forOperator === true ? 'operator' : undefined].filter((name) => name !== undefined);
  return (
    (f.projectId === undefined || message.projectId === f.projectId) &&
    (f.from === undefined || message.from.id === f.from) &&
    (f.participant === undefined || message.from.id === f.participant || message.recipients.includes(f.participant)) &&
    (f.kind === undefined || message.kind === f.kind) &&
    (f.priority === undefined || message.priority === f.priority) &&
    (f.topic === undefined || message.topic === f.topic) &&
    (f.threadId === undefined || message.threadId === f.threadId) &&
    (f.forOperator !== false || !message.recipients.includes('operator')) &&
    asked.every((name) => deliveries.some((delivery) => delivery.recipient === name && isIn(delivery))) &&
    (asked.length > 0 || deliveries.some(isIn))
  );
}

function idsOf(messages: readonly Message[]): string[] {
  return messages.map(({ id }) => id);
}

/** Everything that matches, page by page; ends at the first page that says so. */
function walk(
  filter: HistoryFilter,
  direction: 'older' | 'newer',
  start: MessageId,
  limit: number,
  scannedAtMost: number,
): string[] {
  const ids: string[] = [];
  for (let at: MessageId | null = start; at !== null;) {
    const found: HistoryPage = page({ ...filter, limit, [direction === 'older' ? 'before' : 'after']: at }, scannedAtMost);
    expect(found.messages.length).toBeLessThanOrEqual(limit);
    expect(found.hasMore).toBe(found[direction] !== null);
    ids.push(...idsOf(found.messages));
    at = found[direction];
  }
  return ids;
}

const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined, freq: 1 });
const filters = fc.nat({ max: STORED - 1 }).chain((at) =>
  fc.record({
    projectId: some(fc.constantFrom(0, 1)).map((which) => (which === undefined ? undefined : which === 0 ? t.projectId : other)),
    participant: some(fc.constantFrom(...NAMES)),
    from: some(fc.constantFrom(...NAMES)),
    to: some(fc.constantFrom(...NAMES)),
    forOperator: some(fc.boolean()),
    kind: some(fc.constantFrom(...MessageKind.options)),
    priority: some(fc.constantFrom(...PRIORITIES)),
    state: some(fc.constantFrom('queued' as const, 'delivered' as const, 'read' as const, 'dead' as const, 'unsettled' as const)),
    threadId: fc.option(
      fc.constant(null).map(() => known[at]?.message.threadId),
      { nil: undefined, freq: 8 },
    ),
    topic: some(fc.constantFrom(...TOPICS)),
  }),
);
/** One to three filters at once, mostly; what many of them leave is nearly nothing. */
const fewFilters = fc
  .tuple(
    filters,
    fc.shuffledSubarray(
      ['projectId', 'participant', 'from', 'to', 'forOperator', 'kind', 'priority', 'state', 'threadId', 'topic'] as const,
      { maxLength: 3 },
    ),
  )
  .map(([all, names]): HistoryFilter => Object.fromEntries(names.map((name) => [name, all[name]])));
const anyFilter = fc.oneof(
  { weight: 4, arbitrary: fewFilters },
  { weight: 1, arbitrary: filters as fc.Arbitrary<HistoryFilter> },
);

describe('history', () => {
  it('has something in every state to filter', () => {
    const states = new Set(known.flatMap(({ deliveries }) => deliveries.map(({ state }) => state)));
    expect([...states].sort()).toEqual(['dead', 'delivered', 'queued', 'read']);
  });

  it('is what filtering an array gives, for each filter and each pair of filters', () => {
    const values: readonly HistoryFilter[] = [
      ...[t.projectId, other].map((projectId) => ({ projectId })),
      ...NAMES.flatMap((name) => [{ participant: name }, { from: name }, { to: name }]),
      ...[true, false].map((forOperator) => ({ forOperator })),
      ...MessageKind.options.map((kind) => ({ kind })),
      ...PRIORITIES.map((priority) => ({ priority })),
      ...(['queued', 'delivered', 'read', 'dead', 'unsettled'] as const).map((state) => ({ state })),
      ...TOPICS.map((topic) => ({ topic })),
      ...known.slice(-2).map(({ message }) => ({ threadId: message.threadId })),
    ];
    for (const one of values) {
      for (const two of values) {
        const filter = { ...one, ...two };
        const expected = known.filter((each) => passes(each, filter)).map(({ message }) => message);
        expect(idsOf(page({ ...filter, limit: 500 }).messages), JSON.stringify(filter)).toEqual(idsOf(expected).toReversed());
      }
    }
  });

  it('is what filtering an array gives, in pages of any size, in both directions, however little each page looks at', () => {
    let matches = 0;
    fc.assert(
      fc.property(
        anyFilter,
        fc.nat({ max: STORED - 1 }),
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom(1, 7, 60, ALL),
        (filter, at, limit, scannedAtMost) => {
          const start = known[at]?.message.id;
          if (start === undefined) throw new Error('no start');
          const expected = (part: readonly Known[]) =>
            idsOf(part.filter((one) => passes(one, filter)).map(({ message }) => message));
          const older = expected(known.slice(0, at)).toReversed();
          const newer = expected(known.slice(at + 1));
          expect(walk(filter, 'older', start, limit, scannedAtMost)).toEqual(older);
          expect(walk(filter, 'newer', start, limit, scannedAtMost)).toEqual(newer);
          matches += older.length + newer.length;
        },
      ),
      { numRuns: effort.propertyRuns },
    );
    expect(matches).toBeGreaterThan(0);
  });

  it('begins at the newest, and each page carries the copies of its messages', () => {
    const { messages, deliveries, newer } = page({ limit: 40 });
    expect(idsOf(messages)).toEqual(idsOf(known.slice(-40).map(({ message }) => message)).toReversed());
    expect(deliveries).toEqual(
      known
        .slice(-40)
        .toReversed()
        .flatMap((one) => one.deliveries),
    );
    expect(newer).toBeNull();
  });

  it('is shown around a time: half from before it, half from then on', () => {
    fc.assert(
      fc.property(
        fewFilters,
        fc.nat({ max: STORED - 1 }),
        fc.constantFrom(-1, 0, 1),
        fc.integer({ min: 1, max: 30 }),
        (filter, at, off, limit) => {
          const around = (known[at]?.message.sentAt ?? 0) + off;
          const matching = known.filter((one) => passes(one, filter));
          const place = matching.findIndex(({ message }) => message.sentAt >= around);
          const before = place === -1 ? matching : matching.slice(0, place);
          const from = place === -1 ? [] : matching.slice(place, place + Math.ceil(limit / 2));
          const expected = [...before.slice(Math.max(0, before.length - (limit - from.length))), ...from];
          const found = page({ ...filter, around, limit });
          expect(idsOf(found.messages)).toEqual(idsOf(expected.map(({ message }) => message)).toReversed());
          const rest = [
            ...(found.older === null ? [] : walk(filter, 'older', found.older, limit, 7)).toReversed(),
            ...idsOf(found.messages).toReversed(),
            ...(found.newer === null ? [] : walk(filter, 'newer', found.newer, limit, 7)),
          ];
          expect(rest).toEqual(idsOf(matching.map(({ message }) => message)));
        },
      ),
      { numRuns: effort.propertyRuns },
    );
  });

  it('meets from both directions without gap or repetition while messages arrive', async () => {
    const oldest = known[0]?.message;
    const middle = page({ around: known[STORED / 2]?.message.sentAt, limit: 10 });
    const seen = idsOf(middle.messages).toReversed();
    const arrived: string[] = [];
    let { older, newer } = middle;
    while (older !== null || newer !== null) {
      if (arrived.length < 60) arrived.push(await sendRandom(), await sendRandom());
      if (older !== null) {
        const found = page({ before: older, limit: 9 });
        seen.unshift(...idsOf(found.messages).toReversed());
        older = found.older;
      }
      if (newer !== null) {
        const found = page({ after: newer, limit: 9 });
        seen.push(...idsOf(found.messages));
        newer = found.newer;
      }
    }
    // The last page that came empty-handed may be older than the last that arrived: whoever follows goes on from there.
    const last = MessageId.parse(seen.at(-1));
    seen.push(...idsOf(page({ after: last, limit: 500 }).messages));
    expect(seen[0]).toBe(oldest?.id);
    expect(seen).toEqual([...idsOf(known.map(({ message }) => message)), ...arrived]);
    known.push(...(await Promise.all(arrived.map((id) => learn(MessageId.parse(id))))));
  });

  it('ends a page before its copies are too many', async () => {
    const model = known[0]?.message;
    if (!model) throw new Error('no message');
    const recipients = Array.from({ length: MAX_PAGE_DELIVERIES / 2 - 1 }, (_, n) => `r${n}`);
    const ids = Array.from({ length: 3 }, () => mintId('msg') as MessageId);
    await t.test.store.write((tx) => {
      for (const id of ids)
        insertMessage(tx, {
          message: { ...model, id, threadId: id, recipients },
          dataText: null,
          idempotencyKey: null,
          ttlMs: null,
        });
    });
    const first = page({ limit: 3 });
    expect(idsOf(first.messages)).toEqual([ids[2], ids[1]]);
    expect(first.older).toBe(ids[1]);
    expect(idsOf(page({ limit: 1, before: ids[1] }).messages)).toEqual([ids[0]]);
    const around = page({ limit: 3, around: 0 });
    expect(around.messages.length).toBeGreaterThan(0);
  });

  it('begins at one place that is known', async () => {
    const id = MessageId.parse(mintId('msg'));
    await expect(t.service.list({ limit: 1, after: id })).rejects.toMatchObject({ code: 'NOT_FOUND', data: { field: 'after' } });
    await expect(t.service.list({ limit: 1, after: id, around: 1 })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(t.service.list({ limit: 1, from: AgentId.parse('nobody') })).resolves.toMatchObject({
      messages: [],
      hasMore: false,
    });
  });
});
