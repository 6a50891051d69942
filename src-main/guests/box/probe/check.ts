/** Makes checks: the one shape in which the probe tells what it tried and what happened. */
import type { ProofCheck } from '#shared/boundary/model.ts';
import { codeOf } from '../error-code.ts';

/** One result, before it is said where it comes from. */
export type Finding = Pick<ProofCheck, 'found' | 'outcome'>;

/** The longest text in a check, in characters: a proof is stored and shown. */
const MAX_TEXT = 500;

/** It is as it must be. */
export const held = (found: string): Finding => ({ found, outcome: 'held' });
/** The boundary does not hold. */
export const broken = (found: string): Finding => ({ found, outcome: 'broken' });
/** It could not be tried. */
export const unknown = (found: string): Finding => ({ found, outcome: 'unknown' });

/** A check from a finding. */
export function check(id: string, title: string, tried: string, finding: Finding): ProofCheck {
  const found = finding.found.length > MAX_TEXT ? `${finding.found.slice(0, MAX_TEXT)}…` : finding.found;
  return { id, title, tried, found, outcome: finding.outcome, from: 'inside' };
}

/** A check whose own failure is "unknown", and never lost. */
export function tryCheck(id: string, title: string, tried: string, find: () => Finding): ProofCheck {
  try {
    return check(id, title, tried, find());
  } catch (error) {
    return check(id, title, tried, unknown(codeOf(error)));
  }
}
