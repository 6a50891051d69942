import { afterEach, describe, expect, it, vi } from 'vitest';
import { Emitter } from '#shared/kernel/emitter.ts';
import type { FollowItem, JournalEvent } from '#shared/journal/model.ts';
import type { DeliveryChange, FollowSource } from './follow.ts';
import { follow } from './follow.ts';

/** A journal in memory: the last `kept` events are recent, all are in the database. */
class FakeJournal implements FollowSource {
  readonly committed = new Emitter<void>();
  readonly deliveries = new Emitter<readonly DeliveryChange[]>();
  followers = 0;
  databaseReads = 0;
  last = 0;
  /** Numbers whose data was erased. */
  readonly erased = new Set<number>();
  readonly #kept: number;

  constructor(kept: number) {
    this.#kept = kept;
  }

  commit(count: number): void {
    this.last += count;
    this.committed.fire();
  }

  seq(): number {
    return this.last;
  }

  recentAfter(seq: number, limit: number): readonly JournalEvent[] | undefined {
    return seq < this.last - this.#kept ? undefined : this.#events(seq, limit);
  }

  readAfter(seq: number, limit: number): Promise<{ events: readonly JournalEvent[]; lastSeq: number }> {
    this.databaseReads += 1;
    const events = this.#events(seq, limit);
    return Promise.resolve({ events: events.filter((event) => !this.erased.has(event.seq)), lastSeq: events.at(-1)?.seq ?? seq });
  }

  onCommitted(listener: () => void) {
    return this.committed.on(listener);
  }

  onDeliveries(listener: (changes: readonly DeliveryChange[]) => void) {
    return this.deliveries.on(listener);
  }

  onFollower(delta: 1 | -1): void {
    this.followers += delta;
  }

  #events(after: number, limit: number): JournalEvent[] {
    const count = Math.min(limit, this.last - after);
    return Array.from({ length: count }, (_, index): JournalEvent => {
      return {
        seq: after + index + 1,
        at: 0,
        projectId: 'prj' as never,
        actor: { kind: 'system', id: 'core' },
        door: 'core',
        kind: 'core.stopped',
        subject: 's',
        data: {},
      };
    });
  }
}

afterEach(() => {
  vi.useRealTimers();
});

const numbers = (item: FollowItem): number[] => (item.type === 'events' ? item.events.map(({ seq }) => seq) : []);
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

async function take(stream: AsyncGenerator<FollowItem, void, void>): Promise<FollowItem> {
  const { value } = await stream.next();
  if (!value) throw new Error('it ended');
  return value;
}

/** Pulls until the number is reached. */
async function until(stream: AsyncGenerator<FollowItem, void, void>, last: number): Promise<number[]> {
  const seen: number[] = [];
  while ((seen.at(-1) ?? 0) < last) seen.push(...numbers(await take(stream)));
  return seen;
}

describe('a follower', () => {
  it('gets every event after its number, in order and once, in pages', async () => {
    const journal = new FakeJournal(10_000);
    journal.commit(1_000);
    const stream = follow(journal, 3, new AbortController().signal);
    const first = await take(stream);
    expect(numbers(first).length).toBeLessThanOrEqual(200);
    expect([...numbers(first), ...(await until(stream, 1_000))]).toEqual(range(4, 1_000));
    await stream.return();
  });

  it('that is far behind reads from the database until memory has the rest', async () => {
    const journal = new FakeJournal(50);
    journal.commit(1_000);
    const stream = follow(journal, 0, new AbortController().signal);
    expect(await until(stream, 1_000)).toEqual(range(1, 1_000));
    expect(journal.databaseReads).toBe(5);
    journal.commit(10);
    expect(await until(stream, 1_010)).toEqual(range(1_001, 1_010));
    expect(journal.databaseReads).toBe(5);
    await stream.return();
  });

  it('passes over what was erased, also a whole page of it', async () => {
    const journal = new FakeJournal(0);
    journal.commit(600);
    for (const seq of range(150, 450)) journal.erased.add(seq);
    const stream = follow(journal, 0, new AbortController().signal);
    expect(await until(stream, 600)).toEqual([...range(1, 149), ...range(451, 600)]);
    await stream.return();
  });

  it('that is slow misses nothing of what is committed between its pulls', async () => {
    const journal = new FakeJournal(20);
    const stream = follow(journal, 0, new AbortController().signal);
    const seen: number[] = [];
    for (const count of [1, 30, 500, 2]) {
      const pulled = stream.next();
      journal.commit(count);
      const { value } = await pulled;
      if (value) seen.push(...numbers(value));
    }
    expect([...seen, ...(await until(stream, 533))]).toEqual(range(1, 533));
    await stream.return();
  });

  it('that waits is woken by a commit', async () => {
    const journal = new FakeJournal(10);
    const stream = follow(journal, 0, new AbortController().signal);
    const pulled = take(stream);
    await Promise.resolve();
    journal.commit(1);
    expect(numbers(await pulled)).toEqual([1]);
    await stream.return();
  });

  it('gets the newest state of each delivery, events first', async () => {
    const journal = new FakeJournal(10);
    const stream = follow(journal, 0, new AbortController().signal);
    const pulled = take(stream);
    journal.commit(1);
    const change = (messageId: string, state: DeliveryChange['state']): DeliveryChange => ({
      messageId,
      recipient: 'a',
      state,
      attempts: 0,
      leasedUntil: null,
    });
    journal.deliveries.fire([change('m1', 'queued'), change('m2', 'queued')]);
    journal.deliveries.fire([change('m1', 'delivered')]);
    journal.deliveries.fire([change('m1', 'read')]);
    expect(numbers(await pulled)).toEqual([1]);
    expect(await take(stream)).toEqual({ type: 'deliveries', changes: [change('m1', 'read'), change('m2', 'queued')] });
    journal.deliveries.fire(Array.from({ length: 5_000 }, (_, index) => change(`x${index}`, 'queued')));
    const many = await take(stream);
    expect(many.type === 'deliveries' && many.changes.length).toBe(2_000);
    await stream.return();
  });

  it('hears from a link on which nothing happens', async () => {
    vi.useFakeTimers();
    const journal = new FakeJournal(10);
    journal.commit(5);
    const stream = follow(journal, 5, new AbortController().signal);
    const pulled = stream.next();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await pulled).toEqual({ done: false, value: { type: 'heartbeat', seq: 5 } });
    await stream.return();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('that is ahead of the journal has to take a new snapshot', () => {
    const journal = new FakeJournal(10);
    journal.commit(5);
    expect(() => follow(journal, 6, new AbortController().signal)).toThrow(
      expect.objectContaining({ code: 'CONFLICT', data: { seq: 5 } }),
    );
    expect(journal.followers).toBe(0);
  });
});

describe('the end of a follower', () => {
  it('by abort lets go of everything, while it waits and while nobody pulls', async () => {
    const journal = new FakeJournal(10);
    const ending = new AbortController();
    const waiting = follow(journal, 0, ending.signal);
    const pulled = waiting.next();
    await vi.waitFor(() => expect(journal.followers).toBe(1));
    ending.abort();
    expect(await pulled).toMatchObject({ done: true });
    expect([journal.followers, journal.committed.size, journal.deliveries.size]).toEqual([0, 0, 0]);

    journal.commit(1);
    const other = new AbortController();
    const idle = follow(journal, 0, other.signal);
    await idle.next();
    other.abort();
    expect(await idle.next()).toMatchObject({ done: true });
    expect([journal.followers, journal.committed.size, journal.deliveries.size]).toEqual([0, 0, 0]);
  });

  it('by return, before and after the first pull, lets go of everything', async () => {
    const journal = new FakeJournal(10);
    const never = follow(journal, 0, new AbortController().signal);
    await never.return();
    journal.commit(1);
    const once = follow(journal, 0, new AbortController().signal);
    await once.next();
    expect(journal.followers).toBe(1);
    await once.return();
    expect([journal.followers, journal.committed.size, journal.deliveries.size]).toEqual([0, 0, 0]);
  });

  it('is the same for one whose signal had ended before', async () => {
    const journal = new FakeJournal(10);
    journal.commit(1);
    expect(await follow(journal, 0, AbortSignal.abort()).next()).toMatchObject({ done: true });
    expect(journal.followers).toBe(0);
  });
});
