import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { effort } from '#e2e/support/effort.ts';
import type { Originator } from '#shared/messages/model.ts';
import { MessageKind } from '#shared/messages/model.ts';
import type { Boundary } from '#shared/runtimes/model.ts';
import { BOUNDARIES } from '#shared/runtimes/model.ts';
import { mayCause, originatorOf } from './boundary-rule.ts';

/** How confined a boundary is, stated here once more, apart from the code that is tested. */
const STRENGTH: Readonly<Record<Boundary, number>> = { container: 3, bubblewrap: 2, host: 1 };

const boundaries = fc.constantFrom(...BOUNDARIES);
const kinds = fc.constantFrom(...MessageKind.options);
const agents = fc.record({ kind: fc.constant('agent' as const), id: fc.constantFrom('a', 'b', 'c'), boundary: boundaries });

describe('mayCause', () => {
  it('never lets work run in a weaker boundary than its originator has, and lets everything else pass', () => {
    for (const originator of BOUNDARIES) {
      for (const recipient of BOUNDARIES) {
        for (const kind of MessageKind.options) {
          const isWork = kind === 'task' || kind === 'request';
          expect(mayCause(originator, recipient, kind), `${originator} -> ${recipient}: ${kind}`).toBe(
            !isWork || STRENGTH[recipient] >= STRENGTH[originator],
          );
        }
      }
    }
  });

  it('lets the operator order anything', () => {
    for (const recipient of BOUNDARIES) expect(mayCause('host', recipient, 'task')).toBe(true);
  });
});

describe('originatorOf', () => {
  const operator: Originator = { kind: 'operator', id: 'operator', boundary: 'host' };

  it('is the most confined of all that passed a wish on, however long the chain', () => {
    fc.assert(
      fc.property(fc.array(agents, { minLength: 1, maxLength: 8 }), fc.boolean(), (chain, isFromOperator) => {
        let carried: Originator | undefined = isFromOperator ? operator : undefined;
        for (const agent of chain) carried = originatorOf(agent, carried);
        const strongest = Math.max(...chain.map((agent) => STRENGTH[agent.boundary]));
        expect(STRENGTH[carried?.boundary ?? 'host']).toBe(strongest);
      }),
      { numRuns: effort.propertyRuns },
    );
  });

  it('means that no chain of agents makes weaker boundaries work than the strongest link has', () => {
    fc.assert(
      fc.property(fc.array(agents, { minLength: 1, maxLength: 8 }), agents, kinds, (chain, last, kind) => {
        let carried: Originator | undefined;
        for (const agent of chain) carried = originatorOf(agent, carried);
        if (!carried || !mayCause(carried.boundary, last.boundary, kind) || (kind !== 'task' && kind !== 'request')) return;
        for (const agent of chain) expect(STRENGTH[last.boundary]).toBeGreaterThanOrEqual(STRENGTH[agent.boundary]);
      }),
      { numRuns: effort.propertyRuns },
    );
  });

  it('stays with the one who wished it first between equals', () => {
    expect(originatorOf({ kind: 'agent', id: 'a', boundary: 'host' }, operator)).toEqual(operator);
  });

  it('is the operator for what the operator says, whatever is answered', () => {
    expect(originatorOf(operator, { kind: 'agent', id: 'a', boundary: 'container' })).toEqual(operator);
  });
});
