/** Proofs in words. Pure. */
import type { AgentBoundary } from '#shared/boundary/contract.ts';
import type { BoundaryProof, LimitMechanism, ProofCheck } from '#shared/boundary/model.ts';
import type { Boundary } from '#shared/runtimes/model.ts';

/** What a boundary comes to, told first. */
export interface Verdict {
  /** holds: proved. broken: a proof did not hold. open: nothing was proved yet. none: there is no box. */
  readonly kind: 'holds' | 'broken' | 'open' | 'none';
  readonly title: string;
  readonly text: string;
}

const BOX_WORDS: Readonly<Record<Exclude<Boundary, 'host'>, string>> = {
  container: 'in a container of its own',
  bubblewrap: 'on this machine in bubblewrap',
};

/** What a boundary comes to. A proof that did not hold comes before everything else. */
export function verdictOf(
  { boundary, launch, exhaustion }: Pick<AgentBoundary, 'boundary' | 'launch' | 'exhaustion'>,
  isRunning: boolean,
): Verdict {
  if (boundary === 'host')
    return {
      kind: 'none',
      title: 'Not contained',
      text: 'It runs on this machine as you. What you may do, it may do.',
    };
  const broken = [launch, exhaustion].find((proof) => proof?.holds === false);
  if (broken)
    return {
      kind: 'broken',
      title: broken.kind === 'launch' ? 'The boundary did not hold' : 'Its limits did not hold',
      text:
        broken.kind === 'launch'
          ? `${broken.problem ?? 'A check failed.'} So the agent was not started.`
          : `${broken.problem ?? 'A check failed.'} Its twin was removed; the agent itself was not touched.`,
    };
  const box = BOX_WORDS[boundary];
  if (launch === null)
    return {
      kind: 'open',
      title: 'Not proved yet',
      text: `It is to run ${box}. At each start it is tried from inside what must not be possible, before the agent’s program runs; if anything is, it does not start.`,
    };
  return {
    kind: 'holds',
    title: isRunning ? 'Contained, and proved' : 'Contained, and proved at its last start',
    text: isRunning
      ? `It runs ${box}, and of your files it sees only what is listed below. What must not be possible was tried from inside before its program started.`
      : `It ran ${box}, and does not run now. At each start what must not be possible is tried from inside before its program runs.`,
  };
}

/** The checks, what does not hold first, then what could not be tried. */
export function inOrder(checks: readonly ProofCheck[]): readonly ProofCheck[] {
  const ranks = { broken: 0, unknown: 1, held: 2 } as const;
  return checks.toSorted((a, b) => ranks[a.outcome] - ranks[b.outcome]);
}

/** How many held: "14 of 14 held", with those that could not be tried. */
export function countText({ checks }: Pick<BoundaryProof, 'checks'>): string {
  const held = checks.filter(({ outcome }) => outcome === 'held').length;
  const unknown = checks.filter(({ outcome }) => outcome === 'unknown').length;
  return `${held} of ${checks.length} held${unknown === 0 ? '' : `, ${unknown} not tried`}`;
}

/** How long something took: "84 ms", "3.2 s". */
export function tookText(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** How limits are held, in a few words. */
export const MECHANISM_WORDS: Readonly<Record<LimitMechanism, string>> = {
  container: 'by its container',
  cgroup: 'by a control group of its own',
  systemd: 'by systemd',
  watchdog: 'by ulimit and a watchdog',
  none: 'by nothing',
};

/** What is not held of an agent on this machine, one thing each. */
export const NOT_HELD: readonly { readonly title: string; readonly text: string }[] = [
  { title: 'Files', text: 'It can read, change and delete all that you can, your keys and other projects included.' },
  {
    title: 'Network',
    text: 'It reaches every address that you reach, this machine’s own ports included. No connection is logged.',
  },
  { title: 'Other agents', text: 'It runs as the same user as they do: it can read their files and end their processes.' },
  { title: 'Keys', text: 'It can read keys from files and from the environment of your programs.' },
];
