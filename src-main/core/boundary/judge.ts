/**
 * Whether a boundary holds, from what was tried inside and what was read back outside. Pure, and closed: what is missing, was
 * not tried or is not understood counts as not held.
 */
import type { ProofCheck } from '#shared/boundary/model.ts';
import type { BoxProbe } from '#shared/box/model.ts';
import type { Boundary } from '#shared/runtimes/model.ts';

/** What every box must have shown from inside, by the names of the checks. */
export const REQUIRED_INSIDE = [
  'capabilities',
  'no-new-privileges',
  'seccomp',
  'user',
  'become-root',
  'change-groups',
  'write-outside',
  'mounts',
  'kernel-settings',
  'devices',
  'engine-socket',
  'hidden-paths',
  'own-sockets',
  'processes',
  'environment',
  'interfaces',
  'raw-socket',
  'abstract-sockets',
  'reach-outside',
  'reach-metadata',
  'reach-docker-host',
  'send-outside',
] as const;

/** What was found. */
export interface Evidence {
  readonly boundary: Exclude<Boundary, 'host'>;
  /** What the box was asked to try: each limit and each address must have been. */
  readonly probe: BoxProbe;
  readonly inside: readonly ProofCheck[];
  readonly outside: readonly ProofCheck[];
}

/** What it means. */
export interface Verdict {
  readonly holds: boolean;
  /** Why it does not hold, in a sentence; null when it holds. */
  readonly problem: string | null;
}

/** The checks that a box must have made for what it was asked. */
export function requiredOf(probe: BoxProbe): string[] {
  const { memoryBytes, processes, cpus, openFiles } = probe.limits;
  const limits = [
    ['memory-limit', memoryBytes],
    ['process-limit', processes],
    ['cpu-limit', cpus],
    ['file-limit', openFiles],
  ] as const;
  return [
    ...REQUIRED_INSIDE,
    ...limits.flatMap(([id, value]) => (value === null ? [] : [id])),
    ...probe.unreachable.map((_, index) => `reach-${index + 1}`),
  ];
}

/** Judges. The first thing that is wrong is the problem, what is broken before what is missing. */
export function judge({ boundary, probe, inside, outside }: Evidence): Verdict {
  const no = (problem: string): Verdict => ({ holds: false, problem });
  const all = [...inside, ...outside];
  const broken = all.find(({ outcome }) => outcome === 'broken');
  if (broken !== undefined) return no(`${broken.title}: ${broken.found} (tried: ${broken.tried}).`);
  if (inside.some(({ from }) => from !== 'inside')) return no('The box claimed to have looked from outside.');
  const byId = new Map(inside.map((check) => [check.id, check]));
  if (byId.size !== inside.length) return no('The box told the same check twice.');
  for (const id of requiredOf(probe)) {
    const check = byId.get(id);
    if (check === undefined) return no(`The check "${id}" was not made inside.`);
    if (check.outcome !== 'held') return no(`${check.title}: could not be tried: ${check.found} (tried: ${check.tried}).`);
  }
  // An engine on another machine cannot be looked at fully from here; a container nobody looked at is none.
  if (boundary === 'container' && !outside.some(({ outcome }) => outcome === 'held')) {
    return no('Nothing was read back from the container engine.');
  }
  return { holds: true, problem: null };
}
