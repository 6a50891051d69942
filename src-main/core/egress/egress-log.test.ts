import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_RULE } from '#shared/egress/model.ts';
import type { JournalEvent } from '#shared/journal/model.ts';
import type { TestStore } from '#core/testing/open-store.ts';
import { openTestStore } from '#core/testing/open-store.ts';
import { EgressLog } from './egress-log.ts';
import type { Learner } from './egress-repository.ts';
import { egressReads, readPosition } from './egress-repository.ts';
import { entry } from './scripted-gateway.ts';

let test: TestStore;
let events: JournalEvent[];
let said: string[];

beforeEach(() => {
  test = openTestStore();
  events = [];
  said = [];
  test.journal.onCommitted((batch) => events.push(...batch));
});
afterEach(() => test.dispose());

function openLog(kept?: number): EgressLog {
  const say = (facts: Readonly<Record<string, unknown>>, message: string): void =>
    void said.push(`${message} ${JSON.stringify(facts)}`);
  const log = new EgressLog({
    store: test.store,
    log: { info: say, warn: say, error: say },
    retryMs: 1,
    ...(kept ? { kept } : {}),
  });
  log.open();
  return log;
}

// What the reader's thread runs, without the thread.
const rows = async (args: { agentId?: string; outcome?: string; before?: number; limit?: number } = {}) =>
  test.store.peek((db) => egressReads['egress.connections'](db, { limit: 500, ...args }));
const proposalsFor = (learners: readonly Learner[]) =>
  test.store.peek((db) => egressReads['egress.proposals'](db, { learners, reason: NO_RULE }));
const journaled = (): string[] => events.map(({ kind, data }) => `${kind} ${'host' in data ? data.host : ''}`);

describe('an entry', () => {
  it('of a connection that opens is a row and in the journal; its end is the same row', async () => {
    const log = openLog();
    const open = { host: 'a.org', outcome: 'open', reason: 'a.org:443:tls', address: '192.0.2.1', durationMs: null } as const;
    await log.take([entry(1, open)]);
    expect((await rows()).connections).toMatchObject([{ id: 1, ...open }]);
    await log.take([
      entry(2, {
        ...open,
        id: 1,
        outcome: 'closed',
        reason: 'the agent closed it',
        durationMs: 12,
        sentBytes: 3,
        receivedBytes: 4,
      }),
    ]);
    expect((await rows()).connections).toMatchObject([
      { id: 1, outcome: 'closed', reason: 'a.org:443:tls', durationMs: 12, sentBytes: 3, receivedBytes: 4 },
    ]);
    expect(events).toMatchObject([
      {
        kind: 'egress.opened',
        subject: 'a1',
        actor: { kind: 'agent', id: 'a1' },
        data: { host: 'a.org', port: 443, protocol: 'tls', reason: 'a.org:443:tls', address: '192.0.2.1' },
      },
    ]);
  });

  it('of a refusal is in the journal with the number of refusals it stands for', async () => {
    const log = openLog();
    await log.take([entry(1), entry(2, {}, 57)]);
    expect(events.map(({ data }) => data)).toMatchObject([{ count: 1 }, { count: 57 }]);
    expect(journaled()).toEqual(['egress.refused example.org', 'egress.refused example.org']);
  });

  it('of a connection that was let through and refused later is both', async () => {
    const log = openLog();
    await log.take([entry(1, { outcome: 'open' }), entry(2, { id: 1, outcome: 'refused', reason: 'it named another server' })]);
    expect(journaled()).toEqual(['egress.opened example.org', 'egress.refused example.org']);
    expect((await rows()).connections).toHaveLength(1);
  });

  it('of one that failed is a row only', async () => {
    await openLog().take([entry(1, { outcome: 'failed', reason: 'the name has no address' })]);
    expect(events).toEqual([]);
    expect((await rows()).connections).toHaveLength(1);
  });
});

describe('the log', () => {
  it('is taken up where it was left, and an entry that comes again is not counted again', async () => {
    await openLog().take([entry(1), entry(2)]);
    const again = openLog();
    expect(again.after(5)).toBe(1);
    expect(await again.take([entry(2), entry(3)])).toBe(true);
    expect((await rows()).connections.map(({ id }) => id)).toEqual([3, 2, 1]);
    expect(events).toHaveLength(3);
    expect(test.store.peek(readPosition)).toMatchObject({ log: 1, n: 3 });
  });

  it('that is another one is read from its beginning: shorter than what is stored', async () => {
    await openLog().take([entry(1), entry(2), entry(3)]);
    const again = openLog();
    expect(again.after(1)).toBe(0);
    await again.take([entry(1, { host: 'new.org' })]);
    expect((await rows()).connections.map(({ id, host }) => [id, host])).toEqual([
      [4, 'new.org'],
      [3, 'example.org'],
      [2, 'example.org'],
      [1, 'example.org'],
    ]);
    expect(said[0]).toMatch(/another one than before.*ends at entry 1, and 3 are stored/);
  });

  it('that is another one is read from its beginning: longer, and with something else where this one ended', async () => {
    await openLog().take([entry(1), entry(2)]);
    const again = openLog();
    expect(again.after(9)).toBe(1);
    const other = [1, 2, 3].map((n) => entry(n, { at: 5_000 + n, host: 'new.org' }));
    expect(await again.take(other.slice(1))).toBe(false);
    expect(again.after(9)).toBe(0);
    expect(await again.take(other)).toBe(true);
    expect((await rows()).connections).toHaveLength(5);
    expect(test.store.peek(readPosition)).toMatchObject({ log: 2, n: 3 });
  });

  it('that has lost entries is followed all the same, and that is said', async () => {
    const log = openLog();
    await log.take([entry(1)]);
    await log.take([entry(7)]);
    expect((await rows()).connections).toHaveLength(2);
    expect(said).toEqual(['entries of the log of connections are missing {"after":1,"before":7}']);
  });

  it('keeps the newest rows', async () => {
    const log = openLog(60);
    for (let n = 1; n <= 200; n += 40) await log.take(Array.from({ length: 40 }, (_, i) => entry(n + i, { outcome: 'failed' })));
    const { connections } = await rows();
    expect(connections).toHaveLength(60);
    expect(connections[0]?.id).toBe(200);
    // The end of one that is gone is a row of its own: it says when it ended and how much it was.
    await log.take([entry(201, { id: 3, outcome: 'closed' })]);
    expect((await rows({ limit: 1 })).connections).toMatchObject([{ id: 201, outcome: 'closed' }]);
  });

  it('stores nothing any more after the end', async () => {
    const log = openLog();
    log.dispose();
    await expect(log.take([entry(1)])).rejects.toThrow(/abort/i);
    expect((await rows()).connections).toEqual([]);
  });
});

describe('a page of connections', () => {
  beforeEach(async () => {
    const log = openLog();
    await log.take(Array.from({ length: 30 }, (_, i) => entry(i + 1, i % 3 === 0 ? { outcome: 'closed' } : {})));
  });

  it('goes on before the last one', async () => {
    const first = await rows({ limit: 20 });
    expect(first.hasMore).toBe(true);
    const second = await rows({ limit: 20, before: first.connections.at(-1)?.id ?? 0 });
    expect([...first.connections, ...second.connections].map(({ id }) => id)).toEqual(
      Array.from({ length: 30 }, (_, i) => 30 - i),
    );
    expect(second.hasMore).toBe(false);
  });

  it('has those of one agent and one outcome', async () => {
    expect((await rows({ agentId: 'a1', outcome: 'closed' })).connections).toHaveLength(10);
    expect((await rows({ agentId: 'a2' })).connections).toEqual([]);
  });
});

describe('proposals', () => {
  it('are of what no rule allows, in the order of how often, without what is allowed by now and what no rule should open', async () => {
    await openLog().take([
      entry(1, { host: 'often.org' }, 9),
      entry(2, { host: 'once.org', port: 80, protocol: 'http' }),
      entry(3, { host: 'often.org' }, 2),
      entry(4, { host: 'a.allowed.org' }),
      entry(5, { host: 'private.org', reason: 'the name leads to where agents may not go: 10.0.0.1 is private' }),
      entry(6, { host: '169.254.169.254', port: 80, protocol: 'tcp' }),
      entry(7, { host: '127.0.0.1', port: 3000, protocol: 'tcp' }),
      entry(8, { host: 'bad name', port: 80, protocol: 'http' }),
      entry(9, { host: 'x.localhost' }),
      entry(10, { host: 'open.org', outcome: 'closed' }),
      entry(11, { host: '10.1.2.3', port: 5432, protocol: 'tcp' }),
    ]);
    const proposals = proposalsFor([
      { id: 'a1', rules: ['*.allowed.org:443:tls'] },
      { id: 'a2', rules: [] },
    ]);
    expect(proposals.map(({ rule, count }) => [rule, count])).toEqual([
      ['often.org:443:tls', 11],
      ['10.1.2.3:5432:tcp', 1],
      ['once.org:80:http', 1],
    ]);
    expect(proposalsFor([])).toEqual([]);
  });
});
