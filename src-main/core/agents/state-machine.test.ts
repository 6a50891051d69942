import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AgentState, AgentStatus } from '#shared/agents/model.ts';
import { AgentState as AgentStateSchema, isAlive } from '#shared/agents/model.ts';
import { effort } from '#e2e/support/effort.ts';
import type { AgentFact } from './state-machine.ts';
import { nextState } from './state-machine.ts';

const created = AgentStateSchema.parse({
  status: 'created',
  since: 0,
  evidence: { source: 'command', detail: 'created', at: 0 },
});

function walk(...facts: AgentFact[]): AgentState {
  return facts.reduce<AgentState>((state, fact, index) => nextState(state, fact, index + 1) ?? state, created);
}

const start: AgentFact = { type: 'start-ordered', by: 'operator' };
const runs: AgentFact = { type: 'process-started', pid: 42, status: 'starting' };
const busy: AgentFact = { type: 'activity', held: 1, detail: 'holds 1 task it has taken' };
const idle: AgentFact = { type: 'activity', held: 0, detail: 'asks for mail' };
const stop: AgentFact = { type: 'stop-ordered', by: 'operator' };

const anyFact: fc.Arbitrary<AgentFact> = fc.oneof(
  fc.constant(start),
  fc.record({
    type: fc.constant('process-started' as const),
    pid: fc.nat(),
    status: fc.constantFrom('starting' as const, 'working' as const),
  }),
  fc.constant<AgentFact>({ type: 'launch-failed', reason: 'no such program' }),
  fc.record({ type: fc.constant('activity' as const), held: fc.nat(3), detail: fc.constant('x') }),
  fc.constant(stop),
  fc.constant<AgentFact>({ type: 'timed-out', timeoutMs: 1000 }),
  fc.record({
    type: fc.constant('exited' as const),
    exit: fc.oneof(fc.record({ code: fc.nat(255) }), fc.record({ signal: fc.constantFrom('SIGKILL', 'SIGTERM') })),
  }),
  fc.constant<AgentFact>({ type: 'frozen', by: 'operator' }),
  fc.constant<AgentFact>({ type: 'thawed', by: 'operator' }),
  fc.record({
    type: fc.constant('adopted' as const),
    pid: fc.nat(),
    isPaused: fc.boolean(),
    status: fc.constantFrom('starting' as const, 'idle' as const, 'working' as const, 'waiting' as const),
    detail: fc.constant('found running'),
  }),
  fc.constant<AgentFact>({ type: 'unreachable', reason: 'gone' }),
);

describe('the state machine', () => {
  it('tells a box that does not hold from another failure of a launch', () => {
    const failed = (isBoundary?: boolean): AgentState =>
      walk(start, { type: 'launch-failed', reason: 'why', ...(isBoundary === undefined ? {} : { isBoundary }) });
    expect(failed()).toMatchObject({ status: 'failed', evidence: { source: 'runtime' } });
    expect(failed(false)).toMatchObject({ evidence: { source: 'runtime' } });
    expect(failed(true)).toMatchObject({ status: 'failed', reason: 'why', evidence: { source: 'boundary', detail: 'why' } });
  });

  it('goes the ordinary way', () => {
    expect(walk(start).status).toBe('starting');
    expect(walk(start, runs, idle).status).toBe('idle');
    expect(walk(start, runs, idle, busy)).toMatchObject({ status: 'working', evidence: { source: 'interface' } });
    expect(walk(start, runs, idle, stop, { type: 'exited', exit: { code: 0 } })).toMatchObject({
      status: 'stopped',
      exit: { code: 0 },
    });
  });

  it('calls an unexpected end a failure with its exit code, and an end by itself with code 0 a stop', () => {
    expect(walk(start, runs, busy, { type: 'exited', exit: { code: 3 } })).toMatchObject({
      status: 'failed',
      exit: { code: 3 },
      reason: 'exit code 3',
    });
    expect(walk(start, runs, busy, { type: 'exited', exit: { signal: 'SIGKILL' } })).toMatchObject({
      status: 'failed',
      reason: 'ended by SIGKILL',
    });
    expect(walk(start, runs, busy, { type: 'exited', exit: { code: 0 } }).status).toBe('stopped');
    expect(walk(start, runs, stop, { type: 'exited', exit: { signal: 'SIGTERM' } }).status).toBe('stopped');
  });

  it('keeps the time limit as the cause when the process is ended because of it', () => {
    const state = walk(start, runs, { type: 'timed-out', timeoutMs: 1000 }, { type: 'exited', exit: { signal: 'SIGTERM' } });
    expect(state).toMatchObject({ status: 'failed', evidence: { source: 'clock' }, exit: { signal: 'SIGTERM' } });
  });

  it('says what the runtime knows of an end, and only of one that failed', () => {
    const cause = 'out of memory: its limit is 64MB';
    expect(walk(start, runs, busy, { type: 'exited', exit: { signal: 'SIGKILL' }, cause })).toMatchObject({
      status: 'failed',
      reason: 'out of memory: its limit is 64MB (ended by SIGKILL)',
    });
    expect(walk(start, runs, stop, { type: 'exited', exit: { signal: 'SIGKILL' }, cause })).not.toHaveProperty('reason');
  });

  it('keeps why the core has paused an agent, also when the next core finds it', () => {
    const because = 'It uses 12 GB of disk, and its limit is 10 GB.';
    const held = walk(start, runs, busy, { type: 'frozen', by: 'core', because });
    expect(held).toMatchObject({ status: 'paused', from: 'working', evidence: { source: 'runtime', detail: because } });
    const found = { type: 'adopted', pid: 42, isPaused: true, status: 'idle', detail: 'process 42 was found running' } as const;
    expect(nextState(held, found, 9)).toMatchObject({ status: 'paused', evidence: { source: 'runtime', detail: because } });
    expect(nextState(held, { ...found, isPaused: false }, 9)).toMatchObject({ status: 'idle', evidence: { source: 'process' } });
  });

  it('returns from a pause to what it was', () => {
    expect(walk(start, runs, busy, { type: 'frozen', by: 'operator' })).toMatchObject({ status: 'paused', from: 'working' });
    expect(walk(start, runs, busy, { type: 'frozen', by: 'operator' }, { type: 'thawed', by: 'operator' }).status).toBe(
      'working',
    );
  });

  it('takes no activity while paused, stopping or ended', () => {
    for (const facts of [
      [start, runs, idle, { type: 'frozen', by: 'o' } as const],
      [start, runs, stop],
      [start, runs, stop, { type: 'exited', exit: { code: 0 } } as const],
    ]) {
      const state = walk(...facts);
      expect(nextState(state, busy, 99)).toBeUndefined();
    }
  });

  it('holds its invariants over random facts', () => {
    const ended: readonly AgentStatus[] = ['stopped', 'failed', 'lost', 'created'];
    fc.assert(
      fc.property(fc.array(anyFact, { maxLength: 40 }), (facts) => {
        let state: AgentState = created;
        for (const [index, fact] of facts.entries()) {
          const at = index + 1;
          const next = nextState(state, fact, at);
          if (!next) continue;
          // Every state is well-formed and rests on evidence of the moment it was entered.
          expect(AgentStateSchema.safeParse(next).success).toBe(true);
          expect(next.evidence.detail).not.toBe('');
          // What has ended comes back only by an order to start, or because it was found running. What is lost may run, and can be ended.
          const comesBack =
            ended.includes(state.status) && isAlive(next.status) && !(state.status === 'lost' && next.status === 'stopping');
          expect(comesBack && fact.type !== 'start-ordered' && fact.type !== 'adopted').toBe(false);
          // Nothing is stopped unless an exit was seen.
          expect(next.status === 'stopped' && fact.type !== 'exited').toBe(false);
          state = next;
        }
      }),
      { numRuns: effort.propertyRuns },
    );
  });
});
