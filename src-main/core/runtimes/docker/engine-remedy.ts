/** Why a container engine cannot be used, and the one command that mends it. */
import { findProgram } from '../launch-check.ts';
import { joinEngineGroup, restartEngine, startEngine } from './engine-commands.ts';
import { EngineSilence } from './engine-deadline.ts';
import { codeOf, isAway } from './engine-faults.ts';

/** Oldest interface that agents' containers were tried with: that of Docker 20.10, of the year 2020. */
const OLDEST_API = [1, 41] as const;

/** What stands in the way of using an engine. */
export type EngineTrouble =
  /** Nobody listens: not installed, or not started. */
  | 'absent'
  /** Its socket is not for this user. */
  | 'forbidden'
  /** It takes connections and does not answer. */
  | 'silent'
  /** It answered, with something else than what was asked for. */
  | 'other';

/** What a failed question to an engine means. */
export function troubleOf(error: unknown): EngineTrouble {
  if (error instanceof EngineSilence) return 'silent';
  const code = codeOf(error);
  if (code === 'EACCES' || code === 'EPERM') return 'forbidden';
  return isAway(error) ? 'absent' : 'other';
}

/** Whether an engine is too old, by the version of its interface ("1.41"). One that says nothing that can be read is not called so. */
export function isTooOld(apiVersion: string): boolean {
  const [major, minor] = apiVersion.split('.').map(Number);
  if (major === undefined || minor === undefined || Number.isNaN(major) || Number.isNaN(minor)) return false;
  return major < OLDEST_API[0] || (major === OLDEST_API[0] && minor < OLDEST_API[1]);
}

/**
 * The command that mends a trouble; undefined where none is known. `install` gives the command that installs an engine: one
 * that is absent is started where its program is there.
 */
export async function remedyFor(
  trouble: EngineTrouble,
  o: { readonly env: NodeJS.ProcessEnv; readonly install: () => Promise<string> },
): Promise<string | undefined> {
  if (trouble === 'forbidden') return joinEngineGroup();
  if (trouble === 'silent') return restartEngine();
  if (trouble === 'other') return undefined;
  const path = o.env['PATH'] ?? '/usr/bin:/bin';
  for (const name of ['dockerd', 'docker']) if ((await findProgram(name, path, '/')) !== undefined) return startEngine();
  return o.install();
}
