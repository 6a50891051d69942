import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import { sampleAgent } from '#renderer/testing/sample-events.ts';
import type { AgentState, AgentStatus } from '#shared/agents/model.ts';
import { AgentStatus as StatusSchema } from '#shared/agents/model.ts';
import type { FleetAgent } from './fleet-agent.ts';
import { groupOf, KEEPS_PLACE_MS, orderFleet, settledOrder } from './fleet-order.ts';

const NOW = 1_000_000;

function state(status: AgentStatus, since = 0): AgentState {
  const base = { since, evidence: { source: 'process', detail: '', at: since } } as const;
  switch (status) {
    case 'waiting':
    case 'failed':
    case 'lost':
      return { status, reason: 'a reason', ...base };
    case 'paused':
      return { status, from: 'idle', ...base };
    case 'stopped':
      return { status, exit: { code: 0 }, ...base };
    default:
      return { status, ...base };
  }
}

function row(id: string, status: AgentStatus, options: { asks?: boolean; since?: number } = {}): FleetAgent {
  const question = { messageId: 'msg_1', subject: null, body: 'Keep?', answers: [], at: 1, expiresAt: null, more: 0 };
  return { agent: sampleAgent(id, state(status, options.since)), question: options.asks === true ? question : undefined };
}

const ids = (rows: readonly FleetAgent[]): string[] => rows.map(({ agent }) => agent.id);

describe('the order of the fleet', () => {
  it('is: needs you, failed, working, idle, paused, stopped; names inside', () => {
    const rows = [
      row('zed', 'created'),
      row('yan', 'paused'),
      row('xia', 'idle'),
      row('wim', 'working'),
      row('val', 'starting'),
      row('uma', 'lost'),
      row('tom', 'failed'),
      row('sue', 'stopped', { asks: true }),
      row('abe', 'working', { asks: true }),
      row('bea', 'waiting'),
    ];
    expect(ids(orderFleet(rows, NOW))).toEqual(['abe', 'sue', 'tom', 'uma', 'val', 'wim', 'bea', 'xia', 'yan', 'zed']);
  });

  it('lets an agent that just fell idle keep its place for a while', () => {
    const rows = [row('ada', 'idle', { since: NOW - 1_000 }), row('ben', 'working'), row('abe', 'idle')];
    expect(ids(orderFleet(rows, NOW))).toEqual(['ada', 'ben', 'abe']);
    expect(ids(orderFleet(rows, NOW + KEEPS_PLACE_MS))).toEqual(['ben', 'abe', 'ada']);
  });

  it('does not depend on the order it is given', () => {
    const some = fc.uniqueArray(
      fc.tuple(fc.stringMatching(/^a[a-z]{0,3}$/), fc.constantFrom(...StatusSchema.options), fc.boolean()),
      {
        selector: ([id]) => id,
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(some, (specs) => {
        const rows = specs.map(([id, status, asks]) => row(id, status, { asks }));
        const ordered = orderFleet(rows, NOW);
        expect(orderFleet(rows.toReversed(), NOW)).toEqual(ordered);
        // Whoever waits for the operator is before everybody who does not.
        const lastAsking = ordered.findLastIndex((one) => groupOf(one) === 'needs');
        expect(ordered.slice(0, lastAsking + 1).every((one) => groupOf(one) === 'needs')).toBe(true);
      }),
      { numRuns: effort.propertyRuns },
    );
  });
});

describe('an order that is shown', () => {
  const exists = (known: readonly string[]) => (id: string) => known.includes(id);

  it('follows at once while nobody is at it, and stays the same object while it is the same', () => {
    const shown = ['a', 'b', 'c'];
    expect(settledOrder({ shown, wanted: ['c', 'a', 'b'], isHeld: false, exists: () => true })).toEqual(['c', 'a', 'b']);
    expect(settledOrder({ shown, wanted: ['a', 'b', 'c'], isHeld: false, exists: () => true })).toBe(shown);
    expect(settledOrder({ shown, wanted: ['c', 'b', 'a'], isHeld: true, exists: () => true })).toBe(shown);
  });

  it('keeps who no longer matches, puts who is new last, and closes the gap of who is gone', () => {
    const next = settledOrder({
      shown: ['a', 'b', 'c', 'd'],
      wanted: ['e', 'd', 'a'],
      isHeld: true,
      exists: exists(['a', 'b', 'd', 'e']),
    });
    expect(next).toEqual(['a', 'b', 'd', 'e']);
  });

  it('never moves one past another while it is held', () => {
    const list = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { maxLength: 8 });
    fc.assert(
      fc.property(list, list, list, (shown, wanted, gone) => {
        const next = settledOrder({ shown, wanted, isHeld: true, exists: (id) => !gone.includes(id) });
        const kept = shown.filter((id) => !gone.includes(id));
        expect(next.slice(0, kept.length)).toEqual(kept);
        expect(new Set(next).size).toBe(next.length);
        for (const id of wanted) expect(next.includes(id) || gone.includes(id)).toBe(true);
      }),
      { numRuns: effort.propertyRuns },
    );
  });
});
