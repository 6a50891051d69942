import { ORPCError } from '@orpc/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort, withinTime } from '#e2e/support/effort.ts';
import { sampleAgent, sampleEvent } from '#renderer/testing/sample-events.ts';
import type { FollowItem, JournalEvent } from '#shared/journal/model.ts';
import type { CrewState } from '#shared/state.ts';
import { applyEvent, EMPTY_STATE } from '#shared/state.ts';
import type { CrewListener, JournalClient } from './crew-follower.ts';
import { CrewFollower } from './crew-follower.ts';

/** A history in which agents come, report and go. */
function history(length: number): JournalEvent[] {
  return Array.from({ length }, (_, index) => {
    const id = `a${index % 5}`;
    if (index % 7 === 6) return sampleEvent(index + 1, 'agent.removed', id, {});
    if (index % 3 === 2)
      return sampleEvent(index + 1, 'agent.reported', id, { says: { doing: `step ${index}`, progress: null, at: index } });
    return sampleEvent(index + 1, 'agent.created', id, { agent: sampleAgent(id) });
  });
}

function stateAt(events: readonly JournalEvent[], seq: number): CrewState {
  return events.slice(0, seq).reduce(applyEvent, EMPTY_STATE);
}

/** Remembers what the window was told. */
class Recorder implements CrewListener {
  readonly seen: number[] = [];
  snapshots = 0;
  state: CrewState | undefined;
  onSnapshot(state: CrewState): void {
    this.snapshots += 1;
    this.state = state;
  }
  onEvents(events: readonly JournalEvent[], state: CrewState): void {
    this.seen.push(...events.map((event) => event.seq));
    this.state = state;
  }
  onDeliveries(): void {}
  onFollowing(): void {}
}

/** What one line does before it drops. */
interface Script {
  /** How far the journal is when the line opens. */
  readonly head: number;
  /** How many items come before the line breaks. */
  readonly items: number;
  /** How many events an item holds. */
  readonly batch: number;
  /** How many events before the asked number are sent again. */
  readonly overlap: number;
  /** The core has thrown its early events away, or was restored to an earlier state: the number is no longer good. */
  readonly conflict: boolean;
}

/** A core that serves `events` and drops the line as the script says. */
function scriptedCore(events: readonly JournalEvent[], script: Script): JournalClient {
  let refused = false;
  async function* follow(after: number): AsyncGenerator<FollowItem, void> {
    let next = Math.max(0, after - script.overlap);
    for (let item = 0; item < script.items; item += 1) {
      yield { type: 'heartbeat', seq: next };
      if (next >= script.head) break;
      const end = Math.min(script.head, next + script.batch);
      yield { type: 'events', events: events.slice(next, end) };
      next = end;
    }
    throw new Error('the line dropped');
  }
  return {
    journal: {
      snapshot: () => Promise.resolve(stateAt(events, script.head)),
      follow: ({ after }: { after: number }) => {
        if (script.conflict && !refused) {
          refused = true;
          return Promise.reject(new ORPCError('CONFLICT', { message: 'too old' }));
        }
        return Promise.resolve(follow(after));
      },
    },
  };
}

async function followOnce(follower: CrewFollower, client: JournalClient): Promise<void> {
  await follower.follow(client, new AbortController().signal).catch(() => undefined);
}

const line: Script = { head: 20, items: 100, batch: 3, overlap: 0, conflict: false };

describe('CrewFollower', () => {
  it('takes a snapshot first and the tail on the next line', async () => {
    const events = history(20);
    const told = new Recorder();
    const follower = new CrewFollower(told);
    await followOnce(follower, scriptedCore(events, { ...line, head: 8 }));
    expect(told).toMatchObject({ snapshots: 1, seen: [] });
    await followOnce(follower, scriptedCore(events, line));
    expect(told.snapshots).toBe(1);
    expect(told.seen).toEqual([9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
    expect(told.state).toEqual(stateAt(events, 20));
  });

  it('takes a new snapshot when its number is no longer good', async () => {
    const events = history(20);
    const told = new Recorder();
    const follower = new CrewFollower(told);
    await followOnce(follower, scriptedCore(events, { ...line, head: 8 }));
    await followOnce(follower, scriptedCore(events, { ...line, conflict: true }));
    expect(told.snapshots).toBe(2);
    expect(told.state).toEqual(stateAt(events, 20));
  });

  it('throws its copy away when an event is missing', async () => {
    const events = history(20);
    const told = new Recorder();
    const follower = new CrewFollower(told);
    await followOnce(follower, scriptedCore(events, { ...line, head: 8 }));
    await followOnce(
      follower,
      scriptedCore(
        events.filter((event) => event.seq !== 12),
        { ...line, head: 19 },
      ),
    );
    expect(follower.state).toBeUndefined();
    await followOnce(follower, scriptedCore(events, line));
    expect(told.snapshots).toBe(2);
    expect(told.state).toEqual(stateAt(events, 20));
  });

  it('loses no event and applies none twice, however often the line drops', async () => {
    const scripts = fc.array(
      fc.record({
        items: fc.nat(6),
        batch: fc.integer({ min: 1, max: 9 }),
        overlap: fc.nat(5),
        conflict: fc.boolean(),
        grow: fc.nat(12),
      }),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(
        scripts,
        withinTime(async (steps) => {
          const events = history(200);
          const told = new Recorder();
          const follower = new CrewFollower(told);
          let head = 3;
          const at: number[] = [];
          for (const { grow, ...script } of steps) {
            head += grow;
            const before = told.snapshots;
            told.seen.length = 0;
            const from = follower.state?.seq;
            await followOnce(follower, scriptedCore(events, { ...script, head }));
            const start = told.snapshots > before ? head : (from ?? head);
            expect(told.seen).toEqual(Array.from(told.seen, (_, index) => start + 1 + index));
            expect(told.state).toEqual(stateAt(events, follower.state?.seq ?? 0));
            at.push(follower.state?.seq ?? 0);
          }
          expect([...at].sort((a, b) => a - b)).toEqual(at);
          await followOnce(follower, scriptedCore(events, { ...line, items: 500, head }));
          expect(told.state).toEqual(stateAt(events, head));
        }),
      ),
      { numRuns: effort.propertyRuns },
    );
  });
});
