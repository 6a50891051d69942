import { describe, expect, it } from 'vitest';
import { bubblewrapChecks } from './bubblewrap/bubblewrap-checks.ts';
import { kernelChecks } from './kernel-checks.ts';
import { LIMITS } from './testing/support.ts';

const outcomes = (checks: readonly { id: string; outcome: string }[]): Record<string, string> =>
  Object.fromEntries(checks.map(({ id, outcome }) => [id, outcome]));

describe('what the kernel says of a process', () => {
  it('shows that one which is in no box is in none', async () => {
    // This very process: no filter, nothing forbidden, every name space the machine's.
    expect(outcomes(await kernelChecks(process.pid, 65_500, 'no'))).toMatchObject({
      'kernel-namespaces': 'broken',
      'kernel-no-new-privileges': 'broken',
      'kernel-seccomp': 'broken',
    });
  });

  it('is unknown of one that cannot be looked at, and says why', async () => {
    for (const check of await kernelChecks(0, 0, 'too far away'))
      expect(check).toMatchObject({ outcome: 'unknown', found: 'too far away' });
    const box = { pid: 0, version: '0.8.0', uid: 0, limits: LIMITS, mechanism: 'cgroup' } as const;
    expect(outcomes(await bubblewrapChecks(box))).toMatchObject({
      'bubblewrap-version': 'held',
      'process-limits': 'unknown',
      'cgroup-limits': 'unknown',
    });
  });

  it('shows limits that do not hold', async () => {
    const box = { pid: process.pid, version: '0.8.0', uid: 0, mechanism: 'cgroup', limits: { ...LIMITS, openFiles: 1 } } as const;
    expect(outcomes(await bubblewrapChecks(box))).toMatchObject({ 'process-limits': 'broken' });
    expect(outcomes(await bubblewrapChecks({ ...box, mechanism: 'none' }))).not.toHaveProperty('process-limits');
  });
});
