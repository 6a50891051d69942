/** What a container uses: from the kernel's files, else asked of the engine. */
import type { Container } from 'dockerode';
import * as z from 'zod';
import type { RunStats } from '../runtime.ts';
import type { CgroupFolders } from './cgroup-files.ts';
import { findCgroup, readUsage } from './cgroup-files.ts';

const EngineStats = z.object({
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number() }) }),
  memory_stats: z.object({
    usage: z.number().optional(),
    stats: z.object({ inactive_file: z.number().optional(), total_inactive_file: z.number().optional() }).nullish(),
  }),
  pids_stats: z.object({ current: z.number().optional() }).nullish(),
});

/** What an answer of the engine means; undefined when it has no figures, as for one that has ended. */
export function statsOf(answer: unknown, at: number): RunStats | undefined {
  const parsed = EngineStats.safeParse(answer);
  if (!parsed.success || parsed.data.memory_stats.usage === undefined) return undefined;
  const { cpu_stats: cpu, memory_stats: memory, pids_stats: pids } = parsed.data;
  const inactive = memory.stats?.total_inactive_file ?? memory.stats?.inactive_file ?? 0;
  return {
    at,
    cpuMs: cpu.cpu_usage.total_usage / 1e6,
    memoryBytes: Math.max(0, (memory.usage ?? 0) - inactive),
    processes: pids?.current ?? 0,
  };
}

const folders = new WeakMap<Container, { pid: number; found: CgroupFolders | undefined }>();

/** What a container uses now; undefined when it has ended. `pid` is its first process, as the engine says. */
export async function readStats(container: Container, pid: number): Promise<RunStats | undefined> {
  let known = folders.get(container);
  if (known?.pid !== pid) {
    known = { pid, found: await findCgroup(pid) };
    folders.set(container, known);
  }
  const at = performance.now();
  if (known.found !== undefined) {
    const usage = await readUsage(known.found).catch(() => undefined);
    return usage === undefined || usage.processes === 0 ? undefined : { at, ...usage };
  }
  const answer: unknown = await container.stats({ stream: false, 'one-shot': true }).catch(() => undefined);
  return statsOf(answer, at);
}
