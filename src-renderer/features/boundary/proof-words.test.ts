import { describe, expect, it } from 'vitest';
import type { BoundaryProof, ProofCheck } from '#shared/boundary/model.ts';
import { BoundaryProof as ProofSchema } from '#shared/boundary/model.ts';
import { mintId } from '#shared/kernel/ids.ts';
import { countText, inOrder, tookText, verdictOf } from './proof-words.ts';

const check = (id: string, outcome: ProofCheck['outcome']): ProofCheck => ({
  id,
  title: id,
  tried: 't',
  found: 'f',
  outcome,
  from: 'inside',
});

const proof = (changes: Partial<BoundaryProof> = {}): BoundaryProof =>
  ProofSchema.parse({
    id: 'prf_1',
    projectId: mintId('prj'),
    agentId: 'ada',
    runId: 'run',
    boundary: 'container',
    kind: 'launch',
    at: 1,
    tookMs: 84,
    holds: true,
    problem: null,
    checks: [check('a', 'held')],
    ...changes,
  });

describe('what a boundary comes to', () => {
  it('is none on the host, whatever was proved before', () => {
    expect(verdictOf({ boundary: 'host', launch: null, exhaustion: null }, true)).toMatchObject({ kind: 'none' });
  });

  it('is open before the first proof, and holds after one', () => {
    expect(verdictOf({ boundary: 'container', launch: null, exhaustion: null }, true).kind).toBe('open');
    expect(verdictOf({ boundary: 'bubblewrap', launch: proof(), exhaustion: null }, true).kind).toBe('holds');
    expect(verdictOf({ boundary: 'container', launch: proof(), exhaustion: null }, false).title).toContain('at its last start');
  });

  it('tells a proof that did not hold first', () => {
    const broken = proof({ holds: false, problem: 'It kept CAP_SYS_ADMIN.' });
    expect(verdictOf({ boundary: 'container', launch: broken, exhaustion: null }, false)).toEqual({
      kind: 'broken',
      title: 'The boundary did not hold',
      text: 'It kept CAP_SYS_ADMIN. So the agent was not started.',
    });
    const hog = proof({ kind: 'exhaustion', holds: false, problem: 'It got 5 GB.' });
    expect(verdictOf({ boundary: 'container', launch: proof(), exhaustion: hog }, true).title).toBe('Its limits did not hold');
  });
});

it('puts what does not hold first, and counts', () => {
  const checks = [check('a', 'held'), check('b', 'unknown'), check('c', 'broken')];
  expect(inOrder(checks).map(({ id }) => id)).toEqual(['c', 'b', 'a']);
  expect(countText({ checks })).toBe('1 of 3 held, 1 not tried');
  expect(countText({ checks: [check('a', 'held')] })).toBe('1 of 1 held');
});

it('tells times in their unit', () => {
  expect([tookText(83.6), tookText(3_240)]).toEqual(['84 ms', '3.2 s']);
});
