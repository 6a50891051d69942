/**
 * The exhaustion proof: in a throw-away twin of an agent's container everything is used up that can be, and what happened is
 * read from outside. Made once per image, options and engine, and when the operator asks for it.
 */
import type { ProcessExit } from '#shared/agents/model.ts';
import type { ProofCheck } from '#shared/boundary/model.ts';
import type { Attack } from '#shared/box/attacks.ts';

/** What became of one twin, read from outside. */
export interface TwinResult {
  /** How its first process ended; undefined when it had to be killed at the deadline. */
  readonly exit: ProcessExit | undefined;
  /** How often the kernel ended something of it because its memory was used up. */
  readonly oomKills: number;
  /** The most it ever had, from its cgroup; null where that cannot be read. */
  readonly peakMemoryBytes: number | null;
  readonly peakProcesses: number | null;
  /** CPU time it used and how long it ran, in milliseconds; null where that cannot be read. */
  readonly cpuMs: number | null;
  readonly ranMs: number;
  /** In how many periods the kernel kept it from computing, its share used up; null where that is not counted or read. */
  readonly throttledPeriods: number | null;
  /** The end of what it printed, at most 64 KB. */
  readonly output: string;
  /** What the engine keeps of its output, in bytes; null where that cannot be read. */
  readonly logBytes: number | null;
}

/** What makes twins of one agent's container: same image, options and limits, an empty workspace, none of its sockets. */
export interface Twin {
  /** Names what is proved: the same image, options and engine have the same. */
  readonly subject: string;
  readonly limits: {
    readonly memoryBytes: number;
    readonly processes: number;
    readonly cpus: number;
    readonly tmpBytes: number;
    readonly logBytes: number;
  };
  /**
   * Runs the box guest with these arguments (after `box.js`) as first program of a new container, waits for its end or the
   * deadline, reads what happened, removes it. Rejects when the engine cannot.
   */
  run(args: readonly string[], deadlineMs: number): Promise<TwinResult>;
}

/** What each attack is, and what must have happened. */
const ATTACKS: Readonly<Record<Attack, { title: string; tried: string; judge: (result: TwinResult, twin: Twin) => Finding }>> = {
  memory: {
    title: 'Use up memory',
    tried: 'take memory until it ends',
    judge: ({ exit, oomKills, peakMemoryBytes }, { limits }) => {
      const peak = peakMemoryBytes === null ? 'peak not readable' : `at most ${mebibytes(peakMemoryBytes)}`;
      const isBelow = peakMemoryBytes === null || peakMemoryBytes <= limits.memoryBytes * 1.02;
      const wasEnded = oomKills > 0 || exit?.signal === 'SIGKILL' || exit?.code === 137;
      return verdict(
        wasEnded && isBelow,
        `${wasEnded ? 'ended by the kernel' : 'not ended'}, ${peak} of ${mebibytes(limits.memoryBytes)}`,
      );
    },
  },
  processes: {
    title: 'Use up processes',
    tried: 'start processes until none can be started',
    judge: ({ peakProcesses, output }, { limits }) => {
      const count = /started (\d+)/.exec(output)?.[1];
      if (count === undefined) return { outcome: 'unknown', found: 'the image has no shell to start' };
      const most = Math.max(Number(count), peakProcesses ?? 0);
      return verdict(most <= limits.processes, `stuck at ${most} of ${limits.processes}`);
    },
  },
  cpu: {
    title: 'Use up CPU',
    tried: 'compute on every core at once',
    judge: ({ cpuMs, ranMs, throttledPeriods }, { limits }) => {
      if (cpuMs === null || ranMs <= 0) return { outcome: 'unknown', found: 'its CPU time cannot be read from here' };
      const cores = cpuMs / ranMs;
      const found = `${cores.toFixed(2)} cores of ${limits.cpus}`;
      if (cores > limits.cpus * 1.2 + 0.05) return verdict(false, found);
      // That it used less says nothing where the machine had no more to give: the kernel must have held it back.
      if (throttledPeriods !== null && throttledPeriods > 0)
        return verdict(true, `${found}, held back by the kernel in ${throttledPeriods} periods`);
      if (throttledPeriods === null && cores >= limits.cpus * 0.9) return verdict(true, found);
      return { outcome: 'unknown', found: `${found}: the limit was not reached, so it was not judged` };
    },
  },
  disk: {
    title: 'Fill the disk',
    tried: 'write into /tmp until it is full, and into the root file system',
    judge: ({ output }, { limits }) => {
      const match = /tmp (\d+) (\S+) root (\S+)/.exec(output);
      if (match === null) return { outcome: 'broken', found: 'it was not refused' };
      const [, bytes = '', tmp = '', root = ''] = match;
      const isHeld = Number(bytes) <= limits.tmpBytes && tmp === 'ENOSPC' && root !== 'ok';
      return verdict(isHeld, `/tmp: ${tmp} after ${mebibytes(Number(bytes))}; root: ${root}`);
    },
  },
  log: {
    title: "Flood the engine's log",
    tried: 'print 32 MB',
    judge: ({ logBytes }, { limits }) =>
      logBytes === null
        ? { outcome: 'unknown', found: "the engine's log cannot be measured from here" }
        : verdict(logBytes <= limits.logBytes * 1.1, `${mebibytes(logBytes)} kept of at most ${mebibytes(limits.logBytes)}`),
  },
};

/** The longest one attack may take, in milliseconds. */
const DEADLINE_MS = 30_000;

type Finding = Pick<ProofCheck, 'found' | 'outcome'>;

const verdict = (isHeld: boolean, found: string): Finding => ({ outcome: isHeld ? 'held' : 'broken', found });
const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** Makes every attack, one after the other, because each would falsify the other's measurement. */
export async function exhaust(twin: Twin): Promise<ProofCheck[]> {
  const checks: ProofCheck[] = [];
  for (const [name, { title, tried, judge }] of Object.entries(ATTACKS)) {
    const result = await twin.run(['--attack', name], DEADLINE_MS);
    checks.push({ id: `exhaust-${name}`, title, tried, ...judge(result, twin), from: 'outside' });
  }
  return checks;
}
