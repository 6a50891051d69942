/** What follows when the window's process has ended: another try a little later, or, after some, a page that says so. Pure. */

/** One end of the window's process. */
export interface Crash {
  /** In ms since the epoch. */
  readonly at: number;
  /** Electron's word: `crashed`, `oom`, `killed` … */
  readonly reason: string;
  readonly exitCode: number;
}

/** Waits before the tries, in milliseconds: a first crash costs half a second, a page that always crashes does not spin. */
const WAITS_MS = [500, 2_000, 8_000] as const;
/** Crashes longer ago than this have nothing to do with the newest, in milliseconds. */
const REMEMBERED_MS = 10 * 60_000;

/** The crashes that count at `now`. */
export function recentCrashes(crashes: readonly Crash[], now: number): readonly Crash[] {
  return crashes.filter(({ at }) => now - at < REMEMBERED_MS);
}

/** What to do after the last of `crashes`: wait so many milliseconds and load again, or give up. */
export function afterCrash(crashes: readonly Crash[], now: number): { readonly waitMs: number } | 'give-up' {
  const waitMs = WAITS_MS[recentCrashes(crashes, now).length - 1];
  return waitMs === undefined ? 'give-up' : { waitMs };
}

/** What somebody needs who is to find the cause, as text. `facts` are versions and places, by name. */
export function diagnosticsOf(crashes: readonly Crash[], facts: Readonly<Record<string, string>>): string {
  return [
    'Quarterdeck: the window ended unexpectedly',
    ...Object.entries(facts).map(([name, value]) => `${name}: ${value}`),
    ...crashes.map(({ at, reason, exitCode }) => `${new Date(at).toISOString()} ${reason} (exit code ${exitCode})`),
  ].join('\n');
}
