/** For tests: what a box that holds would say. */
import type { ProofCheck } from '#shared/boundary/model.ts';
import type { BoxProbe } from '#shared/box/model.ts';
import { requiredOf } from '../judge.ts';

/** A check that held. */
export function heldCheck(id: string, from: ProofCheck['from'] = 'inside'): ProofCheck {
  return { id, title: `Try ${id}`, tried: `try ${id}`, found: 'EPERM', outcome: 'held', from };
}

/** All that must be shown for a probe. */
export function heldChecks(probe: BoxProbe): ProofCheck[] {
  return requiredOf(probe).map((id) => heldCheck(id));
}

/** A probe with one limit and one address. */
export const PROBE: BoxProbe = {
  type: 'probe',
  user: { uid: 1000, gid: 1000 },
  writablePaths: ['/workspace'],
  readOnlyPaths: ['/opt/qd'],
  hiddenPaths: ['/home/operator'],
  unreachable: [{ what: "the core's port", host: '192.0.2.1', port: 3000 }],
  hiddenValues: { salt: 'salt', hashes: [] },
  limits: { memoryBytes: 1 << 20, processes: null, openFiles: null, cpus: null },
};
