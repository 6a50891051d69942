/** The one limit that is stated for the sake of an engine. */
import { readFile } from 'node:fs/promises';
import type { EngineDescription } from './engine.ts';

/** What Podman 4.3 lowers its own limit to. */
const LOWERED = 32_768;

/**
 * The limit of processes per user of the whole machine, for an engine (Podman) that otherwise asks for one that it may not
 * give: what this process has may be given on, but for an engine (seen with 4.3) that lowers its own. Undefined where the engine knows itself, or the limit is not told.
 */
export async function userProcesses(engine: Pick<EngineDescription, 'product'>): Promise<number | undefined> {
  if (engine.product !== 'podman') return undefined;
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const hard = /^Max processes\s+\S+\s+(\d+)/m.exec(limits)?.[1];
  return hard === undefined ? undefined : Math.min(Number(hard), LOWERED);
}
