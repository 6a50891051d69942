import { describe, expect, it } from 'vitest';
import type { ProofCheck } from '#shared/boundary/model.ts';
import type { Evidence } from './judge.ts';
import { judge, REQUIRED_INSIDE, requiredOf } from './judge.ts';
import { heldCheck, heldChecks, PROBE } from './testing/proofs.ts';

const outside = [heldCheck('engine-network', 'outside')];
const evidence = (changes: Partial<Evidence> = {}): Evidence => ({
  boundary: 'container',
  probe: PROBE,
  inside: heldChecks(PROBE),
  outside,
  ...changes,
});
const withCheck = (change: Partial<ProofCheck> & { id: string }): ProofCheck[] =>
  heldChecks(PROBE).map((check) => (check.id === change.id ? { ...check, ...change } : check));

describe('the judgement of a boundary', () => {
  it('holds when everything that is required was tried and held', () => {
    expect(judge(evidence())).toEqual({ holds: true, problem: null });
    expect(judge(evidence({ boundary: 'bubblewrap', outside: [] }))).toEqual({ holds: true, problem: null });
  });

  it.each(requiredOf(PROBE))('does not hold without %s, with it unknown, or broken', (id) => {
    const missing = judge(evidence({ inside: heldChecks(PROBE).filter((check) => check.id !== id) }));
    expect(missing).toEqual({ holds: false, problem: expect.stringContaining(id) as unknown });
    const unknown = judge(evidence({ inside: withCheck({ id, outcome: 'unknown', found: 'no file tells' }) }));
    expect(unknown).toEqual({ holds: false, problem: expect.stringContaining('no file tells') as unknown });
    const broken = judge(evidence({ inside: withCheck({ id, outcome: 'broken', found: 'it was opened' }) }));
    expect(broken).toEqual({ holds: false, problem: expect.stringContaining('it was opened') as unknown });
  });

  it('requires each limit that was asked for, and each address', () => {
    expect(requiredOf(PROBE)).toEqual([...REQUIRED_INSIDE, 'memory-limit', 'reach-1']);
    const limits = { memoryBytes: 1, processes: 1, openFiles: 1, cpus: 1 };
    expect(requiredOf({ ...PROBE, limits, unreachable: [] })).toEqual([
      ...REQUIRED_INSIDE,
      'memory-limit',
      'process-limit',
      'cpu-limit',
      'file-limit',
    ]);
  });

  const more = (check: ProofCheck): readonly ProofCheck[] => [...heldChecks(PROBE), check];
  it.each<[string, Partial<Evidence>, RegExp]>([
    ['a check that nobody asked for is broken', { inside: more({ ...heldCheck('mount'), outcome: 'broken' }) }, /Try mount/],
    ['something outside is broken', { outside: [{ ...heldCheck('engine-user', 'outside'), outcome: 'broken' }] }, /engine-user/],
    ['nothing was looked at outside', { outside: [] }, /container engine/],
    ['all outside is unknown', { outside: [{ ...heldCheck('engine-user', 'outside'), outcome: 'unknown' }] }, /container engine/],
    ['a check comes twice', { inside: more(heldCheck('capabilities')) }, /twice/],
    ['a box claims to be outside', { inside: more(heldCheck('engine-user', 'outside')) }, /claimed/],
    ['nothing came', { inside: [] }, /capabilities/],
  ])('does not hold when %s', (_, changes, problem) => {
    expect(judge(evidence(changes))).toEqual({ holds: false, problem: expect.stringMatching(problem) as unknown });
  });

  it('lets an attempt be unknown that only some images can make, and a place outside that only some machines show', () => {
    const inside = more({ ...heldCheck('mount'), outcome: 'unknown' });
    const unknownToo = [...outside, { ...heldCheck('kernel-seccomp', 'outside'), outcome: 'unknown' as const }];
    expect(judge(evidence({ inside, outside: unknownToo })).holds).toBe(true);
  });
});
